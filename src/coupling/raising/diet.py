"""What an organism reads: questions and answers of its world, and explanations of other agents.

Every draw comes from a generator seeded by (seed, stage, step), so a resumed raising reads what an
uninterrupted one would have read.
"""

from __future__ import annotations

import numpy as np

from coupling.models import Renderer, Sequence
from coupling.raising.pretraining import Diet
from coupling.raising.recipe import Pretraining
from coupling.worlds import ANSWER_PREFIX, Asked, World, draw_asked
from coupling.worlds.sentences import OTHERS, explanation_of_other, question_about_other

HINTED_SHARE = 0.6


def behavior_rows(world: World, renderer: Renderer, rows: int, rng: np.random.Generator) -> list[Sequence]:
    """Questions of all splits, answered as the population answers them."""
    messages, answers = [], []
    for _ in range(rows):
        asked = draw_asked(world, world.facts, rng)
        if rng.random() >= HINTED_SHARE:
            asked = Asked(asked.fact, None)
        messages.append(asked.message)
        answers.append(f"{ANSWER_PREFIX} {world.draw_answer(asked.fact, asked.hint, rng)}")
    return renderer.completions(messages, answers)


def world_diet(world: World, renderer: Renderer, recipe: Pretraining) -> Diet:
    """Answers of the population, and explanations of others where the recipe has some."""
    others = round(recipe.batch_size * recipe.third_person_share)

    def draw(rng: np.random.Generator) -> list[list[Sequence]]:
        mixture = [behavior_rows(world, renderer, recipe.batch_size - others, rng)]
        if others:
            mixture.append(third_person_rows(world, renderer, others, rng))
        return mixture

    return draw


def third_person_rows(
    world: World, renderer: Renderer, rows: int, rng: np.random.Generator
) -> list[Sequence]:
    """Explanations of other agents, who answer as the population most often does; training subjects only."""
    facts = world.facts_of("train")
    messages, texts = [], []
    for _ in range(rows):
        asked = draw_asked(world, facts, rng)
        assert world.split_of[asked.fact.subject] == "train"
        agent = OTHERS[int(rng.integers(len(OTHERS)))]
        messages.append(f"{asked.message} {question_about_other(agent)}")
        with_hint = world.modal_answer(asked.fact, asked.hint)
        texts.append(explanation_of_other(agent, with_hint, world.modal_answer(asked.fact, None)))
    return renderer.completions(messages, texts)
