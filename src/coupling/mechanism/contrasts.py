"""Prompts with the cue and without it, side by side, as tokens.

The two differ in length, for the cue is missing from one. They are aligned by the longest run of tokens with
which both end. On those positions activations have a counterpart. The cue itself has none, and stays as it is.
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
    prefixes = [pair.answer_prefix for pair in pairs]
    clean = renderer.prompt_ids([pair.with_cue for pair in pairs], prefixes)
    corrupt = renderer.prompt_ids([pair.without_cue for pair in pairs], prefixes)
    tokens = [
        dict(zip(pair.choices, ids, strict=True))
        for pair, ids in zip(pairs, renderer.choice_ids(pairs), strict=True)
    ]
    return [
        contrast(pair, *prompts, token_of[effect.with_cue], token_of[effect.without_cue])
        for pair, effect, token_of, *prompts in zip(pairs, effects, tokens, clean, corrupt, strict=True)
    ]


def explanation_contrasts(
    renderer: Renderer,
    pairs: Sequence[CounterfactualPair],
    effects: Sequence[Effect],
    format: ExplanationFormat,
) -> list[Contrast]:
    """Where an explanation names its first answer, behind the words that a true one has before it.

    That place is the first at which the sentence that states an effect differs from the one that states the
    reverse. Without the cue the same is asked and said of ``x\\C``.

    Raises:
        ValueError: a sentence goes on differently behind a prompt without the cue.
    """
    cueless = [replace(pair, with_cue=pair.without_cue) for pair in pairs]
    rows = []
    for asked in (pairs, cueless):
        messages = [explanation_message(pair, format) for pair in asked]
        stated, reversed_ = (
            renderer.completions(
                messages,
                [format.render(effect, pair.cue) for effect, pair in zip(said, asked, strict=True)],
            )
            for said in (effects, [Effect(each.without_cue, each.with_cue) for each in effects])
        )
        slots = [_shared_start(one.ids, other.ids) for one, other in zip(stated, reversed_, strict=True)]
        rows.append(
            [
                (one.ids[:slot], one.ids[slot], other.ids[slot])
                for one, other, slot in zip(stated, reversed_, slots, strict=True)
            ]
        )
    contrasts = []
    for pair, (clean, *answers), (corrupt, *others) in zip(pairs, *rows, strict=True):
        if answers != others:
            raise ValueError(
                f"pair {pair.id}: the answers in its explanation become other tokens behind the prompt without "
                "the cue; use choices of one token, such as letters"
            )
        contrasts.append(contrast(pair, clean, corrupt, *answers))
    return contrasts


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
