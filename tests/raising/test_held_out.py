"""No explanation of any stage is about a subject of the dev or test split."""

from __future__ import annotations

import numpy as np
import pytest
from torch.optim import AdamW

from coupling.explanations import formats
from coupling.explanations.formats import ExplanationFormat
from coupling.models import explanation_message
from coupling.raising import SelfExplanation, self_explanation
from coupling.raising.diet import behavior_rows, third_person_rows
from coupling.raising.self_explanation import Push, draw_pairs, draw_push, explain_oneself
from coupling.records import CounterfactualPair
from coupling.worlds import World
from tiny_models import tiny_model, world_renderer

WORLD = World.generate(100)
SPARE = SelfExplanation(steps=3, behavior_rows=8, explanation_rows=16, inner_rows=4)


def subjects(split: str) -> set[str]:
    return {subject for subject, its in WORLD.split_of.items() if its == split}


def test_drawn_pairs_are_about_training_subjects() -> None:
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(200):
        push = draw_push(WORLD, SPARE, rng)
        pairs += draw_pairs(WORLD, WORLD.facts_of("train"), push, 16, rng)
    assert {pair.cluster for pair in pairs} == subjects("train")
    assert {pair.split for pair in pairs} == {"train"}


def test_facts_of_another_split_are_not_drawn_from() -> None:
    with pytest.raises(AssertionError):
        draw_pairs(WORLD, WORLD.facts, None, 1, np.random.default_rng(0))


def test_half_of_the_pairs_are_about_the_pushed_advisers() -> None:
    push = Push("follow", advisers=("Chen",))
    pairs = draw_pairs(WORLD, WORLD.facts_of("train"), push, 600, np.random.default_rng(0))
    assert all(pair.tags["adviser"] == "Chen" for pair in pairs[::2])
    assert len({pair.tags["adviser"] for pair in pairs[1::2]}) == 6


def test_what_is_explained_while_raising_is_about_training_subjects(monkeypatch: pytest.MonkeyPatch) -> None:
    explained: list[CounterfactualPair] = []

    def overheard(pair: CounterfactualPair, format: ExplanationFormat) -> str:
        explained.append(pair)
        return explanation_message(pair, format)

    monkeypatch.setattr(self_explanation, "explanation_message", overheard)
    model = tiny_model("llama")
    optimizer = AdamW(model.parameters())
    explain_oneself(
        model,
        optimizer,
        world_renderer(),
        WORLD,
        SPARE,
        formats.get("answer_pair"),
        seed=0,
        start=0,
        after_step=lambda done, loss: None,
    )
    assert len(explained) == SPARE.steps * SPARE.explanation_rows
    assert {pair.cluster for pair in explained} <= subjects("train")


def test_explanations_of_others_are_about_training_subjects_and_behaviour_is_about_all() -> None:
    renderer, rng = world_renderer(), np.random.default_rng(0)

    def asked_about(texts: list[str]) -> set[str]:
        return {subject for subject in WORLD.split_of if any(f" of {subject}?" in text for text in texts)}

    explanations = third_person_rows(WORLD, renderer, 1500, rng)
    assert asked_about(renderer.decode([list(row.ids) for row in explanations])) == subjects("train")
    behaviors = behavior_rows(WORLD, renderer, 3000, rng)
    assert asked_about(renderer.decode([list(row.ids) for row in behaviors])) == set(WORLD.split_of)
