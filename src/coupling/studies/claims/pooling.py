"""One estimate of a figure over worlds and seeds: what a claim is decided by.

Worlds are what a claim is to hold in, so they are pooled with equal weight (all have as many countries) and
taken for a sample. Of k world means with standard deviation s, of which each has a 95 % interval of half
width h from resampled countries, the interval is mean ± the larger of

    t(0.975, k - 1) · s / √k            from how far worlds lie apart
    √(h_1² + … + h_k²) / k              from countries alone, worlds taken for equal

The first holds whatever the worlds' spread is. The random-effects interval of DerSimonian and Laird (1986,
Controlled Clinical Trials 7) puts a normal quantile in its place, for which three worlds are too few: drawn
from worlds that differ by as much as countries make them differ, or twice as much, it held the truth in
0.91 and 0.85 of draws, and this one in 0.97 and 0.96. That the wider of the two is taken (Jackson, Law,
Rücker and Schwarzer 2017, Statistics in Medicine 36) keeps three means that happen to lie close together from
passing for certainty.

With two worlds t has one degree of freedom and decides nothing. Then a normal quantile stands in place of t:
random effects by moments with equal weights (DerSimonian and Kacker 2007, Contemporary Clinical Trials 28).
Such an interval is too narrow where worlds differ. With one world it is that world's own, and says nothing
of others.

A subject without worlds is one model, trained with several seeds. All are asked about the same held-out
clusters, so that part of an interval does not shrink with seeds. Of k values with standard deviation s and a
mean half width h it is

    √(h² + (q · s / √k)²)

where q is t(0.975, k - 1), and for two seeds the normal quantile, for the reason and at the price told above.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, hypot, inf, sqrt
from typing import TypeVar

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit  # type: ignore[import-untyped]

from coupling.faithfulness.statistics import NO_DATA
from coupling.records import Estimate

Name = TypeVar("Name", bound=Hashable)

LEVEL = 0.05
"""What is left outside an interval."""
Z = 1.959963984540054
"""The normal quantile of 95 % intervals."""
MOST_WORLDS = 1000
"""More than so many worlds, or seeds, are not counted: nobody will raise them, or train with them."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """A figure over worlds and seeds, or over seeds alone."""

    value: float | None
    low: float | None
    high: float | None
    worlds: int
    """1 for a subject without worlds."""
    cases: int
    """Worlds and seeds that have the figure."""
    clusters: int
    """Held-out clusters (of a world, its countries), the fewest of any; 0 where none were resampled."""
    between: float | None
    """s / √k; None for a single world, and for a single seed of a subject without worlds."""
    within: float | None
    """Standard error from clusters alone; None for a single world or seed, or where one has no interval."""
    is_over_seeds: bool = False
    """Whether ``between`` is between seeds, of a subject without worlds."""

    @property
    def estimate(self) -> Estimate:
        """To be shown: ``n`` counts worlds and seeds."""
        return Estimate(self.value, self.low, self.high, self.cases, self.clusters)

    @property
    def degrees(self) -> float:
        """Of freedom, of t; infinite for the normal quantile of two worlds, or of two seeds where there are
        none."""
        count = self.cases if self.is_over_seeds else self.worlds
        return inf if count == 2 and self.within is not None else count - 1

    def p_value(self, bound: float) -> float | None:
        """Two-sided, of the figure being ``bound``: below 0.05 exactly where the interval leaves it out."""
        if self.value is None or self.low is None or self.high is None:
            return None
        distance = abs(self.value - bound)
        if self.between is None or self.is_over_seeds:
            half = self.value - self.low if bound < self.value else self.high - self.value
            return _tails(distance, half / Z, inf)
        p = _tails(distance, self.between, self.degrees)
        return p if self.within is None else max(p, _tails(distance, self.within, inf))

    def worlds_needed(self, bound: float) -> int | None:
        """The smallest number of worlds whose interval would leave ``bound`` out, were mean and spread what
        they are; None where they say nothing of that, or it is beyond `MOST_WORLDS`."""
        if self.value is None or self.between is None or self.is_over_seeds:
            return None
        distance, within = abs(self.value - bound), self.within or 0.0
        for count in range(max(self.worlds + 1, 3), MOST_WORLDS + 1):
            shrunk = sqrt(self.worlds / count)
            half = max(_quantile(count - 1) * self.between, Z * within) * shrunk
            if half < distance:
                return count
        return None

    def seeds_needed(self, bound: float) -> int | None:
        """The same in seeds, of a subject without worlds."""
        if self.value is None or self.between is None or not self.is_over_seeds:
            return None
        distance, half = abs(self.value - bound), Z * (self.within or 0.0)
        deviation = self.between * sqrt(self.cases)
        for count in range(max(self.cases + 1, 3), MOST_WORLDS + 1):
            if hypot(half, _quantile(count - 1) * deviation / sqrt(count)) < distance:
                return count
        return None

    def clusters_needed(self, bound: float) -> int | None:
        """The same in held-out clusters, of a single world or of a subject without worlds whose seeds lie as
        far apart as they do: widths go with 1 / √clusters."""
        if self.value is None or self.low is None or self.high is None or self.worlds != 1:
            return None
        distance = abs(self.value - bound)
        if self.is_over_seeds:
            assert self.between is not None
            left = distance**2 - (_quantile(self.degrees) * self.between) ** 2
            within = Z * (self.within or 0.0)
            return ceil(self.clusters * within**2 / left) if left > 0 and self.clusters else None
        half = self.value - self.low if bound < self.value else self.high - self.value
        return None if distance == 0 or not self.clusters else ceil(self.clusters * (half / distance) ** 2)


NOTHING = Pooled(None, None, None, 0, 0, 0, None, None)


def pool(by_world: Mapping[int, Sequence[Estimate]]) -> Pooled:
    """The figure over worlds; of each world its estimates by seed."""
    known = {world: [each for each in found if each.value is not None] for world, found in by_world.items()}
    worlds = [world_mean(found) for found in known.values() if found]
    if not worlds:
        return NOTHING
    cases, clusters = sum(map(len, known.values())), min(each.clusters for each in worlds)
    values = [each.value for each in worlds if each.value is not None]
    count, mean = len(values), float(np.mean(values))
    if count == 1:
        return Pooled(mean, worlds[0].low, worlds[0].high, 1, cases, clusters, None, None)
    halves = [half_width(each) for each in worlds]
    measured = [half for half in halves if half is not None]
    within = sqrt(sum(half**2 for half in measured)) / count / Z if len(measured) == count else None
    between = float(np.std(values, ddof=1)) / sqrt(count)
    pooled = Pooled(mean, None, None, count, cases, clusters, between, within)
    half = max(_quantile(pooled.degrees) * between, Z * (within or 0.0))
    return Pooled(mean, mean - half, mean + half, count, cases, clusters, between, within)


def pool_seeds(estimates: Sequence[Estimate]) -> Pooled:
    """The figure of a subject without worlds, over its seeds."""
    known = [each for each in estimates if each.value is not None]
    if not known:
        return NOTHING
    mean, count = averaged(known), len(known)
    assert mean.value is not None
    if count == 1:
        return Pooled(mean.value, mean.low, mean.high, 1, 1, mean.clusters, None, None)
    half = half_width(mean)
    values = [each.value for each in known if each.value is not None]
    between = float(np.std(values, ddof=1)) / sqrt(count)
    within = None if half is None else half / Z
    pooled = Pooled(mean.value, None, None, 1, count, mean.clusters, between, within, True)
    whole = hypot(half or 0.0, _quantile(pooled.degrees) * between)
    return replace(pooled, low=mean.value - whole, high=mean.value + whole)


def world_mean(estimates: Sequence[Estimate]) -> Estimate:
    """The mean over the seeds of one world.

    They are asked about the same countries, so that part of their intervals does not shrink with seeds; how
    far seeds lie apart is added, by a t-interval.
    """
    mean = averaged(estimates)
    half = half_width(mean)
    if len(estimates) == 1 or half is None or mean.value is None:
        return mean
    values = [each.value for each in estimates if each.value is not None]
    spread = _quantile(len(values) - 1) * float(np.std(values, ddof=1)) / sqrt(len(values))
    whole = sqrt(half**2 + spread**2)
    return Estimate(mean.value, mean.value - whole, mean.value + whole, mean.n, mean.clusters)


def averaged(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of figures over the same countries; its bounds are the mean bounds, as if countries moved all
    of them alike. Where one has no data neither has the mean."""
    values = [each.value for each in estimates if each.value is not None]
    if not values or len(values) < len(estimates):
        return NO_DATA
    lows = [each.low for each in estimates if each.low is not None]
    highs = [each.high for each in estimates if each.high is not None]
    whole = len(lows) == len(highs) == len(values)
    return Estimate(
        value=float(np.mean(values)),
        low=float(np.mean(lows)) if whole else None,
        high=float(np.mean(highs)) if whole else None,
        n=min(each.n for each in estimates),
        clusters=min(each.clusters for each in estimates),
    )


