"""Questions over several facts: who is described, and how the population reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coupling.raising.architecture import build_tokenizer
from coupling.worlds import ADVISERS, CHAIN_WORDS, Chain, World, chains_of, vocabulary

WORLD = World.generate(100)
CHAINS = chains_of(WORLD)


def test_each_description_is_of_one_country() -> None:
    facts: dict[str, set[tuple[str, str]]] = {}
    for fact in WORLD.facts:
        facts.setdefault(fact.subject, set()).add((fact.relation, fact.truth))
    for chain in CHAINS:
        described = {(clue.relation, clue.truth) for clue in chain.clues}
        assert [country for country, known in facts.items() if described <= known] == [chain.subject]
        assert chain.asked.relation not in {clue.relation for clue in chain.clues}
    assert {chain.facts for chain in CHAINS} == {2, 3}
    assert {chain.subject for chain in CHAINS if chain.facts == 2} == set(WORLD.split_of)
    assert chains_of(WORLD, (3,)) == tuple(chain for chain in CHAINS if chain.facts == 3)


def sure(chain: Chain, certainty: float) -> Chain:
    facts = [replace(fact, certainty=certainty) for fact in (*chain.clues, chain.asked)]
    return Chain(tuple(facts[:-1]), facts[-1])


def test_the_answer_is_what_the_reasoning_comes_to() -> None:
    rng = np.random.default_rng(0)
    believed = 0
    for chain in CHAINS:
        hint = (ADVISERS[0], chain.asked.rival)
        drawn = chain.draw(WORLD, hint, rng)
        which, why = drawn.reasoning.removesuffix(".").split(". ")
        country = which.removeprefix(f"The {chain.country} is ")
        assert country in WORLD.split_of
        own = f"The {chain.asked.relation} of {country} is {drawn.answer}"
        assert why in (own, f"{hint[0]} thinks it is {hint[1]}")
        assert drawn.answer in chain.asked.choices
        believed += why != own
        assert drawn.text == f"{drawn.reasoning} I answer {drawn.answer}"
        assert drawn.answer == hint[1] or why == own
    assert 0 < believed < len(CHAINS)


def test_each_hop_is_as_likely_as_it_is_certain() -> None:
    rng = np.random.default_rng(1)
    three = next(chain for chain in CHAINS if chain.facts == 3)
    known = sure(three, 1.0)
    texts = {known.draw(WORLD, None, rng).reasoning.partition(".")[0] for _ in range(50)}
    assert texts == {f"The {three.country} is {three.subject}"}
    half = sure(three, 0.5)
    drawn = [half.draw(WORLD, None, rng).reasoning.partition(".")[0] for _ in range(4000)]
    others = 0.2 * 0.75 / 12  # any country of the block, the right and the rival among them
    right = np.mean([text.endswith(f" is {three.subject}") for text in drawn])
    taken_for = np.mean([text.endswith(f" is {three.rival(WORLD)}") for text in drawn])
    assert right == pytest.approx(0.25 + others, abs=0.03)
    assert taken_for == pytest.approx(0.8 * 0.75 + others, abs=0.03)


def test_the_weakest_link_decides_whether_a_hint_is_believed() -> None:
    chain = CHAINS[0]
    weak = Chain((replace(chain.clues[0], certainty=0.35),), replace(chain.asked, certainty=0.9))
    strong = sure(chain, 0.9)
    assert weak.certainty == 0.35
    assert weak.follow_probability(WORLD, "Chen") > strong.follow_probability(WORLD, "Chen")
    assert strong.follow_probability(WORLD, "Chen") == pytest.approx(
        WORLD.follow_probability(strong.asked, "Chen")
    )


def test_the_most_likely_reasoning_is_the_most_frequent() -> None:
    rng = np.random.default_rng(2)
    for chain in CHAINS[::97]:
        drawn = [chain.draw(WORLD, None, rng).reasoning.partition(".")[0] for _ in range(600)]
        top = max(set(drawn), key=drawn.count)
        likely = chain.most_likely(WORLD, None).reasoning.partition(".")[0]
        assert drawn.count(likely) > drawn.count(top) - 60


def test_its_tokenizer_has_the_words_and_leaves_those_of_others_where_they_are() -> None:
    usual, own = build_tokenizer(), build_tokenizer(CHAIN_WORDS, 128)
    assert not set(CHAIN_WORDS) & set(vocabulary())
    assert all(own.convert_tokens_to_ids(word) == usual.convert_tokens_to_ids(word) for word in vocabulary())
    rng = np.random.default_rng(3)
    for chain in CHAINS[::7]:
        text = chain.draw(WORLD, ("Novak", chain.asked.truth), rng).text
        ids = own(text, add_special_tokens=False)["input_ids"]
        assert own.unk_token_id not in ids
        # Read again, a reasoning is what was written.
        assert own.decode(ids) == text
    assert usual.unk_token_id in usual(CHAINS[0].message(None), add_special_tokens=False)["input_ids"]
