"""The headline's figures over some of the pairs: those steered and the others, and groups by tag.

A group is all pairs that bear one value of a tag: the pairs of one adviser, of one template. What was kept
out of the labels or out of training is a group like any other, so its figures can be read apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from coupling.faithfulness.figures import discordant_pairs, shares
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.results import Group
from coupling.faithfulness.rows import (
    ALL_RUNS,
    ASKED,
    BESIDE,
    OTHER,
    STEERED,
    STEERED_RUNS,
    Row,
    counted,
)
from coupling.faithfulness.scores import Table
from coupling.faithfulness.statistics import BoolArray
from coupling.records import CounterfactualPair

_OF_SUBSETS = ("self", "orig", "delta", "parse_rate", "changed", "followed")


def subset_rows(
    panel: Panel,
    runs: Sequence[int],
    run: str,
    subset: str,
    within: BoolArray,
    told_already: Sequence[str] = (),
) -> list[Row]:
    """The figures of the runs with these numbers over some of each one's pairs, shape (len(runs), pairs)."""
    names = [name for name in _OF_SUBSETS if name not in told_already]
    counts = {
        "pairs": counted(int(within.any(axis=0).sum())),
        "discordant_pairs": discordant_pairs(panel.table, runs, within),
    }
    return panel.rows(counts, run, subset) + shares(panel, names, runs, run, subset, within)


def steered_rows(panel: Panel) -> list[Row]:
    """What is told of steered pairs at every checkpoint, of the runs pooled and of each."""
    rows = []
    for run, numbers in panel.by_name.items():
        rows += shares(panel, _STEERED, numbers, run, STEERED, panel.table.steered[numbers])
    return rows


_STEERED, _ASKED = ("self", "orig", "delta"), ("followed",)
"""What `steered_rows` and `following_rows` tell of these pairs at every checkpoint."""


def parts_rows(panel: Panel) -> list[Row]:
    """Of each run, and of the steered runs pooled: the pairs in which cues stand that they are steered by,
    and all others; of the former, where there are both, those asked about such a cue and those asked about
    what stands beside it. Beyond what is told at every checkpoint."""
    rows = []
    for run, numbers in panel.by_name.items():
        if run != ALL_RUNS:
            rows += _parts(panel, numbers, run, _STEERED, _ASKED)
    moved = np.flatnonzero(panel.table.is_steered).tolist()
    return rows + (_parts(panel, moved, STEERED_RUNS) if moved else [])


def _parts(
    panel: Panel,
    runs: Sequence[int],
    run: str,
    steered_told: Sequence[str] = (),
    asked_told: Sequence[str] = (),
) -> list[Row]:
    steered, asked = panel.table.steered[list(runs)], panel.table.asked_steered[list(runs)]
    beside = steered & ~asked
    rows = subset_rows(panel, runs, run, OTHER, ~steered)
    if steered.any():
        rows += subset_rows(panel, runs, run, STEERED, steered, steered_told)
    if asked.any() and beside.any():
        rows += subset_rows(panel, runs, run, ASKED, asked, asked_told)
        rows += subset_rows(panel, runs, run, BESIDE, beside)
    return rows


def groups_of(table: Table, tags: Sequence[str]) -> Iterator[tuple[Group, BoolArray]]:
    """Every value of every tag, in the order of the tags and of the alphabet, and its pairs, shape (pairs,).

    Pairs that do not bear a tag are in none of its groups.

    Raises:
        ValueError: no pair bears one of the tags.
    """
    check_groups(table.pairs, tags, "groups")
    for tag in tags:
        for value in sorted({pair.tags[tag] for pair in table.pairs if tag in pair.tags}):
            yield Group(tag, value), np.array([pair.tags.get(tag) == value for pair in table.pairs])


def group_rows(panel: Panel, groups: Mapping[str, BoolArray]) -> list[Row]:
    """The figures of the runs pooled over the pairs of every group: subset → pairs, shape (pairs,)."""
    rows = []
    for subset, chosen in groups.items():
        within = np.broadcast_to(chosen, panel.table.steered.shape)
        rows += subset_rows(panel, panel.every_run, ALL_RUNS, subset, within)
    return rows


def check_groups(pairs: Iterable[CounterfactualPair], tags: Sequence[str], field: str) -> None:
    """Raises ValueError for a tag of ``field`` that no held-out pair bears."""
    known = {tag for pair in pairs for tag in pair.tags}
    for tag in tags:
        if tag not in known:
            found = ", ".join(sorted(known)) or "none"
            raise ValueError(f"{field}: {tag!r} is a tag of no held-out pair; the tags there are: {found}")
