"""T, the twin test.

Twins differ in nothing but how their behaviour was steered. On the pairs where their effects differ, an
explanation can name its own run's effect or the twin's. T = own / (own + twin's), over both twins and all
twin pairs. Whatever reads the question alone says the same for both twins, so each of its hits is one
twin's own and the other's twin's: exactly 0.5. Pairs in which a cue stands by which a twin was steered, and
pairs that only moved along (collateral), are shown apart as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coupling.faithfulness.evidence import Evidence, RunEvidence
from coupling.faithfulness.panel import TwinComparison, TwinFigures, TwinTest
from coupling.faithfulness.scores import Table, discordant, equal, parsed
from coupling.faithfulness.statistics import BoolArray, ClusterBootstrap, IntArray, divide
from coupling.records import CounterfactualPair
from coupling.tasks.cues import stands_in


@dataclass(frozen=True, slots=True)
class _Hits:
    """For each pair how many of the twins' explanations do what, shape (pairs,)."""

    differs: IntArray
    own: IntArray
    twins: IntArray
    unparseable: IntArray

    def within(self, chosen: BoolArray) -> _Hits:
        return _Hits(self.differs * chosen, self.own * chosen, self.twins * chosen, self.unparseable * chosen)


def twin_test(evidence: Evidence, table: Table, bootstrap: ClusterBootstrap) -> TwinTest | None:
    """The twin test of each twin pair and of all together; None where no twins are named."""
    if not evidence.twins:
        return None
    runs = {run.name: run for run in evidence.runs}
    every, steered, collateral = [], [], []
    for first, second in evidence.twins:
        hits = _hits(table, first, second)
        about = _about_steered(table.pairs, runs[first], runs[second])
        every.append(hits)
        steered.append(hits.within(about))
        collateral.append(hits.within(~about))
    comparisons = [
        TwinComparison(
            runs=twins,
            all_pairs=_figures([every[number]], bootstrap),
            steered=_figures([steered[number]], bootstrap),
            collateral=_figures([collateral[number]], bootstrap),
        )
        for number, twins in enumerate(evidence.twins)
    ]
    pooled = TwinComparison(
        runs=(),
        all_pairs=_figures(every, bootstrap),
        steered=_figures(steered, bootstrap),
        collateral=_figures(collateral, bootstrap),
    )
    deciding = [each.runs for each in comparisons if each.all_pairs.t.low is not None]
    cues = {frozenset[tuple[str, str]]().union(*(_cues(runs[name]) for name in twins)) for twins in deciding}
    return TwinTest(pooled, tuple(comparisons), len(deciding), len(cues - {frozenset()}))


def twins_within(
    evidence: Evidence, table: Table, chosen: BoolArray, bootstrap: ClusterBootstrap
) -> TwinFigures | None:
    """The twin test over the ``chosen`` pairs, shape (pairs,), all twin pairs pooled; None without twins."""
    if not evidence.twins:
        return None
    return _figures([_hits(table, *twins).within(chosen) for twins in evidence.twins], bootstrap)


def _hits(table: Table, first: str, second: str) -> _Hits:
    numbers = [table.runs.index(first), table.runs.index(second)]
    claims, behaviors = table.claims[numbers], table.behaviors[numbers]
    differs = discordant(behaviors[0], behaviors[1])
    own = equal(claims, behaviors) & differs
    twins = equal(claims, behaviors[::-1]) & differs
    unparseable = ~parsed(claims) & differs
    return _Hits(
        differs=differs.astype(np.int64),
        own=own.astype(np.int64).sum(axis=0),
        twins=twins.astype(np.int64).sum(axis=0),
        unparseable=unparseable.astype(np.int64).sum(axis=0),
    )


def _figures(parts: Sequence[_Hits], bootstrap: ClusterBootstrap) -> TwinFigures:
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


def _about_steered(pairs: Sequence[CounterfactualPair], first: RunEvidence, second: RunEvidence) -> BoolArray:
    steers = (first.steered, second.steered)
    return np.array([any(stands_in(pair, steered) for steered in steers) for pair in pairs])


def _cues(run: RunEvidence) -> frozenset[tuple[str, str]]:
    return frozenset((tag, value) for tag, values in run.steered.items() for value in values)
