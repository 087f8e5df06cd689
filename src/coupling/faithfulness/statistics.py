"""Intervals: a bootstrap that resamples clusters, and a t-interval over seeds.

Pairs of one cluster (questions about one subject) stand and fall together, so the cluster is what is
resampled. Every figure here is made of sums over pairs. A resample that draws cluster c k_c times has the
sum Σ_c k_c · (sum over c), so all resamples of all figures are one matrix product with the same weights:
fast, and figures that are compared are resampled jointly. The sums are of whole numbers, hence exact in
floating point in any order.

With n clusters the spread of resamples is too small by √((n - 1)/n), and a normal quantile stands where that
of t belongs. *Expanded* percentiles mend both: in place of 0.025 they take

    Φ(-√(n/(n - 1)) · t_{0.975, n-1})

(Hesterberg 2015, What Teachers Should Know About the Bootstrap, The American Statistician 69(4), on the
expanded percentile interval). ``EXPANDED`` says which of the two intervals use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtrit  # type: ignore[import-untyped]
from scipy.stats import binomtest  # type: ignore[import-untyped]

from coupling.records import Estimate

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Samples = npt.NDArray[np.float64]
"""A figure (first entry) and its value in every resample, shape (1 + resamples,); NaN where there are no
data."""

NO_DATA = Estimate(value=None, low=None, high=None, n=0, clusters=0)

EXPANDED = True
"""Whether intervals take expanded percentiles; the one place that says so."""

_TAIL = 0.025
_CHUNK = 4096
"""Resamples that are multiplied at once: weights are whole numbers, kept small until then."""
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
        self.seed = seed
        count = int(clusters.max()) + 1
        drawn = resampled_weights(np.random.default_rng(seed), count, resamples)
        self._weights = np.concatenate([np.ones((1, count), dtype=drawn.dtype), drawn])
        self.count, self.resamples = count, resamples
        self._membership = np.argsort(clusters, kind="stable")
        self._starts = np.searchsorted(clusters[self._membership], np.arange(count))

    def totals(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Sums over pairs of each column, in the data and in every resample.

        Args:
            values: whole numbers or truth values, shape (pairs,) or (pairs, k).

        Returns:
            Shape (1 + resamples,) or (1 + resamples, k).
        """
        return self.resampled(
            np.add.reduceat(values[self._membership].astype(np.float64), self._starts, axis=0)
        )

    def resampled(self, sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Totals of what is summed by cluster already, shape (clusters,) or (clusters, k); as `totals`."""
        parts = (self._weights[start : start + _CHUNK] for start in range(0, len(self._weights), _CHUNK))
        return np.concatenate([part.astype(np.float64) @ sums for part in parts])

    def ratio(self, numerator: npt.NDArray[np.generic], denominator: npt.NDArray[np.generic]) -> Samples:
        """Σ numerator / Σ denominator over pairs."""
        return divide(self.totals(numerator), self.totals(denominator))

    def quotient(self, numerator: npt.NDArray[np.float64], denominator: npt.NDArray[np.float64]) -> Estimate:
        """The estimate of Σ numerator / Σ denominator, where neither counts observations."""
        return self.estimate(self.ratio(numerator, denominator), np.ones(len(self.clusters), dtype=np.int64))

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
        low, high = percentile_interval(samples[1:], clusters)
        return Estimate(value=value, low=low, high=high, n=n, clusters=clusters)


def resampled_weights(
    generator: np.random.Generator, clusters: int, resamples: int
) -> npt.NDArray[np.uint16]:
    """How often each cluster is drawn when as many are drawn as there are, shape (resamples, clusters)."""
    return generator.multinomial(clusters, np.full(clusters, 1 / clusters), resamples).astype(np.uint16)


def divide(
    numerator: npt.NDArray[np.float64], denominator: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Entrywise quotient, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    quotients = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=quotients, where=denominator != 0)
    return quotients


def percentile_interval(
    resampled: Samples, clusters: int, expanded: bool = EXPANDED
) -> tuple[float | None, float | None]:
    """The 95 % interval of a figure that stands on so many clusters, from its values in the resamples.

    None where there is but one cluster, or where too many resamples hold no data.
    """
    defined = resampled[~np.isnan(resampled)]
    if clusters < 2 or len(defined) < _LEAST_DEFINED * len(resampled):
        return None, None
    tail = expanded_tail(clusters) if expanded else _TAIL
    low, high = np.quantile(defined, (tail, 1 - tail))
    return float(low), float(high)


def expanded_tail(clusters: int) -> float:
    """The share of resamples beyond each end of an expanded percentile interval; below 0.025."""
    assert clusters > 1
    quantile = float(stdtrit(clusters - 1, 1 - _TAIL))
    return float(ndtr(-((clusters / (clusters - 1)) ** 0.5) * quantile))


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened, with the exact 95 % interval of Clopper and Pearson (1934)."""

    count: int
    trials: int
    value: float | None
    low: float | None
    high: float | None


def rate(count: int, trials: int) -> Rate:
    """``count`` of ``trials``, which the interval takes for independent; n/a where there were none."""
    assert 0 <= count <= trials
    if trials == 0:
        return Rate(0, 0, None, None, None)
    found = binomtest(count, trials).proportion_ci(0.95, method="exact")
    return Rate(count, trials, count / trials, float(found.low), float(found.high))


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
