"""Discordant examples for a reader, chosen by rule.

Every (run, side) group gives as many as it has, up to an equal part of the limit (what small groups leave
goes to larger ones), taken at equal distances through its pairs in order of their ids. So all sides can be
read whatever their frequency, which is told by shares of the discordant pairs, not by the examples.
"""

from __future__ import annotations

from collections.abc import Sequence

from coupling.faithfulness.evidence import Evidence, cluster_of
from coupling.faithfulness.results import (
    NAMES_NEITHER,
    NAMES_OWN,
    NAMES_TARGET,
    SIDES,
    UNPARSEABLE,
    Example,
)
from coupling.records import Effect

MAX_EXAMPLES = 200


def discordant_examples(evidence: Evidence, limit: int = MAX_EXAMPLES) -> tuple[Example, ...]:
    """At most ``limit`` examples, ordered by pair id, then by run in the panel's order.

    There are none where the target's behaviour is not known.
    """
    if not evidence.target:
        return ()
    pairs = sorted(evidence.pairs, key=lambda pair: pair.id)
    groups: dict[tuple[str, str], list[Example]] = {
        (run.name, side): [] for run in evidence.runs for side in SIDES
    }
    for run in evidence.runs:
        for pair in pairs:
            behavior, target = run.behaviors[pair.id], evidence.target[pair.id]
            if behavior == target:
                continue
            said = run.explanations[pair.id]
            example = Example(
                pair_id=pair.id,
                cluster=cluster_of(pair),
                run=run.name,
                question=pair.with_cue,
                question_without_cue=pair.without_cue,
                cue=pair.cue,
                cue_value=pair.cue_value,
                tags=dict(pair.tags),
                behavior=behavior,
                text=said.text,
                claim=said.claim,
                target=target,
                side=_side(said.claim, behavior, target),
            )
            groups[run.name, example.side].append(example)
    filled = [group for group in groups.values() if group]
    chosen = [
        example
        for group, quota in zip(filled, _quotas([len(group) for group in filled], limit), strict=True)
        for example in _spread(group, quota)
    ]
    order = {run.name: place for place, run in enumerate(evidence.runs)}
    return tuple(sorted(chosen, key=lambda example: (example.pair_id, order[example.run])))


def _side(claim: Effect | None, behavior: Effect, target: Effect) -> str:
    if claim is None:
        return UNPARSEABLE
    if claim == behavior:
        return NAMES_OWN
    return NAMES_TARGET if claim == target else NAMES_NEITHER


def _quotas(sizes: Sequence[int], limit: int) -> list[int]:
    """Equal parts of the limit, smallest group first so that what it leaves is shared by the others."""
    quotas = [0] * len(sizes)
    left = limit
    by_size = sorted(range(len(sizes)), key=lambda group: sizes[group])
    for done, group in enumerate(by_size):
        quotas[group] = min(sizes[group], left // (len(sizes) - done))
        left -= quotas[group]
    return quotas


def _spread(group: Sequence[Example], count: int) -> list[Example]:
    return [group[place * len(group) // count] for place in range(count)]
