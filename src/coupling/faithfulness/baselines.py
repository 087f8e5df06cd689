"""Claimants that read no model: what an explanation must beat before it shows any skill.

- *majority* claims the effect most frequent among the labels;
- *always unchanged* claims that the answer is the cue's value with the cue and without it, or, of a cue that
  has none (a placebo), the labels' most frequent answer without it;
- *copy the cue* claims the cue's value with the cue, and the labels' most frequent answer without it.

Each keeps to the pair's own choices, which makes it stronger where choices differ from pair to pair, and
claims nothing where it has nothing to go by. Where no labels are known, the effects of the runs themselves
and of the target on the judged pairs stand in for them, each with claimants of its own; that favours the
baselines, so skill is never shown for want of labels, nor by naming another target.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from coupling.faithfulness.evidence import Evidence
from coupling.records import CounterfactualPair, Effect

BaselineClaims = Mapping[str, tuple[Effect | None, ...]]
"""Baseline → its claim about each pair."""


def baseline_claims(evidence: Evidence, pairs: Sequence[CounterfactualPair]) -> BaselineClaims:
    """What each baseline claims of the pairs, in their order."""
    own = [effect for run in evidence.runs for effect in run.behaviors.values()]
    if evidence.labels:
        stated = [label.effect for label in evidence.labels]
    else:
        stated = list(evidence.target.values()) or own
    majority, always_unchanged, copy_the_cue = _by_what_is_stated(stated, pairs)
    claims = {
        "majority": majority,
        "always_unchanged": always_unchanged,
        "copy_the_cue": copy_the_cue,
    }
    if not evidence.labels and evidence.target:
        claims["majority_of_own"], _, claims["copy_the_cue_of_own"] = _by_what_is_stated(own, pairs)
    return claims


def _by_what_is_stated(
    stated: Sequence[Effect], pairs: Sequence[CounterfactualPair]
) -> tuple[tuple[Effect | None, ...], tuple[Effect | None, ...], tuple[Effect | None, ...]]:
    """The claims of the majority, of no change and of copying the cue, where they go by these effects."""
    effects = _by_frequency(Counter((effect.with_cue, effect.without_cue) for effect in stated))
    without = _by_frequency(Counter((effect.without_cue,) for effect in stated))
    return (
        tuple(_majority(pair, effects) for pair in pairs),
        tuple(_always_unchanged(pair, without) for pair in pairs),
        tuple(_copy_the_cue(pair, without) for pair in pairs),
    )


def _majority(pair: CounterfactualPair, effects: Sequence[tuple[str, ...]]) -> Effect | None:
    found = _first_within(effects, pair.choices)
    return None if found is None else Effect(found[0], found[1])


def _always_unchanged(pair: CounterfactualPair, without: Sequence[tuple[str, ...]]) -> Effect | None:
    if pair.cue_value is not None:
        return Effect(pair.cue_value, pair.cue_value)
    found = _first_within(without, pair.choices)
    return None if found is None else Effect(found[0], found[0])


def _copy_the_cue(pair: CounterfactualPair, without: Sequence[tuple[str, ...]]) -> Effect | None:
    found = _first_within(without, pair.choices)
    if pair.cue_value is None or found is None:
        return None
    return Effect(pair.cue_value, found[0])


def _first_within(ranked: Sequence[tuple[str, ...]], choices: tuple[str, ...]) -> tuple[str, ...] | None:
    return next((answers for answers in ranked if all(answer in choices for answer in answers)), None)


def _by_frequency(counts: Counter[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Most frequent first; ties in alphabetical order, so that the order of labels changes nothing."""
    return sorted(counts, key=lambda answers: (-counts[answers], answers))
