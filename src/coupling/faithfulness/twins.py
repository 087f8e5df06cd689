"""T, the twin test.

Twins differ in nothing but how their behaviour was steered. On the pairs where their effects differ, an
explanation can name its own run's effect or the twin's. T = own / (own + twin's), over both twins and all
twin pairs. Whatever reads the question alone says the same for both twins, so each of its hits is one
twin's own and the other's twin's: exactly 0.5. Pairs in which a cue stands by which a twin was steered, and
pairs that only moved along (collateral), are shown apart as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coupling.faithfulness.evidence import Evidence
from coupling.faithfulness.panel import TwinComparison, TwinFigures, TwinTest
from coupling.faithfulness.scores import Table, discordant, equal, parsed
from coupling.faithfulness.statistics import BoolArray, ClusterBootstrap, IntArray, divide

Twins = Sequence[tuple[str, str]]
Steered = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Run name → tag → values of the pairs on which its behaviour was steered."""


@dataclass(frozen=True, slots=True)
class Hits:
    """For each pair how many of the twins' explanations do what, shape (pairs,)."""

    differs: IntArray
    own: IntArray
    twins: IntArray
    unparseable: IntArray

    def within(self, chosen: BoolArray) -> Hits:
        return Hits(self.differs * chosen, self.own * chosen, self.twins * chosen, self.unparseable * chosen)


def twin_test(evidence: Evidence, table: Table, bootstrap: ClusterBootstrap) -> TwinTest | None:
    """The twin test of each twin pair and of all together; None where no twins are named."""
    return told_apart(table, evidence.twins, {run.name: run.steered for run in evidence.runs}, bootstrap)


def told_apart(table: Table, twins: Twins, steers: Steered, bootstrap: ClusterBootstrap) -> TwinTest | None:
    """`twin_test` of runs of which a table and their steering are at hand, but no evidence."""
    if not twins:
        return None
    every, steered, collateral = [], [], []
    for first, second in twins:
        found = hits(table, first, second)
        about = table.steered[table.runs.index(first)] | table.steered[table.runs.index(second)]
        every.append(found)
        steered.append(found.within(about))
        collateral.append(found.within(~about))
    comparisons = [
        TwinComparison(
            runs=pair,
            all_pairs=_figures([every[number]], bootstrap),
            steered=_figures([steered[number]], bootstrap),
            collateral=_figures([collateral[number]], bootstrap),
        )
        for number, pair in enumerate(twins)
    ]
    pooled = TwinComparison(
        runs=(),
        all_pairs=_figures(every, bootstrap),
        steered=_figures(steered, bootstrap),
        collateral=_figures(collateral, bootstrap),
    )
    deciding = [each.runs for each in comparisons if each.all_pairs.t.low is not None]
    cues = {frozenset[tuple[str, str]]().union(*(_cues(steers[name]) for name in pair)) for pair in deciding}
    return TwinTest(pooled, tuple(comparisons), len(deciding), len(cues - {frozenset()}))


def twins_within(
    evidence: Evidence, table: Table, chosen: BoolArray, bootstrap: ClusterBootstrap
) -> TwinFigures | None:
    """The twin test over the ``chosen`` pairs, shape (pairs,), all twin pairs pooled; None without twins."""
    if not evidence.twins:
        return None
    return _figures([hits(table, *twins).within(chosen) for twins in evidence.twins], bootstrap)


def hits(table: Table, first: str, second: str) -> Hits:
    """What the explanations of two twins do on each pair."""
    numbers = [table.runs.index(first), table.runs.index(second)]
    claims, behaviors = table.claims[numbers], table.behaviors[numbers]
    differs = discordant(behaviors[0], behaviors[1])
    own = equal(claims, behaviors) & differs
    twins = equal(claims, behaviors[::-1]) & differs
    unparseable = ~parsed(claims) & differs
    return Hits(
        differs=differs.astype(np.int64),
        own=own.astype(np.int64).sum(axis=0),
        twins=twins.astype(np.int64).sum(axis=0),
        unparseable=unparseable.astype(np.int64).sum(axis=0),
    )


def _figures(parts: Sequence[Hits], bootstrap: ClusterBootstrap) -> TwinFigures:
    differs = _sum([part.differs for part in parts])
    own = _sum([part.own for part in parts])
    twins = _sum([part.twins for part in parts])
    unparseable = _sum([part.unparseable for part in parts])
    observed, decided = 2 * differs, own + twins
    t = divide(bootstrap.totals(own), bootstrap.totals(decided))
    neither = int(observed.sum() - decided.sum() - unparseable.sum())
    return TwinFigures(
        t=bootstrap.estimate(t, decided),
        neither_share=bootstrap.share(observed - decided, observed),
        pairs=int(differs.sum()),
        own=int(own.sum()),
        twins=int(twins.sum()),
        neither=neither,
        unparseable=int(unparseable.sum()),
    )


def _sum(counts: Sequence[IntArray]) -> IntArray:
    return np.asarray(np.sum(counts, axis=0), dtype=np.int64)


def _cues(steered: Mapping[str, tuple[str, ...]]) -> frozenset[tuple[str, str]]:
    return frozenset((tag, value) for tag, values in steered.items() for value in values)
