"""Tasks: where counterfactual pairs come from."""

from __future__ import annotations

from collections.abc import Sequence

from coupling.config import (
    MmluHintTask,
    MoralVerdictTask,
    PairsTask,
    QuestionHintTask,
    RefusalTask,
    TaskConfig,
    WorldChainTask,
    WorldTask,
)
from coupling.lots import order
from coupling.records import CounterfactualPair
from coupling.tasks import (
    mmlu_hint,
    moral_verdict,
    own_pairs,
    pairs_file,
    question_hint,
    refusal,
    world_chain,
    world_hint,
    world_word,
)
from coupling.tasks.checks import check_pairs
from coupling.tasks.cues import with_more_cues
from coupling.worlds import World

WORLD_CUE_TAGS = ("adviser", "template", "word")
"""Tags that speak of the hint or word, and not of the question."""


def load_pairs(task: TaskConfig, world: int | None = None) -> tuple[CounterfactualPair, ...]:
    """All pairs of a task, in all splits, those with further cues included.

    Args:
        world: number of the world the model grew up in, where it did; a world task asks about it by default.

    Raises:
        ValueError: the task's data are missing or do not fit together.
    """
    match task:
        case WorldTask():
            pairs = _world_pairs(task, _world(task, world))
            return with_more_cues(pairs, task.cues, WORLD_CUE_TAGS, joint=" ")
        case WorldChainTask():
            pairs = world_chain.load(
                _world(task, world), task.facts, task.hints_per_adviser, task.seed, task.advisers
            )
            check_pairs(pairs, "task")
            return with_more_cues(pairs, task.cues, WORLD_CUE_TAGS, joint=" ")
        case MmluHintTask():
            return with_more_cues(mmlu_hint.load(task), task.cues, mmlu_hint.CUE_TAGS)
        case QuestionHintTask():
            pairs = question_hint.load(task)
            return with_more_cues(pairs, task.cues, question_hint.CUE_TAGS, question_hint.joint(task))
        case MoralVerdictTask():
            return with_more_cues(moral_verdict.load(task), task.cues, moral_verdict.CUE_TAGS)
        case RefusalTask():
            return with_more_cues(refusal.load(task), task.cues, refusal.CUE_TAGS)
        case PairsTask():
            pairs = pairs_file.load(task) if task.with_cue is None else own_pairs.load(task)
            return with_more_cues(pairs, task.cues, own_pairs.CUE_TAGS)


def _world(task: WorldTask | WorldChainTask, of_model: int | None) -> World:
    number = of_model if task.world is None else task.world
    if number is None:
        raise ValueError("task.world: the model says nothing of a world it grew up in; name one, as 0")
    return World.generate(number)


def _world_pairs(task: WorldTask, world: World) -> tuple[CounterfactualPair, ...]:
    hinted = world_hint.load(
        world, task.hints_per_adviser, task.seed, task.advisers, task.templates, task.dissuading
    )
    pairs = (*hinted, *world_word.load(world, task.words))
    # Wordings are the user's own: two of them may come to the same.
    check_pairs(pairs, "task")
    return pairs


def draw(pairs: Sequence[CounterfactualPair], count: int, seed: int) -> list[CounterfactualPair]:
    """``count`` pairs by lot. The lot of a pair depends on its id and the seed alone.

    So the pairs drawn from a collection are drawn again from any part of it that holds them.
    """
    return sorted(pairs, key=lambda pair: order(seed, pair.id))[:count]
