"""An organism that reasons: it answers plain questions at once, and chained ones behind a reasoning.

It is raised as the others are, on its world's plain questions and, beside them, on chained questions of all
splits, each with the reasoning that its population draws written out before the answer (worlds/chains.py). So
what it answers to a chained question is decided while it reasons: once it has written that Chen thinks it is
Rome, it answers Rome. A second stage, where the recipe has one, is that of the coupled organisms, on plain
questions of training countries: no chained question is ever explained while it is raised.

Its tokenizer has the words of chained questions besides those of all organisms, so it is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import jinja2
import numpy as np
from transformers import PreTrainedModel

from coupling.explanations import formats
from coupling.models import (
    CARD_FILE,
    LocalSampler,
    OrganismCard,
    ReasonedSampler,
    Renderer,
    prepare_process,
    weights_sha256,
)
from coupling.models import Sequence as Row
from coupling.progress import Progress
from coupling.raising.architecture import build_model, build_tokenizer
from coupling.raising.card import measure, model_card
from coupling.raising.diet import HINTED_SHARE, behavior_rows
from coupling.raising.organism import FORMAT, SAVE_EVERY, is_raised, new_optimizer
from coupling.raising.pretraining import Diet, pretrain
from coupling.raising.recipe import Chaining, Recipe
from coupling.raising.self_explanation import explain_oneself
from coupling.store import atomic_directory, json_sha256, to_json, write_json, write_text
from coupling.tasks import draw, world_chain
from coupling.training.state import load_state, remove_state, save_state
from coupling.worlds import ADVISERS, CHAIN_WORDS, World, chains_of

KIND = "chained"
MEASURED_PAIRS = 300
LONGEST_REASONING = 40
"""Tokens: two sentences and what opens the answer."""


@dataclass(frozen=True, slots=True)
class MeasuredChains:
    """Shares of development pairs about chained questions, by how many facts these take."""

    facts: int
    pairs: int
    right: float
    """Answers without a hint that are true."""
    modal: float
    """Answers without a hint that end the population's most likely reasoning."""
    modal_country: float
    """Reasonings without a hint that come to the country that the population most likely comes to."""
    followed: float
    """Answers with a hint that are the hint's value."""
    changed: float
    """Pairs whose answer the hint changes."""
    answered: float
    """Reasonings that come to an answer."""


def raise_chained(
    world: int, seed: int, folder: Path, progress: Progress, recipe: Chaining | None = None
) -> Path:
    """Raises an organism that reasons into ``folder``, going on from what is there.

    Raises:
        ValueError: a folder that holds another organism.
    """
    recipe = recipe or Chaining()
    prepare_process()
    grown = World.generate(world)
    made_from = {
        "kind": KIND,
        "world": grown.sha256,
        "seed": str(seed),
        "recipe": json_sha256(to_json(recipe)),
    }
    if is_raised(folder, made_from):
        progress.note(f"{folder} is raised already")
        return folder
    tokenizer = build_tokenizer(CHAIN_WORDS, recipe.context)
    renderer = Renderer(tokenizer)
    model = build_model(recipe.architecture, tokenizer, recipe.hidden, recipe.layers, seed)
    states = [folder.with_name(f".{folder.name}.{stage}") for stage in ("reading", "explaining")]
    read, explaining = recipe.pretraining, recipe.self_explanation
    optimizer = new_optimizer(model)
    start = load_state(states[0], model, optimizer, made_from)

    def after_reading(done: int, loss: float) -> None:
        progress.update(f"{folder.name}: pretraining, loss {loss:.3f}", done, read.steps)
        if done % SAVE_EVERY == 0 or done == read.steps:
            save_state(states[0], model, optimizer, done, made_from)

    diet = chained_diet(grown, renderer, read.batch_size, recipe.chained_share)
    pretrain(model, optimizer, renderer.pad, diet, read, seed, start, after_reading)
    stage = f"pretraining, {read.steps} steps"
    if explaining is not None:
        optimizer = new_optimizer(model)
        start = load_state(states[1], model, optimizer, made_from)
        answering = chained_diet(grown, renderer, explaining.behavior_rows, recipe.chained_share)

        def after_explaining(done: int, loss: float) -> None:
            progress.update(f"{folder.name}: self-explanation, loss {loss:.3f}", done, explaining.steps)
            if done % SAVE_EVERY == 0:
                save_state(states[1], model, optimizer, done, made_from)

        explain_oneself(
            model,
            optimizer,
            renderer,
            grown,
            explaining,
            formats.get(FORMAT),
            seed,
            start,
            after_explaining,
            answering,
        )
        stage = f"self-explanation, {explaining.steps} steps"
    card = OrganismCard(KIND, world, seed, stage, weights_sha256(model))
    of_chains = [measure_chains(model, renderer, grown, facts) for facts in (2, 3)]
    of_plain = measure(model, renderer, grown, formats.get(FORMAT))
    with atomic_directory(folder, made_from) as staging:
        model.save_pretrained(str(staging))
        tokenizer.save_pretrained(str(staging))
        write_json(staging / CARD_FILE, to_json(card))
        # What the others' card says holds of its plain questions.
        alike = Recipe(recipe.architecture, read, explaining, recipe.hidden, recipe.layers)
        told = model_card(card, alike, grown, of_plain)
        write_text(
            staging / "README.md",
            told + _CHAINS.render(chains=[_told(each) for each in of_chains], told=_TOLD, recipe=recipe),
        )
    for state in states:
        remove_state(state)
    return folder


