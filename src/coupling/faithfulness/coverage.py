"""Coverage: how often an interval holds the truth, where the truth is known.

A pool of many clusters is taken for the population, and a figure on all of it for the truth. Again and
again n clusters are drawn from it with replacement, the interval is computed on them as on any data, and
it is asked on which side of the truth it lies. What is found is the coverage of the resampling of clusters
alone: trainings and what they left are the same in every draw, as they are in one experiment.

A verdict turns on one bound of a figure, and is misled where that bound lies *beyond* the truth: a lower
bound above it, an upper bound below it. That is to happen in 2.5 % of draws, and is told apart from the other
side.

P, Δ and T are ratios of sums over pairs, and A is made of such ratios, so of each cluster its sums are all
that is needed (see `statistics`). P's truth is P with observers that were fitted to the whole pool; their
gains stay as they are, whichever clusters are drawn, so what fitting to fewer clusters does is not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.panel import Twins
from coupling.faithfulness.scores import Table, discordant, side
from coupling.faithfulness.settling import HIGH, LOW
from coupling.faithfulness.statistics import (
    ClusterBootstrap,
    Rate,
    Samples,
    divide,
    percentile_interval,
    rate,
)
from coupling.faithfulness.twins import hits

P, DELTA, T, ADVANTAGE = "P", "Δ", "T", "A"
DECIDING = {P: LOW, DELTA: HIGH, T: LOW, ADVANTAGE: LOW}
"""Figure → the bound that `coupled` asks for, or asked for under an earlier rule."""
PERCENTILE, EXPANDED_PERCENTILE = "percentile", "expanded percentile"
METHODS = (PERCENTILE, EXPANDED_PERCENTILE)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """The sums over each cluster of which the figures are made; clusters are the first axis of each."""

    ratios: Mapping[str, tuple[Floats, Floats]]
    """P, Δ and T → numerator and denominator."""
    sides: Floats
    """Σ s of the explanations of run a in column j, shape (clusters, runs, runs)."""
    told: Floats
    """Discordant pairs of each column, shape (clusters, runs)."""

    def __len__(self) -> int:
        return len(self.told)

    @property
    def figures(self) -> tuple[str, ...]:
        return (*self.ratios, ADVANTAGE)

    def samples(self, bootstrap: ClusterBootstrap, drawn: npt.NDArray[np.int64]) -> dict[str, Samples]:
        """Every figure over the clusters drawn, of which the bootstrap resamples."""
        found = {
            name: divide(bootstrap.totals(above[drawn]), bootstrap.totals(below[drawn]))
            for name, (above, below) in self.ratios.items()
        }
        runs = self.told.shape[1]
        above = bootstrap.totals(self.sides[drawn].reshape(len(drawn), -1)).reshape(-1, runs, runs)
        square = divide(above, bootstrap.totals(self.told[drawn])[:, np.newaxis])
        found[ADVANTAGE] = np.einsum("rjj->r", square) / runs - square.mean(axis=(1, 2))
        return found

    def holding(self, name: str, drawn: npt.NDArray[np.int64]) -> int:
        """How many of the clusters drawn hold observations of a figure."""
        counted = self.told.sum(axis=1) if name == ADVANTAGE else self.ratios[name][1]
        return int((counted[drawn] > 0).sum())


@dataclass(frozen=True, slots=True)
class Coverage:
    """On which side of the truth the interval of a figure lay, at one number of clusters; shares are of the
    draws that had an interval."""

    figure: str
    method: str
    clusters: int
    held: Rate
    below: Rate
    """Its interval lay wholly below the truth."""
    above: Rate
    width: float | None
    """Mean width of the intervals."""

    @property
    def beyond(self) -> Rate:
        """How often the bound that decides lay beyond the truth."""
        return self.above if DECIDING[self.figure] == LOW else self.below


def cluster_sums(table: Table, twins: Twins, gains: Floats | None = None) -> ClusterSums:
    """The sums of a panel, runs pooled as the verdict has them: P and Δ over steered runs, where any is.

    Args:
        table: the join.
        twins: names of runs that differ in nothing but how they were steered.
        gains: what claims are worth to an observer, in bits, shape (runs, pairs); None leaves P out.
    """
    count = int(table.clusters.max()) + 1

    def by_cluster(values: npt.NDArray[np.generic]) -> Floats:
        """(…, pairs) → (clusters, …)"""
        summed = np.zeros((count, *values.shape[:-1]))
        np.add.at(summed, table.clusters, np.moveaxis(values.astype(np.float64), -1, 0))
        return summed

    moved = table.is_steered if table.is_steered.any() else ~table.is_steered
    tells = discordant(table.behaviors, table.target)
    s = side(table.claims, table.behaviors, table.target) * tells
    ratios = (
        {}
        if gains is None
        else {P: (by_cluster(gains[moved].sum(axis=0)), by_cluster(np.full(len(table.pairs), moved.sum())))}
    )
    ratios[DELTA] = (by_cluster(s[moved].sum(axis=0)), by_cluster(tells[moved].sum(axis=0)))
    if twins:
        found = [hits(table, *pair) for pair in twins]
        own_twin = np.sum([each.own for each in found], axis=0)
        decided = own_twin + np.sum([each.twins for each in found], axis=0)
        ratios[T] = (by_cluster(own_twin), by_cluster(decided))
    sides = side(table.claims[:, np.newaxis], table.behaviors[np.newaxis], table.target) * tells
    return ClusterSums(ratios, by_cluster(sides), by_cluster(tells))


def coverage(sums: ClusterSums, clusters: int, draws: int, resamples: int, seed: int) -> list[Coverage]:
    """Coverage of every figure by both kinds of interval, over ``draws`` of so many clusters."""
    every = np.arange(len(sums))
    truth = {
        name: float(values[0]) for name, values in sums.samples(ClusterBootstrap(every, 1, 0), every).items()
    }
    tallies = {(name, method): _Tally() for name in sums.figures for method in METHODS}
    for bootstrap, drawn in _draws(len(sums), clusters, draws, resamples, seed):
        for name, samples in sums.samples(bootstrap, drawn).items():
            holding = sums.holding(name, drawn)
            for method in METHODS:
                found = percentile_interval(samples[1:], holding, method == EXPANDED_PERCENTILE)
                tallies[name, method].count(found, truth[name])
    return [tally.coverage(name, method, clusters) for (name, method), tally in tallies.items()]


def pooled_coverage(parts: Sequence[Coverage]) -> list[Coverage]:
    """Several populations together, by figure, method and number of clusters, in the order they come."""
    grouped: dict[tuple[str, str, int], list[Coverage]] = {}
    for part in parts:
        grouped.setdefault((part.figure, part.method, part.clusters), []).append(part)
    pooled = []
    for key, group in grouped.items():
        trials = sum(part.held.trials for part in group)
        widths = [part.width * part.held.trials for part in group if part.width is not None]
        pooled.append(
            Coverage(
                *key,
                held=rate(sum(part.held.count for part in group), trials),
                below=rate(sum(part.below.count for part in group), trials),
                above=rate(sum(part.above.count for part in group), trials),
                width=sum(widths) / trials if trials else None,
            )
        )
    return pooled


def _draws(
    population: int, clusters: int, draws: int, resamples: int, seed: int
) -> Iterator[tuple[ClusterBootstrap, npt.NDArray[np.int64]]]:
    for number in range(draws):
        generator = np.random.default_rng([seed, clusters, number])
        drawn = generator.integers(0, population, clusters)
        yield ClusterBootstrap(np.arange(clusters), resamples, int(generator.integers(2**31))), drawn


_HELD, _BELOW, _ABOVE = "held", "below", "above"


@dataclass(slots=True)
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    width: float = 0.0

    def count(self, interval: tuple[float | None, float | None], truth: float) -> None:
        low, high = interval
        if low is None or high is None:
            return
        self.width += high - low
        self.counts[_BELOW if high < truth else _ABOVE if low > truth else _HELD] += 1

    def coverage(self, name: str, method: str, clusters: int) -> Coverage:
        trials = self.counts.total()
        held, below, above = (rate(self.counts[where], trials) for where in (_HELD, _BELOW, _ABOVE))
        width = self.width / trials if trials else None
        return Coverage(name, method, clusters, held, below, above, width)
