"""Labels that are shown as examples in the prompt of an explanation, where nothing is trained on them.

Which labels stand before a question depends on their file, the pair asked about and a seed alone: so they are
the same at M0 and at every checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import nlargest

from coupling.config import ExperimentConfig
from coupling.experiment.artifacts import LABELS, PAIRS
from coupling.explanations import formats
from coupling.lots import place
from coupling.models import Renderer, example, explanation_message
from coupling.records import CounterfactualPair, Label
from coupling.store import RunDir, read_records

LINE_BREAKS = 3
"""Tokens that an example's line breaks take at the most: one behind the question, two behind the label."""


def shown_examples(
    config: ExperimentConfig, run: RunDir, pairs: Sequence[CounterfactualPair]
) -> list[str] | None:
    """What the prompts of explanations begin with, of each pair; None where no label is shown."""
    count, seed = config.explanation.examples, config.explanation.examples_seed
    if count == 0:
        return None
    format = formats.get(config.explanation.format)
    by_id = {pair.id: pair for pair in read_records(run.file(PAIRS), CounterfactualPair)}
    labels = read_records(run.file(LABELS), Label)
    text = {label.pair_id: example(by_id[label.pair_id], format, label.text) for label in labels}
    return [
        "".join(text[label.pair_id] for label in draw_examples(pair, labels, by_id, count, seed))
        for pair in pairs
    ]


def draw_examples(
    pair: CounterfactualPair,
    labels: Sequence[Label],
    pairs: Mapping[str, CounterfactualPair],
    count: int,
    seed: int,
) -> list[Label]:
    """The labels shown before the question about a pair, in their order; none is of its cluster.

    Half of them state a change, as far as there are so many of either kind; of an odd number, one more of the
    kind that is drawn by lot.

    Args:
        pairs: pair id → the pair, at least of every label.
    """
    others = [label for label in labels if pairs[label.pair_id].cluster != pair.cluster]
    assert len(others) >= count, "selection admits no more examples than there are labels"
    changed = [label for label in others if label.effect.changed]
    unchanged = [label for label in others if not label.effect.changed]
    half = (count + place(2, seed, "odd example", pair.id)) // 2
    of_change = min(max(half, count - len(unchanged)), len(changed))
    drawn = [
        *_drawn(changed, of_change, seed, "changed example", pair.id),
        *_drawn(unchanged, count - of_change, seed, "unchanged example", pair.id),
    ]
    return _drawn(drawn, count, seed, "order of examples", pair.id)


def _drawn(labels: Sequence[Label], count: int, *lot: object) -> list[Label]:
    """So many labels by lot, none twice, in the order in which they are drawn."""
    left = list(labels)
    return [left.pop(place(len(left), *lot, number)) for number in range(count)]


def examples_made_from(config: ExperimentConfig, run: RunDir) -> dict[str, str]:
    """What explanations follow from besides, where labels are shown.

    Raises:
        ValueError: there are no labels yet.
    """
    explanation = config.explanation
    if explanation.examples == 0:
        return {}
    return {
        "labels": run.sha(LABELS),
        "examples": str(explanation.examples),
        "examples_seed": str(explanation.examples_seed),
    }


def most_example_tokens(
    config: ExperimentConfig, labelled: Sequence[CounterfactualPair], renderer: Renderer
) -> int:
    """Tokens that the examples of a prompt take at the most, whichever labels are drawn.

    What labels will state is not known before the base is asked, so each counts as ``max_new_tokens``: longer
    ones are refused in training.

    Raises:
        ValueError: there are fewer labels than a prompt is to show.
    """
    explanation = config.explanation
    if explanation.examples == 0:
        return 0
    if explanation.examples > len(labelled):
        raise ValueError(
            f"explanation.examples: {explanation.examples} wanted before each question, but there are only "
            f"{len(labelled)} labels; lower it, or raise supervision.labels"
        )
    format = formats.get(explanation.format)
    around = len(renderer.prompt_ids([""])[0])
    prompts = renderer.prompt_ids([explanation_message(pair, format) for pair in labelled])
    longest = nlargest(explanation.examples, (len(prompt) - around for prompt in prompts))
    return sum(longest) + explanation.examples * (explanation.max_new_tokens + LINE_BREAKS)


def examples_notes(config: ExperimentConfig) -> list[str]:
    """What a report says of them."""
    count, seed = config.explanation.examples, config.explanation.examples_seed
    if count == 0:
        return []
    stand = "1 labelled example stands" if count == 1 else f"{count} labelled examples stand"
    return [
        f"{stand} before each question that asks for an explanation, drawn by lot from the labels (seed "
        f"{seed}); no run was trained to explain itself."
    ]
