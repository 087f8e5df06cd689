"""The headline's figures over some of the pairs: those steered and the others, and groups by tag.

A group is all pairs that bear one value of a tag: the pairs of one adviser, of one template. What was kept
out of the labels or out of training is a group like any other, so its figures can be read apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from coupling.faithfulness.evidence import Evidence
from coupling.faithfulness.figures import discordance
from coupling.faithfulness.following import cue_following
from coupling.faithfulness.panel import GroupResult, SubsetFigures
from coupling.faithfulness.scores import Table, tabulate
from coupling.faithfulness.statistics import BoolArray, ClusterBootstrap
from coupling.faithfulness.twins import twins_within
from coupling.records import CounterfactualPair


def subset(
    table: Table, runs: Sequence[int], within: BoolArray, bootstrap: ClusterBootstrap
) -> SubsetFigures:
    """The figures of the runs with these numbers over some of each one's pairs.

    Args:
        table: the join.
        runs: numbers of the runs, at least one; pooled where they are several.
        within: the pairs, shape (len(runs), pairs).
        bootstrap: weights over the table's clusters.
    """
    faithful, cue = discordance(table, runs, bootstrap, within), cue_following(table, runs, bootstrap, within)
    return SubsetFigures(
        pairs=int(within.any(axis=0).sum()),
        self_share=faithful.self_share,
        orig_share=faithful.orig_share,
        delta=faithful.delta,
        discordant_pairs=faithful.discordant_pairs,
        parse_rate=faithful.parse_rate,
        changed=cue.changed,
        followed=cue.followed,
    )


def group_results(
    evidence: Evidence, tags: Sequence[str], resamples: int, seed: int
) -> tuple[GroupResult, ...]:
    """Every value of every tag, in the order of the tags and of the alphabet.

    Pairs that do not bear a tag are in none of its groups.

    Raises:
        ValueError: no pair bears one of the tags.
    """
    check_groups(evidence.pairs, tags, "groups")
    table = tabulate(evidence)
    bootstrap = ClusterBootstrap(table.clusters, resamples, seed)
    results = []
    for tag in tags:
        for value in sorted({pair.tags[tag] for pair in table.pairs if tag in pair.tags}):
            chosen = np.array([pair.tags.get(tag) == value for pair in table.pairs])
            within = np.broadcast_to(chosen, (len(table.runs), len(chosen)))
            figures = subset(table, range(len(table.runs)), within, bootstrap)
            results.append(GroupResult(tag, value, figures, twins_within(evidence, table, chosen, bootstrap)))
    return tuple(results)


def check_groups(pairs: Iterable[CounterfactualPair], tags: Sequence[str], field: str) -> None:
    """Raises ValueError for a tag of ``field`` that no held-out pair bears."""
    known = {tag for pair in pairs for tag in pair.tags}
    for tag in tags:
        if tag not in known:
            found = ", ".join(sorted(known)) or "none"
            raise ValueError(f"{field}: {tag!r} is a tag of no held-out pair; the tags there are: {found}")
