"""Coverage: how often an interval holds the truth, where the truth is known.

A pool of many clusters is taken for the population, and a figure on all of it for the truth. Again and
again n clusters are drawn from it with replacement, the interval is computed on them as on any data, and
it is asked whether it holds the truth. What is found is the coverage of the resampling of clusters alone:
trainings and what they left are the same in every draw, as they are in one experiment.

Δ, Self and T are ratios of sums over pairs, and A and R are made of such ratios, so of each cluster its sums
are all that is needed (see `statistics`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.matrix import distances, rivals_of
from coupling.faithfulness.panel import Twins
from coupling.faithfulness.scores import Table, discordant, equal, side
from coupling.faithfulness.statistics import (
    BoolArray,
    ClusterBootstrap,
    Rate,
    Samples,
    divide,
    percentile_interval,
    rate,
)
from coupling.faithfulness.twins import hits

DELTA, SELF, T, ADVANTAGE, RIVALRY = "Δ", "Self", "T", "A", "R"
FIGURES = (DELTA, SELF, T, ADVANTAGE, RIVALRY)
PERCENTILE, EXPANDED_PERCENTILE = "percentile", "expanded percentile"
METHODS = (PERCENTILE, EXPANDED_PERCENTILE)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """The sums over each cluster of which the figures are made; clusters are the first axis of each."""

    ratios: Mapping[str, tuple[Floats, Floats]]
    """Δ, Self and T → numerator and denominator."""
    sides: Floats
    """Σ s of the explanations of run a in column j, shape (clusters, runs, runs)."""
    told: Floats
    """Discordant pairs of each column, shape (clusters, runs)."""
    rivals: BoolArray
    """Who is a rival in whose column, shape (runs, runs); no sums."""

    def __len__(self) -> int:
        return len(self.told)

    def figures(self, bootstrap: ClusterBootstrap, drawn: npt.NDArray[np.int64]) -> dict[str, Samples]:
        """Every figure over the clusters drawn, of which the bootstrap resamples."""
        found = {
            name: divide(bootstrap.totals(above[drawn]), bootstrap.totals(below[drawn]))
            for name, (above, below) in self.ratios.items()
        }
        runs = self.told.shape[1]
        above = bootstrap.totals(self.sides[drawn].reshape(len(drawn), -1)).reshape(-1, runs, runs)
        square = divide(above, bootstrap.totals(self.told[drawn])[:, np.newaxis])
        found[ADVANTAGE] = np.einsum("rjj->r", square) / runs - square.mean(axis=(1, 2))
        found[RIVALRY] = distances(square, self.rivals)[:, self.rivals.any(axis=0)].mean(axis=1)
        return found

    def holding(self, name: str, drawn: npt.NDArray[np.int64]) -> int:
        """How many of the clusters drawn hold observations of a figure."""
        counted = self.told.sum(axis=1) if name in (ADVANTAGE, RIVALRY) else self.ratios[name][1]
        return int((counted[drawn] > 0).sum())


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the interval of a figure held the truth, at one number of clusters."""

    figure: str
    method: str
    clusters: int
    held: Rate
    """Of the draws that had an interval."""
    below: int
    """Draws whose interval lay wholly below the truth."""
    above: int
    width: float | None
    """Mean width of the intervals."""


def cluster_sums(table: Table, twins: Twins) -> ClusterSums:
    """The sums of a panel, all runs pooled as in the headline."""
    count = int(table.clusters.max()) + 1

    def by_cluster(values: npt.NDArray[np.generic]) -> Floats:
        """(…, pairs) → (clusters, …)"""
        summed = np.zeros((count, *values.shape[:-1]))
        np.add.at(summed, table.clusters, np.moveaxis(values.astype(np.float64), -1, 0))
        return summed

    tells = discordant(table.behaviors, table.target)
    own = equal(table.claims, table.behaviors)
    s = side(table.claims, table.behaviors, table.target) * tells
    found = [hits(table, *pair) for pair in twins]
    own_twin = np.sum([each.own for each in found], axis=0)
    decided = own_twin + np.sum([each.twins for each in found], axis=0)
    sides = side(table.claims[:, np.newaxis], table.behaviors[np.newaxis], table.target) * tells
    return ClusterSums(
        ratios={
            DELTA: (by_cluster(s.sum(axis=0)), by_cluster(tells.sum(axis=0))),
            SELF: (by_cluster(own.sum(axis=0)), by_cluster(np.full(len(table.pairs), len(table.runs)))),
            T: (by_cluster(own_twin), by_cluster(decided)),
        },
        sides=by_cluster(sides),
        told=by_cluster(tells),
        rivals=rivals_of(table.is_steered),
    )


def coverage(sums: ClusterSums, clusters: int, draws: int, resamples: int, seed: int) -> list[Coverage]:
    """Coverage of every figure by both kinds of interval, over ``draws`` of so many clusters."""
    every = np.arange(len(sums))
    truth = {
        name: float(values[0]) for name, values in sums.figures(ClusterBootstrap(every, 1, 0), every).items()
    }
    tallies = {(name, method): _Tally() for name in FIGURES for method in METHODS}
    for bootstrap, drawn in _draws(len(sums), clusters, draws, resamples, seed):
        for name, samples in sums.figures(bootstrap, drawn).items():
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
                below=sum(part.below for part in group),
                above=sum(part.above for part in group),
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


@dataclass(slots=True)
class _Tally:
    held: int = 0
    below: int = 0
    above: int = 0
    width: float = 0.0

    def count(self, interval: tuple[float | None, float | None], truth: float) -> None:
        low, high = interval
        if low is None or high is None:
            return
        self.width += high - low
        if high < truth:
            self.below += 1
        elif low > truth:
            self.above += 1
        else:
            self.held += 1

    def coverage(self, figure: str, method: str, clusters: int) -> Coverage:
        trials = self.held + self.below + self.above
        width = self.width / trials if trials else None
        return Coverage(figure, method, clusters, rate(self.held, trials), self.below, self.above, width)
