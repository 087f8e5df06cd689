"""Intervals: a bootstrap that resamples clusters, and a t-interval over seeds.

Pairs of one cluster (questions about one subject) stand and fall together, so the cluster is what is
resampled. Every figure here is made of sums over pairs. A resample that draws cluster c k_c times has the
sum Σ_c k_c · (sum over c), so all resamples of all figures are one matrix product with the same weights:
fast, and figures that are compared are resampled jointly. The sums are of whole numbers, hence exact in
floating point in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit  # type: ignore[import-untyped]

from coupling.records import Estimate

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Samples = npt.NDArray[np.float64]
"""A figure (first entry) and its value in every resample, shape (1 + resamples,); NaN where there are no
data."""

NO_DATA = Estimate(value=None, low=None, high=None, n=0, clusters=0)

_INTERVAL = (0.025, 0.975)
_LEAST_DEFINED = 0.9
"""An interval over fewer of the resamples than this share would be conditioned on their holding data."""


class ClusterBootstrap:
    """Weights that resample whole clusters with replacement; the first row is the data themselves.

    Args:
        clusters: cluster number of each pair, shape (pairs,), counted from 0 without gaps.
        resamples: number of resamples.
        seed: the same seed and clusters give the same weights.
    """

    def __init__(self, clusters: IntArray, resamples: int, seed: int) -> None:
        assert clusters.ndim == 1 and len(clusters) > 0
        if resamples < 1:
            raise ValueError(f"resamples is {resamples}; an interval takes at least 1, and 2000 are usual")
        self.clusters = clusters
        count = int(clusters.max()) + 1
        generator = np.random.default_rng(seed)
        self._weights = np.ones((1 + resamples, count))
        for row in self._weights[1:]:
            row[:] = np.bincount(generator.integers(0, count, count), minlength=count)
        self._membership = np.argsort(clusters, kind="stable")
        self._starts = np.searchsorted(clusters[self._membership], np.arange(count))

    def totals(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Sums over pairs of each column, in the data and in every resample.

        Args:
            values: whole numbers or truth values, shape (pairs,) or (pairs, k).

        Returns:
            Shape (1 + resamples,) or (1 + resamples, k).
        """
        sums = np.add.reduceat(values[self._membership].astype(np.float64), self._starts, axis=0)
        return np.asarray(self._weights @ sums, dtype=np.float64)

    def ratio(self, numerator: npt.NDArray[np.generic], denominator: npt.NDArray[np.generic]) -> Samples:
        """Σ numerator / Σ denominator over pairs."""
        return divide(self.totals(numerator), self.totals(denominator))

    def share(self, numerator: npt.NDArray[np.generic], denominator: npt.NDArray[np.generic]) -> Estimate:
        """The estimate of Σ numerator / Σ denominator, which stands on the pairs the denominator counts."""
        return self.estimate(self.ratio(numerator, denominator), denominator)

    def estimate(self, samples: Samples, counted: npt.NDArray[np.generic]) -> Estimate:
        """A figure with its interval.

        Args:
            samples: from `ratio` or a combination of such.
            counted: observations the figure stands on, for each pair, shape (pairs,).
        """
        value = float(samples[0])
        n = int(counted.astype(np.int64).sum())
        if np.isnan(value) or n == 0:
            return NO_DATA
        clusters = len(np.unique(self.clusters[counted.astype(bool)]))
        low, high = _interval(samples[1:]) if clusters > 1 else (None, None)
        return Estimate(value=value, low=low, high=high, n=n, clusters=clusters)


def divide(
    numerator: npt.NDArray[np.float64], denominator: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Entrywise quotient, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    quotients = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=quotients, where=denominator != 0)
    return quotients


def _interval(resampled: Samples) -> tuple[float | None, float | None]:
    defined = resampled[~np.isnan(resampled)]
    if len(defined) < _LEAST_DEFINED * len(resampled):
        return None, None
    low, high = np.quantile(defined, _INTERVAL)
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class SeedInterval:
    """A figure over training seeds: each value, their mean, and a 95 % t-interval where there are at least
    two."""

    values: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None


def over_seeds(values: Sequence[float]) -> SeedInterval:
    """Mean ± t(0.975, n - 1) · s / √n: with few seeds, wide as it should be.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no seeds: an interval over seeds takes at least one value")
    mean = float(np.mean(values))
    if len(values) < 2:
        return SeedInterval(tuple(values), mean, None, None)
    half = float(stdtrit(len(values) - 1, 0.975)) * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return SeedInterval(tuple(values), mean, mean - half, mean + half)
