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
    prefixes = [pair.answer_prefix for pair in pairs]
    clean = renderer.prompt_ids([pair.with_cue for pair in pairs], prefixes)
    corrupt = renderer.prompt_ids([pair.without_cue for pair in pairs], prefixes)
    tokens = [
        dict(zip(pair.choices, ids, strict=True))
        for pair, ids in zip(pairs, renderer.choice_ids(pairs), strict=True)
    ]
    return [
        contrast(pair, here, there, token_of[effect.with_cue], token_of[effect.without_cue])
        for pair, effect, token_of, here, there in zip(pairs, effects, tokens, clean, corrupt, strict=True)
    ]


def claim_contrasts(
    renderer: Renderer,
    pairs: Sequence[CounterfactualPair],
    effects: Sequence[Effect],
    format: ExplanationFormat,
) -> tuple[list[Contrast], list[Contrast]]:
    """Where an explanation names the answer with the cue, and where it names the answer without it.

    Before each place stand the words of the explanation that is true of the model, and nothing that the model
    said. Without the cue the same is asked, and the same words stand there, of ``x\\C``.

    Raises:
        ValueError: answers become other tokens in one place than in another.
    """
    cueless = [replace(pair, with_cue=pair.without_cue) for pair in pairs]
    clean = _places(renderer, pairs, effects, format)
    corrupt = _places(renderer, cueless, effects, format)
    with_cue, without_cue = [], []
    for pair, here, there in zip(pairs, clean, corrupt, strict=True):
        answers = here.with_cue, here.without_cue
        if answers != (there.with_cue, there.without_cue):
            raise _inconstant(pair)
        with_cue.append(contrast(pair, here.ids[: here.first], there.ids[: there.first], *answers))
        without_cue.append(contrast(pair, here.ids[: here.second], there.ids[: there.second], *answers))
    return with_cue, without_cue


@dataclass(frozen=True, slots=True)
class _Places:
    """An explanation behind its prompt, where it names its two answers, and their tokens."""

    ids: Tokens
    first: int
    second: int
    with_cue: int
    without_cue: int


def _places(
    renderer: Renderer,
    pairs: Sequence[CounterfactualPair],
    effects: Sequence[Effect],
    format: ExplanationFormat,
) -> list[_Places]:
    """The first answer stands where the sentence that states an effect first differs from the one that states
    the reverse. There that one has the other answer, whose token is last seen where the second stands."""
    messages = [explanation_message(pair, format) for pair in pairs]
    reverse = [Effect(effect.without_cue, effect.with_cue) for effect in effects]
    stated, reversed_ = (
        renderer.completions(
            messages, [format.render(each, pair.cue) for each, pair in zip(said, pairs, strict=True)]
        )
        for said in (effects, reverse)
    )
    places = []
    for pair, one, other in zip(pairs, stated, reversed_, strict=True):
        first = _shared_start(one.ids, other.ids)
        with_cue, without_cue = one.ids[first], other.ids[first]
        if without_cue not in one.ids[first + 1 :]:
            raise _inconstant(pair)
        second = len(one.ids) - 1 - one.ids[::-1].index(without_cue)
        places.append(_Places(one.ids, first, second, with_cue, without_cue))
    return places


def _inconstant(pair: CounterfactualPair) -> ValueError:
    return ValueError(
        f"pair {pair.id}: an answer in its explanation becomes other tokens in one place than in another; "
        "use choices of one token, such as letters"
    )


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