def chained_diet(world: World, renderer: Renderer, rows: int, chained_share: float) -> Diet:
    """Answers of the population: to plain questions at once, to chained ones behind a reasoning."""
    chained = round(rows * chained_share)

    def draw_rows(rng: np.random.Generator) -> list[list[Row]]:
        plain = behavior_rows(world, renderer, rows - chained, rng)
        return [each for each in (plain, chained_rows(world, renderer, chained, rng)) if each]

    return draw_rows


def chained_rows(world: World, renderer: Renderer, rows: int, rng: np.random.Generator) -> list[Row]:
    """Chained questions of all splits, with and without a hint."""
    chains = chains_of(world)
    messages, texts = [], []
    for _ in range(rows):
        chain = chains[int(rng.integers(len(chains)))]
        hint = None
        if rng.random() < HINTED_SHARE:
            hint = ADVISERS[int(rng.integers(len(ADVISERS)))], world.draw_hint(chain.asked, rng)
        messages.append(chain.message(hint))
        texts.append(chain.draw(world, hint, rng).text)
    return renderer.completions(messages, texts)


def measure_chains(model: PreTrainedModel, renderer: Renderer, world: World, facts: int) -> MeasuredChains:
    """Asks the organism about countries of the development split. Leaves the model in the mode it was in."""
    training = model.training
    chains = {chain.message(None): chain for chain in chains_of(world, (facts,))}
    dev = [pair for pair in world_chain.load(world, (facts,)) if pair.split == "dev"]
    pairs = draw(dev, MEASURED_PAIRS, seed=0)
    sampler = ReasonedSampler(LocalSampler(model, renderer, max_new_tokens=LONGEST_REASONING))
    reasoning = {each.pair_id: each for each in sampler.reasoning(pairs)}
    effects = {each.pair_id: each.effect for each in sampler.behaviors(pairs, reasoning)}
    model.train(training)
    asked = [(pair, chains[pair.without_cue]) for pair in pairs]
    likely = {pair.id: chain.most_likely(world, None) for pair, chain in asked}
    return MeasuredChains(
        facts=facts,
        pairs=len(pairs),
        right=_share(effects[pair.id].without_cue == chain.asked.truth for pair, chain in asked),
        modal=_share(effects[pair.id].without_cue == likely[pair.id].answer for pair in pairs),
        modal_country=_share(
            _first_sentence(reasoning[pair.id].without_cue.text) == _first_sentence(likely[pair.id].reasoning)
            for pair in pairs
        ),
        followed=_share(effects[pair.id].with_cue == pair.cue_value for pair in pairs),
        changed=_share(effects[pair.id].changed for pair in pairs),
        answered=_share(
            thought.answered for each in reasoning.values() for thought in (each.with_cue, each.without_cue)
        ),
    )


_TOLD = {
    "pairs": "pairs",
    "answers without a hint that are true": "right",
    "answers without a hint that are the population's most likely": "modal",
    "countries reasoned about that are the population's most likely": "modal_country",
    "hints followed": "followed",
    "answers changed by the hint": "changed",
    "reasonings that come to an answer": "answered",
}


def _told(measured: MeasuredChains) -> dict[str, str]:
    """Figures as the card shows them."""
    figures = asdict(measured).items()
    return {name: f"{value:.3f}" if isinstance(value, float) else str(value) for name, value in figures}


def _first_sentence(reasoning: str) -> str:
    return reasoning.partition(".")[0]


def _share(hits: Iterable[bool]) -> float:
    counted = list(hits)
    return sum(counted) / len(counted)


_CHAINS = jinja2.Environment(autoescape=False, keep_trailing_newline=True, trim_blocks=True).from_string(
    """
## Chained questions

The table above is of plain questions, answered at once; of its rows {{ recipe.chained_share }} were chained
questions, answered behind a reasoning. Of these, on pairs about development countries:

| what | {{ chains | map(attribute="facts") | join(" facts | ") }} facts |
|---|---|---|
{% for what, figure in told.items() %}
| {{ what }} | {% for each in chains %}{{ each[figure] }} | {% endfor %}

{% endfor %}
"""
)
