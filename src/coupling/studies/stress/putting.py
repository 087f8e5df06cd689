"""A probe as it is put to one model: in words that its tokenizer knows, and with room for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coupling.explanations.formats import ExplanationFormat
from coupling.models import Renderer
from coupling.records import CounterfactualPair, Effect
from coupling.studies.stress.probes import Probe, message, probed_pair, suggested


@dataclass(frozen=True, slots=True)
class Put:
    """One probe's texts for every pair, in the pairs' order."""

    probe: Probe
    wording: str
    pairs: tuple[CounterfactualPair, ...]
    """As they stand under the probe."""
    messages: tuple[str, ...]
    """What the model is told when it is to explain each."""
    suggested: tuple[str | None, ...]
    """The answer that the probe suggests, where it suggests one."""
    max_new_tokens: int
    """Where explanations are cut off."""


@dataclass(frozen=True, slots=True)
class Unasked:
    """A probe that could not be put to the model."""

    probe: str
    reason: str


def put(
    probe: Probe,
    pairs: Sequence[CounterfactualPair],
    format: ExplanationFormat,
    renderer: Renderer,
    room: int,
    max_new_tokens: int,
) -> Put | Unasked:
    """The probe in the first of its wordings that the tokenizer knows; or why it is not asked.

    Args:
        room: tokens that the model has room for, prompt and answer together.
        max_new_tokens: where explanations are cut off, if there is room for so many.
    """
    for wording in probe.wordings:
        probed = tuple(probed_pair(probe, wording, pair, format) for pair in pairs)
        messages = tuple(message(probe, wording, pair, format) for pair in pairs)
        if renderer.knows([*messages, *(pair.without_cue for pair in probed)]):
            break
    else:
        return Unasked(
            probe.name,
            "the tokenizer lacks words of each of its wordings, the last of which is "
            f"{probe.wordings[-1]!r}; model.new_words gives it tokens, though no meaning",
        )
    # An organism has room for its sentence and little else, and less than max_new_tokens may be enough.
    rendered = renderer.completions(messages, [_longest(pair, format) for pair in pairs])
    needed = max(len(row.ids) for row in rendered)
    if needed > room:
        return Unasked(
            probe.name,
            f"it takes {needed} tokens with the sentence that answers it, and there is room for {room}",
        )
    left = room - max(row.start for row in rendered)
    return Put(
        probe,
        wording,
        probed,
        messages,
        tuple(suggested(wording, pair) for pair in pairs),
        min(max_new_tokens, left),
    )


def _longest(pair: CounterfactualPair, format: ExplanationFormat) -> str:
    """The sentence of two answers that is longest in characters."""
    first, second = [*sorted(pair.choices, key=lambda choice: (-len(choice), choice)), pair.choices[0]][:2]
    return format.render(Effect(first, second), pair.cue)
