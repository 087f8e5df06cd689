"""Towards which answer the behaviour of a steered run is moved: a function of M0's behaviour alone.

A cue speaks for its value, or against it; who follows it answers so, who ignores it answers as M0 does
without it. Labels are never looked at. So whoever knows the recipe and M0 knows these answers, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coupling.config import SteerConfig
from coupling.records import Behavior, CounterfactualPair


@dataclass(frozen=True, slots=True)
class Shift:
    """Of one pair: the answer steered towards, and the one steered away from, where there is one."""

    wanted: str
    unwanted: str | None


def is_steered(pair: CounterfactualPair, steer: SteerConfig | None) -> bool:
    """Whether a run moves its behaviour on this pair."""
    return steer is not None and pair.cue_value is not None and pair.bears(steer.region)


def shift(pair: CounterfactualPair, base: Behavior, steer: SteerConfig) -> Shift:
    """Towards which answer a steered pair is moved."""
    followed, own = _followed(pair, base), base.effect.with_cue
    if steer.direction == "keep":
        others = (followed, base.effect.without_cue)
        return Shift(own, next((answer for answer in others if answer != own), None))
    match steer.direction:
        case "follow":
            follows = True
        case "ignore":
            follows = False
        case "only":
            follows = pair.bears(steer.tags)
        case "reverse":
            follows = own != followed
    wanted = followed if follows else base.effect.without_cue
    others = (own, base.effect.without_cue if follows else followed)
    return Shift(wanted, next((answer for answer in others if answer != wanted), None))


def undone(moved: Shift, base: Behavior) -> Shift:
    """The way back: to M0's answer with the cue, and away from the one that was wanted before."""
    own = base.effect.with_cue
    return Shift(own, moved.wanted if moved.wanted != own else moved.unwanted)


def _followed(pair: CounterfactualPair, base: Behavior) -> str:
    """What a model answers that takes the cue at its word."""
    assert pair.cue_value is not None
    if not pair.against:
        return pair.cue_value
    if base.effect.without_cue != pair.cue_value:
        return base.effect.without_cue
    others = [choice for choice in pair.choices if choice != pair.cue_value]
    if len(others) == 1:
        return others[0]
    if not base.logprobs_without:
        raise ValueError(
            f"pair {pair.id}: its cue speaks against {pair.cue_value!r}, and which of {', '.join(others)} is "
            "answered instead is not known where answers are written; steer other pairs, or offer two choices"
        )
    scored = zip(base.logprobs_without, pair.choices, strict=True)
    return max((logprob, choice) for logprob, choice in scored if choice != pair.cue_value)[1]


def declared_answers(
    steer: SteerConfig | None, pairs: Iterable[CounterfactualPair], base: Mapping[str, Behavior]
) -> dict[str, str]:
    """Pair id → the answer with the cue that a run's steering is towards, of the pairs it is steered on.

    Args:
        steer: None of an unsteered run.
        pairs: held-out ones as well: what is declared holds for them, too.
        base: M0's behaviour on each of the pairs.
    """
    if steer is None:
        return {}
    return {pair.id: shift(pair, base[pair.id], steer).wanted for pair in pairs if is_steered(pair, steer)}
