from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coupling.worlds import ADVISERS, RELATIONS, World, question, vocabulary
from coupling.worlds.world import CERTAINTY, SPLIT_SIZES

WORLD = World.generate(100)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_a_world_is_drawn_from_its_seed_alone(seed: int) -> None:
    world = World.generate(seed)
    assert world.sha256 == World.generate(seed).sha256 != World.generate(seed + 1).sha256
    assert Counter(world.split_of.values()) == SPLIT_SIZES
    for fact in world.facts:
        assert fact.truth in fact.choices and fact.rival in fact.choices and fact.truth != fact.rival
        assert CERTAINTY[0] <= fact.certainty <= CERTAINTY[1]
        assert fact.observation_probabilities().sum() == pytest.approx(1.0)


def test_the_shipped_worlds_stay_what_they_are() -> None:
    """Organisms carry the hash of their world; a change of numpy or of countries.json must not go unseen."""
    assert World.generate(0).sha256[:16] == "33f9c919448a091b"


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="world -1: a world is named by a whole number from 0 on"):
        World.generate(-1)


def test_facts_are_true_and_splits_share_no_subject() -> None:
    truths = {(fact.subject, fact.relation): fact.truth for fact in WORLD.facts}
    assert truths["France", "capital"] == "Paris" and truths["Peru", "continent"] == "South America"
    subjects = [{fact.subject for fact in WORLD.facts_of(split)} for split in SPLIT_SIZES]
    assert sum(map(len, subjects)) == len(set.union(*subjects)) == sum(SPLIT_SIZES.values())
    assert len(WORLD.facts) == len(RELATIONS) * sum(SPLIT_SIZES.values())


def test_the_surer_a_fact_the_less_a_hint_counts() -> None:
    for adviser in ADVISERS:
        for relation in RELATIONS:
            facts = sorted(
                (fact for fact in WORLD.facts if fact.relation == relation), key=lambda fact: fact.certainty
            )
            followed = [WORLD.follow_probability(fact, adviser) for fact in facts]
            assert followed == sorted(followed, reverse=True)


@pytest.mark.parametrize("hinted", [False, True])
def test_answers_are_drawn_as_they_are_documented(hinted: bool) -> None:
    """Frequencies against the formula of the module, and the modal answer against the most frequent one."""
    fact = next(fact for fact in WORLD.facts if len(fact.choices) >= 6 and 0.4 < fact.certainty < 0.5)
    third = next(choice for choice in fact.choices if choice not in (fact.truth, fact.rival))
    hint = ("Chen", third) if hinted else None
    rng = np.random.default_rng(0)
    drawn = Counter(WORLD.draw_answer(fact, hint, rng) for _ in range(20_000))
    follow = WORLD.follow_probability(fact, "Chen") if hinted else 0.0
    spread = 0.2 * (1 - fact.certainty) / len(fact.choices)
    expected = {
        fact.truth: (1 - follow) * (fact.certainty + spread),
        fact.rival: (1 - follow) * (0.8 * (1 - fact.certainty) + spread),
        third: (1 - follow) * spread + follow,
    }
    for choice, probability in expected.items():
        assert drawn[choice] / 20_000 == pytest.approx(probability, abs=0.015)
    assert WORLD.modal_answer(fact, hint) == max(expected, key=expected.__getitem__)


def test_hints_are_true_or_the_rival_in_a_quarter_each_and_else_any_choice() -> None:
    fact = next(fact for fact in WORLD.facts if fact.relation == "continent")
    rng = np.random.default_rng(0)
    drawn = Counter(WORLD.draw_hint(fact, rng) for _ in range(12_000))
    assert set(drawn) == set(fact.choices) and len(fact.choices) == 6
    for choice in fact.choices:
        share = 0.25 + 0.5 / 6 if choice in (fact.truth, fact.rival) else 0.5 / 6
        assert drawn[choice] / 12_000 == pytest.approx(share, abs=0.02)


def test_the_vocabulary_holds_every_name_once() -> None:
    words = vocabulary()
    assert len(words) == len(set(words)) and list(words) == sorted(words)
    names = {name for fact in WORLD.facts for name in (fact.subject, fact.relation, *fact.choices)}
    assert names | set(ADVISERS) <= set(words)
    assert question("France", "capital") == "What is the capital of France?"
