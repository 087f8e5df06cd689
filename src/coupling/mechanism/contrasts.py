"""Prompts with the cue and without it, side by side, as tokens.

The two differ in length, for the cue is missing from one. They are aligned by the longest run of tokens with
which both end: on those positions activations have a counterpart. The cue itself has none, and stays.
What both begin with needs no patching: in a decoder equal beginnings have equal activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coupling.explanations.formats import ExplanationFormat
from coupling.models import Renderer, explanation_message
from coupling.records import CounterfactualPair, Effect

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Where one answer comes next: after ``x`` in ``clean``, after ``x\\C`` in ``corrupt``."""

    clean: Tokens
    corrupt: Tokens
    suffix: int
    """Tokens that both end with; the last is the position that answers."""
    with_cue: int
    """Token of the answer with the cue."""
    without_cue: int


def behavior_contrasts(
    renderer: Renderer, pairs: Sequence[CounterfactualPair], effects: Sequence[Effect]
) -> list[Contrast]:
    """Where the model answers."""
    messages = [(pair.with_cue, pair.without_cue) for pair in pairs]
    return _behind(renderer, pairs, messages, [pair.answer_prefix for pair in pairs], effects)


def claim_contrasts(
    renderer: Renderer,
    pairs: Sequence[CounterfactualPair],
    effects: Sequence[Effect],
    format: ExplanationFormat,
) -> tuple[list[Contrast], list[Contrast]]:
    """Where an explanation names the answer with the cue, and where it names the answer without it.

    Before each place stand the words of the explanation that is true of the model, and nothing that the model
    said. Without the cue the same is asked, and the same words stand there, of ``x\\C``.

    Args:
        effects: changed ones, one for each pair.
    """
    messages = [
        (
            explanation_message(pair, format),
            explanation_message(replace(pair, with_cue=pair.without_cue), format),
        )
        for pair in pairs
    ]
    before = [format.before_answers(effect, pair.cue) for pair, effect in zip(pairs, effects, strict=True)]
    with_cue, without_cue = (
        _behind(renderer, pairs, messages, [both[which] for both in before], effects) for which in (0, 1)
    )
    return with_cue, without_cue


def _behind(
    renderer: Renderer,
    pairs: Sequence[CounterfactualPair],
    messages: Sequence[tuple[str, str]],
    prefixes: Sequence[str],
    effects: Sequence[Effect],
) -> list[Contrast]:
    """Where a choice comes next behind ``prefixes``, or as much of it as both answers of an effect begin
    with: from there on one token tells them apart."""
    clean, corrupt = (renderer.prompt_ids([both[which] for both in messages], prefixes) for which in (0, 1))
    asked = [replace(pair, answer_prefix=prefix) for pair, prefix in zip(pairs, prefixes, strict=True)]
    tokens = [
        dict(zip(pair.choices, each.ids, strict=True))
        for pair, each in zip(asked, renderer.choice_tokens(asked), strict=True)
    ]
    found = []
    for pair, effect, token_of, here, there in zip(pairs, effects, tokens, clean, corrupt, strict=True):
        one, other = token_of[effect.with_cue], token_of[effect.without_cue]
        shared = one[: _shared_start(one, other)]
        differ = len(shared)
        found.append(contrast(pair, here + shared, there + shared, one[differ], other[differ]))
    return found


def contrast(
    pair: CounterfactualPair, clean: Tokens, corrupt: Tokens, with_cue: int, without_cue: int
) -> Contrast:
    """Aligns two prompts.

    Raises:
        ValueError: they end differently.
    """
    shortest = min(len(clean), len(corrupt))
    # A position that both the common start and the common end could claim belongs to the start, where equal
    # tokens have equal activations.
    start = _shared_start(clean, corrupt)
    suffix = _shared_start(clean[::-1][: shortest - start], corrupt[::-1])
    if not suffix:
        raise ValueError(
            f"pair {pair.id}: its prompts with and without the cue end in different tokens, so that no "
            "activation of one has its counterpart in the other; let a chat template or answer_prefix follow"
        )
    return Contrast(clean, corrupt, suffix, with_cue, without_cue)


def _shared_start(one: Tokens, other: Tokens) -> int:
    pieces = enumerate(zip(one, other, strict=False))
    return next((at for at, (here, there) in pieces if here != there), min(len(one), len(other)))
