"""Bounds that decide: resampled until chance in resampling cannot decide in their place.

A bound of a bootstrap interval is a quantile of resampled values, and so moves with the generator's seed. Let
p be the share of B resamples on the far side of a threshold, and a the share that the interval cuts off
there. The bound lies beyond the threshold exactly where p < a, and p has a standard error of
√(a (1 - a) / B), the Monte-Carlo error. Resamples are doubled until p is `ENOUGH` such errors away from a, or
`MAX_RESAMPLES` are reached; then the bound is not settled, and no verdict may rest on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.statistics import (
    NO_DATA,
    ClusterBootstrap,
    IntArray,
    divide,
    expanded_tail,
    percentile_interval,
    resampled_weights,
)
from coupling.records import Estimate

FloatArray = npt.NDArray[np.float64]

LOW, HIGH = "low", "high"
ENOUGH = 10.0
"""Monte-Carlo errors between a share and the tail: no seed comes near to changing sides."""
MAX_RESAMPLES = 320_000
CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Deciding:
    """A figure of which one bound decides: Σ numerator / Σ denominator over clusters."""

    numerators: FloatArray
    """Of each cluster, shape (clusters,)."""
    denominators: FloatArray
    """Likewise."""
    n: int
    """Observations it stands on."""
    bound: str
    """`LOW` or `HIGH`: which bound is held against the threshold."""
    threshold: float


@dataclass(frozen=True, slots=True)
class Settled:
    """An interval, and how far chance in resampling is from moving its bound across the threshold."""

    estimate: Estimate
    errors: float
    """Monte-Carlo errors between the two, in the sense above; infinite where there is no interval."""

    @property
    def is_settled(self) -> bool:
        return self.errors >= ENOUGH


def deciding(
    values: npt.NDArray[np.generic],
    counted: npt.NDArray[np.generic],
    clusters: IntArray,
    bound: str = LOW,
    threshold: float = 0.0,
) -> Deciding:
    """A figure that is Σ values / Σ counted over pairs.

    Args:
        values: sums over runs of each pair, shape (pairs,).
        counted: observations of each pair, shape (pairs,).
        clusters: cluster number of each pair, shape (pairs,).
        bound: `LOW` or `HIGH`, the bound that decides.
        threshold: what it is held against.
    """
    count = int(clusters.max()) + 1
    return Deciding(
        np.bincount(clusters, values, count).astype(np.float64),
        np.bincount(clusters, counted, count).astype(np.float64),
        int(counted.sum()),
        bound,
        threshold,
    )


def settle(figures: Mapping[str, Deciding], bootstrap: ClusterBootstrap) -> dict[str, Settled]:
    """Intervals of figures over the same clusters, resampled jointly and as often as it takes.

    Args:
        figures: name → figure.
        bootstrap: weights over the clusters, to begin with.
    """
    generator = np.random.default_rng([bootstrap.seed, 1])
    samples = {
        name: [divide(bootstrap.resampled(each.numerators), bootstrap.resampled(each.denominators))[1:]]
        for name, each in figures.items()
    }
    drawn = bootstrap.resamples
    while True:
        found = {name: _settled(each, np.concatenate(samples[name])) for name, each in figures.items()}
        unsettled = [name for name, each in found.items() if not each.is_settled]
        if not unsettled or 2 * drawn > MAX_RESAMPLES:
            return found
        for _ in range(0, drawn, CHUNK):
            weights = resampled_weights(generator, bootstrap.count, min(CHUNK, drawn)).astype(np.float64)
            for name, each in figures.items():
                samples[name].append(divide(weights @ each.numerators, weights @ each.denominators))
        drawn = sum(map(len, samples[unsettled[0]]))


def _settled(figure: Deciding, samples: FloatArray) -> Settled:
    total = figure.denominators.sum()
    with_data = int((figure.denominators != 0).sum())
    if total == 0:
        return Settled(NO_DATA, np.inf)
    value = float(figure.numerators.sum() / total)
    low, high = percentile_interval(samples, with_data)
    estimate = Estimate(value, low, high, figure.n, with_data)
    if low is None:
        return Settled(estimate, np.inf)
    defined = samples[~np.isnan(samples)]
    tail = expanded_tail(with_data)
    error = (tail * (1 - tail) / len(defined)) ** 0.5
    beyond = defined <= figure.threshold if figure.bound == LOW else defined >= figure.threshold
    return Settled(estimate, abs(float(beyond.mean()) - tail) / error)