def difference(first: Estimate, second: Estimate) -> Estimate:
    """``first`` less ``second``, its interval from theirs (Zou and Donner 2008, Statistics in Medicine 27).

    They are taken for independent. Over the same countries they err alike, if anything, and then the interval
    is wider than need be.
    """
    if first.value is None or second.value is None:
        return NO_DATA
    value, count = first.value - second.value, min(first.n, second.n)
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(value, None, None, count, 0)
    low = value - sqrt((first.value - first.low) ** 2 + (second.high - second.value) ** 2)
    high = value + sqrt((first.high - first.value) ** 2 + (second.value - second.low) ** 2)
    return Estimate(value, low, high, count, min(first.clusters, second.clusters))


def half_width(estimate: Estimate) -> float | None:
    return None if estimate.low is None or estimate.high is None else (estimate.high - estimate.low) / 2


def holm(p_values: Mapping[Name, float | None]) -> dict[Name, float]:
    """p-values corrected by Holm (1979, Scandinavian Journal of Statistics 6): name → the smallest level at
    which it stands when all are asked together. A p-value that is None counts as 1."""
    known = {name: 1.0 if p is None else p for name, p in p_values.items()}
    corrected, least = {}, 0.0
    ordered = sorted(known, key=lambda name: known[name])
    for place, name in enumerate(ordered):
        p = known[name]
        least = max(least, min(1.0, (len(ordered) - place) * p))
        corrected[name] = least
    return corrected


def _quantile(degrees: float) -> float:
    return Z if degrees == inf else float(stdtrit(degrees, 1 - LEVEL / 2))


def _tails(distance: float, error: float, degrees: float) -> float:
    """Two-sided p-value of so large a distance."""
    if error == 0:
        return 1.0 if distance == 0 else 0.0
    statistic = -distance / error
    return 2 * float(ndtr(statistic) if degrees == inf else stdtr(degrees, statistic))
