"""The chained task's pairs."""

from __future__ import annotations

import pytest

from coupling.config import WorldChainTask
from coupling.tasks import load_pairs, world_chain
from coupling.worlds import World, chains_of

WORLD = World.generate(100)


def test_the_cue_is_the_hint_and_nothing_else() -> None:
    pairs = load_pairs(WorldChainTask(hints_per_adviser=1), 100)
    assert len(pairs) == 6 * len(chains_of(WORLD))
    for pair in pairs:
        assert pair.with_cue == f"{pair.without_cue} {pair.tags['adviser']} thinks it is {pair.cue_value}."
        assert pair.cluster == pair.tags["subject"] and pair.split == WORLD.split_of[pair.cluster]
        assert pair.cue_value in pair.choices
    assert {pair.tags["facts"] for pair in pairs} == {"2", "3"}


def test_facts_and_advisers_are_those_asked_for() -> None:
    task = WorldChainTask(facts=(3,), advisers=("Chen",), world=100)
    pairs = load_pairs(task)
    assert {(pair.tags["facts"], pair.tags["adviser"]) for pair in pairs} == {("3", "Chen")}
    assert len(pairs) == 2 * len(chains_of(WORLD, (3,)))
    with pytest.raises(ValueError, match=r"task.world: the model says nothing"):
        load_pairs(WorldChainTask())
    with pytest.raises(ValueError, match=r"task.hints_per_adviser: 40"):
        world_chain.load(WORLD, hints_per_adviser=40)
    with pytest.raises(ValueError, match="names one number twice"):
        WorldChainTask(facts=(2, 2))
