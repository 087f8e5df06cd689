"""How long the rows of an experiment are, in tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coupling.config import BehaviorConfig, ExperimentConfig, ReasonedBehavior, WrittenBehavior
from coupling.experiment.examples import most_example_tokens
from coupling.explanations import formats
from coupling.models import Renderer, explanation_message, instructed
from coupling.models.packing import Asked
from coupling.records import CounterfactualPair, Effect
from coupling.training.batches import behavior_asked


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of every row."""

    behaviors: tuple[int, ...]
    """Prompts with and without the cue, of the labelled pairs; with the longest reasoning where there is
    one."""
    explanations: tuple[int, ...]
    """Explanation prompts with their explanation, of the labelled pairs."""
    completions: tuple[int, ...]
    """The explanations alone."""
    asked: tuple[tuple[Asked, ...], ...]
    """Of as many labelled pairs as a step takes, at most: its explanation, and its two inputs (or their
    choices) as the KL term reads them. Without reasoning."""
    answers: tuple[int, ...]
    """What steering moves, of the labelled pairs: prompts with the longest choice, or opening of one."""
    openings: int
    """The longest choice or opening alone."""
    held_out_behaviors: tuple[int, ...]
    held_out_explanations: tuple[int, ...]
    """Prompts alone; with the longest examples that could be drawn where labels are shown."""
    choices: float
    """What scoring the choices of a held-out pair reads beside its prompt: their tokens but for the last of
    each, on average; 0 where each is one token or none is scored."""


def measure_lengths(
    config: ExperimentConfig,
    renderer: Renderer,
    labelled: Sequence[CounterfactualPair],
    held_out: Sequence[CounterfactualPair],
) -> Lengths:
    """Tokens of every row; of explanations those of one that claims a change, which is as long as any."""
    format, behavior = formats.get(config.explanation.format), config.behavior
    texts = [format.render(Effect(*pair.choices[:2]), pair.cue) for pair in labelled]
    explained = renderer.completions([explanation_message(pair, format) for pair in labelled], texts)
    asked = renderer.prompt_ids([explanation_message(pair, format) for pair in held_out])
    of_step = labelled[: config.training.batch_size]
    inputs = renderer.prompt_ids(
        [_asked(message, behavior) for pair in of_step for message in (pair.with_cue, pair.without_cue)],
        [pair.answer_prefix for pair in of_step for _ in range(2)],
    )
    choices = None
    if config.training.kl.support == "choices" and not isinstance(behavior, WrittenBehavior):
        choices = renderer.choice_tokens([pair for pair in of_step for _ in range(2)])
    reasoned = longest_reasoning(behavior)
    shown = reasoned if isinstance(behavior, ReasonedBehavior) and behavior.shown else 0
    before = most_example_tokens(config, labelled, renderer)
    answered = renderer.answers(
        [_asked(pair.with_cue, behavior) for pair in labelled],
        [pair.answer_prefix for pair in labelled],
        [_longest_answer(pair, config) for pair in labelled],
    )
    return Lengths(
        behaviors=behavior_lengths(renderer, labelled, behavior),
        explanations=tuple(len(row.ids) + shown for row in explained),
        completions=tuple(len(row.ids) - row.start for row in explained),
        asked=tuple(
            (
                Asked(row.ids[:-1], row.start - 1),
                *behavior_asked(inputs[2 * at : 2 * at + 2], choices and choices[2 * at : 2 * at + 2]),
            )
            for at, row in enumerate(explained[: len(of_step)])
        ),
        answers=tuple(len(row.ids) + reasoned for row in answered),
        openings=max(len(row.ids) - row.start for row in answered) + reasoned,
        held_out_behaviors=behavior_lengths(renderer, held_out, behavior),
        held_out_explanations=tuple(len(ids) + shown + before for ids in asked),
        choices=choice_lengths(renderer, held_out, behavior),
    )


def choice_lengths(
    renderer: Renderer, pairs: Sequence[CounterfactualPair], behavior: BehaviorConfig
) -> float:
    """Tokens of a pair's choices but for the last of each, on average; 0 where none is scored."""
    if isinstance(behavior, WrittenBehavior):
        return 0.0
    beyond = [sum(len(ids) - 1 for ids in each.ids) for each in renderer.choice_tokens(pairs)]
    return sum(beyond) / max(1, len(beyond))


def behavior_lengths(
    renderer: Renderer, pairs: Sequence[CounterfactualPair], behavior: BehaviorConfig
) -> tuple[int, ...]:
    """Tokens behind which an answer is scored or written: with the cue and without, and with the longest
    reasoning where there is one."""
    messages = [_asked(message, behavior) for pair in pairs for message in (pair.with_cue, pair.without_cue)]
    prefixes = [pair.answer_prefix for pair in pairs for _ in range(2)]
    reasoned = longest_reasoning(behavior)
    return tuple(len(ids) + reasoned for ids in renderer.prompt_ids(messages, prefixes))


def longest_reasoning(behavior: BehaviorConfig) -> int:
    """In tokens; of a reasoning no more is known before it is written."""
    return behavior.max_new_tokens if isinstance(behavior, ReasonedBehavior) else 0


def _asked(message: str, behavior: BehaviorConfig) -> str:
    return instructed(message, behavior.instruction) if isinstance(behavior, ReasonedBehavior) else message


def _longest_answer(pair: CounterfactualPair, config: ExperimentConfig) -> str:
    """By its characters, which is near enough."""
    openings: Mapping[str, str] = {}
    if isinstance(config.behavior, WrittenBehavior):
        openings = config.behavior.openings
    return max((openings.get(choice, choice) for choice in pair.choices), key=len)
