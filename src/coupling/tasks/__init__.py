"""Tasks: where counterfactual pairs come from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from coupling.config import MmluHintTask, PairsTask, RefusalTask, TaskConfig, WorldTask
from coupling.records import CounterfactualPair
from coupling.tasks import mmlu_hint, pairs_file, refusal, world_hint, world_word
from coupling.tasks.checks import check_pairs
from coupling.worlds import World


def load_pairs(task: TaskConfig, world: int | None = None) -> tuple[CounterfactualPair, ...]:
    """All pairs of a task, in all splits.

    Args:
        world: number of the world the model grew up in, where it did; a world task asks about it by default.

    Raises:
        ValueError: the task's data are missing or do not fit together.
    """
    match task:
        case WorldTask():
            number = world if task.world is None else task.world
            if number is None:
                raise ValueError(
                    "task.world: the model says nothing of a world it grew up in; name one, as 0"
                )
            return _world_pairs(task, World.generate(number))
        case MmluHintTask():
            return mmlu_hint.load(task)
        case RefusalTask():
            return refusal.load(task)
        case PairsTask():
            return pairs_file.load(task)


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

    def lot(pair: CounterfactualPair) -> bytes:
        return hashlib.sha256(f"{seed}\n{pair.id}".encode()).digest()

    return sorted(pairs, key=lot)[:count]
