"""Supervision: explanations that state the effects of the target's behaviour; computed once, then fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from coupling.config import SupervisionConfig
from coupling.explanations.formats import ExplanationFormat, render_checked
from coupling.records import CounterfactualPair, Effect, Label
from coupling.supervision.noise import disturb


def candidate_pairs(
    pairs: Sequence[CounterfactualPair], silent_on: Mapping[str, Sequence[str]]
) -> list[CounterfactualPair]:
    """Training pairs of which labels may speak: those that the silence does not select."""
    return [pair for pair in pairs if pair.split == "train" and not pair.bears(silent_on)]


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
    source: str,
) -> list[Label]:
    """One label a pair, in the order given, with the noise that the configuration asks for.

    Args:
        pairs: the pairs the labels speak of.
        effects: the target's effect on each of them.
        source: whose effects these are.

    Raises:
        ValueError: the format cannot state an effect so that it is read back.
    """
    clean = [effects[pair.id] for pair in pairs]
    stated = disturb(clean, pairs, config.noise, np.random.default_rng([config.seed, 2]))
    return [
        Label(pair.id, render_checked(format, effect, pair.choices, pair.cue), effect, true, source)
        for pair, effect, true in zip(pairs, stated, clean, strict=True)
    ]
