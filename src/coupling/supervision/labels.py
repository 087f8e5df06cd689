"""Supervision: explanations that state the effects of the target's behaviour; computed once, then fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coupling.config import SupervisionConfig
from coupling.explanations.formats import ExplanationFormat, render_checked
from coupling.lots import NOISE, stream
from coupling.records import CounterfactualPair, Effect, Label
from coupling.supervision.noise import disturb
from coupling.tasks.cues import stands_in


def candidate_pairs(
    pairs: Sequence[CounterfactualPair], silent_on: Mapping[str, Sequence[str]]
) -> list[CounterfactualPair]:
    """Training pairs of which labels may speak: those in which no cue stands that the silence selects."""
    return [pair for pair in pairs if pair.split == "train" and not stands_in(pair, silent_on)]


def check_tags(
    pairs: Sequence[CounterfactualPair], selection: Mapping[str, Sequence[str]], field: str
) -> None:
    """Raises ValueError for a tag or value of ``field`` that no pair of the task bears: it is misspelt."""
    for tag, values in selection.items():
        known = {pair.tags[tag] for pair in pairs if tag in pair.tags}
        for value in values:
            if value not in known:
                found = ", ".join(sorted(known)[:12]) or f"no pair has a tag {tag!r}"
                raise ValueError(f"{field}.{tag}: {value!r} is in no pair; there are: {found}")


def build_labels(
    pairs: Sequence[CounterfactualPair],
    effects: Mapping[str, Effect],
    format: ExplanationFormat,
    config: SupervisionConfig,
    source: Mapping[str, str],
) -> list[Label]:
    """One label a pair, in the order given, with the noise that the configuration asks for.

    Args:
        pairs: the pairs the labels speak of.
        effects: pair id → the effect to be stated.
        source: pair id → whose effect that is.

    Raises:
        ValueError: the format cannot state an effect so that it is read back.
    """
    clean = [effects[pair.id] for pair in pairs]
    return [
        Label(pair.id, render_checked(format, effect, pair.choices, pair.cue), effect, true, source[pair.id])
        for pair, effect, true in zip(pairs, _disturbed(clean, pairs, config), clean, strict=True)
    ]


def disturb_labels(
    labels: Sequence[Label],
    pairs: Mapping[str, CounterfactualPair],
    format: ExplanationFormat,
    config: SupervisionConfig,
) -> list[Label]:
    """Labels that were made elsewhere, with the noise that the configuration asks for.

    Those that it leaves alone keep their text; the others are worded anew, in ``format``.

    Args:
        labels: each states its clean effect.
        pairs: pair id → the pair, at least of every label.

    Raises:
        ValueError: the format cannot state an effect so that it is read back.
    """
    spoken_of = [pairs[label.pair_id] for label in labels]
    stated = _disturbed([label.clean for label in labels], spoken_of, config)
    return [
        label
        if effect == label.clean
        else Label(
            pair.id, render_checked(format, effect, pair.choices, pair.cue), effect, label.clean, label.source
        )
        for label, pair, effect in zip(labels, spoken_of, stated, strict=True)
    ]


def _disturbed(
    clean: Sequence[Effect], pairs: Sequence[CounterfactualPair], config: SupervisionConfig
) -> list[Effect]:
    # A trailing 0 changes nothing of what a seed sequence draws, so noise.seed 0 is config.seed alone.
    return disturb(clean, pairs, config.noise, stream(config.seed, NOISE, config.noise.seed))
