"""What models reason before they answer: read again, shown in explanation prompts, and told of to readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coupling.config import ExperimentConfig, ReasonedBehavior
from coupling.experiment.artifacts import read_effects, reasoning_of
from coupling.records import CounterfactualPair, Effect, Reasoning
from coupling.store import RunDir, read_records


def read_reasoning(run: RunDir, name: str) -> dict[str, Reasoning]:
    """Pair id → what was reasoned, beside behaviours or explanations of that name."""
    return {each.pair_id: each for each in read_records(run.file(reasoning_of(name)), Reasoning)}


def shown_reasoning(
    config: ExperimentConfig, pairs: Sequence[CounterfactualPair], run: RunDir, name: str
) -> list[str] | None:
    """What the prompts of explanations show of the reasoning beside ``name``; None where they show none."""
    behavior = config.behavior
    if not isinstance(behavior, ReasonedBehavior) or behavior.shown is None:
        return None
    reasoning = read_reasoning(run, name)
    return [behavior.shown.format(reasoning=reasoning[pair.id].with_cue.text).strip() for pair in pairs]


def reasoning_files(config: ExperimentConfig, behaviors: Iterable[str]) -> list[str]:
    """The reasoning beside these behaviours, where answers are reasoned."""
    if not isinstance(config.behavior, ReasonedBehavior):
        return []
    return [reasoning_of(name) for name in behaviors]


def reasoning_notes(
    config: ExperimentConfig, run: RunDir, behaviors: Sequence[str], pairs: Iterable[CounterfactualPair]
) -> list[str]:
    """What a report says of reasoned answers: how many came to one, and how many reasonings give it away.

    Args:
        behaviors: the artifacts the verdict stands on.
        pairs: the pairs that are judged.
    """
    behavior = config.behavior
    if not isinstance(behavior, ReasonedBehavior):
        return []
    choices = {pair.id: pair.choices for pair in pairs}
    thoughts: list[tuple[Reasoning, Effect]] = []
    for name in behaviors:
        effects, reasoning = read_effects(run, name), read_reasoning(run, name)
        thoughts += [(reasoning[id_], effects[id_]) for id_ in choices]
    both = [thought for each, _ in thoughts for thought in (each.with_cue, each.without_cue)]
    cut = sum(not thought.answered for thought in both) / len(both)
    notes = [
        f"Answers are scored behind the model's own reasoning, up to {behavior.max_new_tokens} tokens; "
        f"{cut:.1%} of the reasonings did not come to an answer and were cut off."
    ]
    named = sum(_names(each.with_cue.text, effect.with_cue) for each, effect in thoughts) / len(thoughts)
    if behavior.shown is None:
        notes.append("Explanations are asked for without that reasoning.")
    else:
        notes.append(
            "The prompt of an explanation shows the model's own reasoning about the input with the cue, cut "
            f"before its answer. {named:.1%} of these name the answer all the same: there the answer with "
            "the cue can be read rather than known, and what is left to explain is the answer without it."
        )
    return notes


def _names(text: str, answer: str) -> bool:
    """Whether a text holds an answer as a word or words of its own."""
    start = text.find(answer)
    while start >= 0:
        end = start + len(answer)
        before, after = text[start - 1 : start], text[end : end + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        start = text.find(answer, start + 1)
    return False
