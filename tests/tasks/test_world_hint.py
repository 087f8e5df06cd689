from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from coupling.config import WorldTask
from coupling.tasks import draw, load_pairs, world_hint
from coupling.tasks.checks import check_pairs
from coupling.worlds import ADVISERS, World

WORLD = World.generate(100)


def test_every_question_is_asked_with_so_many_different_hints_of_every_adviser() -> None:
    pairs = world_hint.load(WORLD, hints_per_adviser=3, seed=0)
    check_pairs(pairs, "world 100")
    hints = defaultdict(list)
    for pair in pairs:
        hints[pair.without_cue, pair.tags["adviser"]].append(pair.cue_value)
    assert len(hints) == len(WORLD.facts) * len(ADVISERS)
    assert all(len(values) == len(set(values)) == 3 for values in hints.values())


def test_the_cue_is_the_hint_and_nothing_else() -> None:
    for pair in world_hint.load(WORLD, 1, 0)[:50]:
        assert pair.with_cue == f"{pair.without_cue} {pair.tags['adviser']} thinks it is {pair.cue_value}."


def test_splits_are_those_of_the_world() -> None:
    pairs = world_hint.load(WORLD, 1, 0)
    assert all(pair.split == WORLD.split_of[pair.cluster] for pair in pairs)
    assert set(Counter(pair.split for pair in pairs)) == {"train", "dev", "test"}


def test_the_seed_draws_the_hints() -> None:
    assert world_hint.load(WORLD, 1, 0) == world_hint.load(WORLD, 1, 0) != world_hint.load(WORLD, 1, 1)


def test_more_hints_than_choices_are_refused() -> None:
    with pytest.raises(ValueError, match=r"task.hints_per_adviser: 40; .* takes 1 to \d"):
        world_hint.load(WORLD, 40, 0)


def test_the_world_is_the_organisms_own_unless_another_is_named() -> None:
    own = load_pairs(WorldTask(hints_per_adviser=1), world=100)
    assert own == world_hint.load(WORLD, 1, 0)
    assert load_pairs(WorldTask(world=101, hints_per_adviser=1), world=100) != own
    with pytest.raises(ValueError, match=r"task.world: the model says nothing of a world"):
        load_pairs(WorldTask(), world=None)


def test_a_draw_is_drawn_again_from_any_part_that_holds_it() -> None:
    pairs = world_hint.load(WORLD, 1, 0)
    drawn = draw(pairs, 100, seed=3)
    part = [pair for i, pair in enumerate(pairs) if pair in drawn or i % 3 == 0]
    assert draw(part, 100, seed=3) == drawn != draw(pairs, 100, seed=4)
    assert draw(pairs, 40, seed=3) == drawn[:40]
