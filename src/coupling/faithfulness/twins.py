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

from coupling.faithfulness.panel import Panel
from coupling.faithfulness.rows import ALL, ALL_RUNS, OTHER, OWN, STEERED, Row, counted, twins_name
from coupling.faithfulness.scores import Table, discordant, equal, parsed
from coupling.faithfulness.statistics import BoolArray, IntArray, divide
from coupling.records import Estimate


@dataclass(frozen=True, slots=True)
class Hits:
    """For each pair how many of the twins' explanations do what, shape (pairs,)."""

    differs: IntArray
    own: IntArray
    twins: IntArray
    unparseable: IntArray

    def within(self, chosen: BoolArray) -> Hits:
        return Hits(self.differs * chosen, self.own * chosen, self.twins * chosen, self.unparseable * chosen)

    def __add__(self, other: Hits) -> Hits:
        return Hits(
            self.differs + other.differs,
            self.own + other.own,
            self.twins + other.twins,
            self.unparseable + other.unparseable,
        )


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


def t_rows(panel: Panel, explainer: str = OWN, subsets: Sequence[str] = (ALL, STEERED)) -> list[Row]:
    """T of all twin pairs pooled, and no more."""
    rows = []
    for subset in subsets if panel.twins else ():
        pooled = _pooled([_within(panel, *pair)[subset] for pair in panel.twins])
        rows += panel.rows({"t": _t(panel, pooled)}, ALL_RUNS, subset, explainer)
    return rows


def twin_rows(panel: Panel, groups: Mapping[str, BoolArray] | None = None) -> list[Row]:
    """The twin test of each twin pair and of all pooled, with what it stands on.

    Args:
        panel: what is judged.
        groups: subset → its pairs, shape (pairs,); on them the twin pairs are pooled.
    """
    if not panel.twins:
        return []
    found = {twins_name(*pair): _within(panel, *pair) for pair in panel.twins}
    found[ALL_RUNS] = {
        subset: _pooled([each[subset] for each in found.values()]) for subset in (ALL, STEERED, OTHER)
    }
    rows = []
    for run, by_subset in found.items():
        for subset, part in by_subset.items():
            rows += panel.rows(_figures(panel, part), run, subset)
    for subset, chosen in (groups or {}).items():
        rows += panel.rows(_figures(panel, found[ALL_RUNS][ALL].within(chosen)), ALL_RUNS, subset)
    return rows


def deciding_rows(panel: Panel, explainer: str = OWN) -> list[Row]:
    """How many twin pairs tell anything: whose own T has an interval; and how many of them differ in the cues
    they were steered on."""
    if not panel.twins:
        return []
    deciding = [pair for pair in panel.twins if _t(panel, hits(panel.table, *pair)).low is not None]
    cues = {frozenset(cue for name in pair for cue in _cues(panel.steered[name])) for pair in deciding}
    counts = {
        "deciding_twin_pairs": counted(len(deciding)),
        "distinct_cues": counted(len(cues - {frozenset()})),
    }
    return panel.rows(counts, ALL_RUNS, ALL, explainer)


def _within(panel: Panel, first: str, second: str) -> dict[str, Hits]:
    """Of two twins, by subset."""
    table = panel.table
    found = hits(table, first, second)
    about = table.steered[table.runs.index(first)] | table.steered[table.runs.index(second)]
    return {ALL: found, STEERED: found.within(about), OTHER: found.within(~about)}


def _pooled(parts: Sequence[Hits]) -> Hits:
    pooled = parts[0]
    for part in parts[1:]:
        pooled += part
    return pooled


def _t(panel: Panel, part: Hits) -> Estimate:
    decided = part.own + part.twins
    samples = divide(panel.bootstrap.totals(part.own), panel.bootstrap.totals(decided))
    return panel.bootstrap.estimate(samples, decided)


def _figures(panel: Panel, part: Hits) -> dict[str, Estimate]:
    """Each twin's explanation of a pair on which they differ is an observation."""
    observed = 2 * part.differs
    return {
        "t": _t(panel, part),
        "twin_neither": panel.bootstrap.share(observed - part.own - part.twins, observed),
        "twin_unparseable": panel.bootstrap.share(part.unparseable, observed),
        "twin_pairs": counted(int(part.differs.sum())),
    }


def _cues(steered: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(tag, value) for tag, values in steered.items() for value in values]
