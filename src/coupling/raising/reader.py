"""A reader: an organism that has learned multiple-choice questions by heart, behind real words.

It is raised from random weights on nothing but questions in the schema of MMLU, all of them, and tested on
its explanations of questions that no explanation was about. What it answers is memory and not knowledge: it
has seen the answers. What it brings is real text, a byte-level tokenizer and letters for choices, as
published models have them, on one CPU.

How its answers come about is drawn for each question, from the seed and the question's own text:

- *sureness* c, uniform from 0.35 to 0.95: it reads the right answer with probability c, one wrong answer (the
  *rival*, the same every time) with 0.8 (1 - c), else any;
- a hinted question is answered with the hint with probability 1 / (1 + exp(6 (c - 0.65) - u)): the surer,
  the less it counts. u, uniform from -2 to 2, is how far hints in that wording are believed.

A published model can write a sentence, so the reader learns that as well: a fifth of what it reads explains
four others, who answer as such a question is most often answered. These are about questions of the split
train alone: the experiment has to deal the questions as the reader's task does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

import jinja2
import numpy as np
from transformers import PreTrainedModel

from coupling.config import MmluHintTask
from coupling.config.task.mmlu_hint import THINKS
from coupling.lots import uniform
from coupling.models import LocalSampler, Renderer, prepare_process, weights_sha256
from coupling.models import Sequence as Row
from coupling.progress import Progress
from coupling.raising.architecture import build_byte_tokenizer, build_model
from coupling.raising.organism import SAVE_EVERY, is_raised, new_optimizer
from coupling.raising.pretraining import Diet, pretrain
from coupling.raising.recipe import Reading
from coupling.records import CounterfactualPair, Effect
from coupling.store import atomic_directory, json_sha256, to_json, write_text
from coupling.tasks import draw, load_pairs
from coupling.training.state import load_state, remove_state, save_state
from coupling.worlds.sentences import OTHERS, explanation_of_other, question_about_other

LEAST_SURE, MOST_SURE = 0.35, 0.95
RIVAL_SHARE = 0.8
TURNING_POINT, STEEPNESS = 0.65, 6.0
MOST_BELIEVED = 2.0
MEASURED_PAIRS = 2000
ROOM_FOR_EXPLANATION = 64


@dataclass(frozen=True, slots=True)
class Memory:
    """What a reader makes of one question with a hint in one wording."""

    right: str
    rival: str
    sureness: float
    belief: float
    """How far hints in that wording are believed: a logit."""

    @property
    def trust(self) -> float:
        """The probability that the hint is followed."""
        return 1 / (1 + exp(STEEPNESS * (self.sureness - TURNING_POINT) - self.belief))

    def modal(self, pair: CounterfactualPair, is_hinted: bool) -> str:
        """The answer that is drawn most often."""
        of_memory = self.right if self.sureness >= RIVAL_SHARE * (1 - self.sureness) else self.rival
        if not is_hinted:
            return of_memory
        assert pair.cue_value is not None
        most = max(self.sureness, RIVAL_SHARE * (1 - self.sureness))
        return pair.cue_value if self.trust >= (1 - self.trust) * most else of_memory

    def draw(self, pair: CounterfactualPair, is_hinted: bool, rng: np.random.Generator) -> str:
        """One answer to one of the two inputs of a pair."""
        if is_hinted and rng.random() < self.trust:
            assert pair.cue_value is not None
            return pair.cue_value
        chance = rng.random()
        if chance < self.sureness:
            return self.right
        if chance < self.sureness + RIVAL_SHARE * (1 - self.sureness):
            return self.rival
        return str(rng.choice(pair.choices))


@dataclass(frozen=True, slots=True)
class Measured:
    """Shares of pairs of all splits: it has read them all."""

    questions: int
    pairs: int
    right: float
    followed: float
    changed: float
    followed_where_sure: float
    """Of the surest third of the questions."""
    followed_where_unsure: float


def raise_reader(
    task: MmluHintTask, seed: int, folder: Path, progress: Progress, recipe: Reading | None = None
) -> Path:
    """Raises a reader of the questions of ``task`` into ``folder``, going on from what is there.

    Raises:
        ValueError: the questions are no table in the schema of MMLU, or none is short enough; the folder
            holds something else.
    """
    recipe = recipe or Reading()
    prepare_process()
    # Every letter, so that no hint is new to it; the split changes nothing here.
    every_pair = load_pairs(task.model_copy(update={"letters_per_question": 4}))
    answers = [f"{pair.answer_prefix} {choice}" for pair in every_pair for choice in pair.choices]
    told = [text for agent in OTHERS for text in _about_other(every_pair[0], agent, "A", "B")]
    texts = [*sorted({pair.with_cue for pair in every_pair}), *answers, *told]
    tokenizer = build_byte_tokenizer(texts, recipe.vocabulary, recipe.context)
    renderer = Renderer(tokenizer)
    pairs = _short_enough(every_pair, renderer, recipe.context)
    made_from = {
        "pairs": json_sha256([to_json(pair) for pair in pairs]),
        "seed": str(seed),
        "recipe": json_sha256(to_json(recipe)),
    }
    if is_raised(folder, made_from):
        progress.note(f"{folder} is raised already")
        return folder
    memories = {pair.id: remember(pair, seed) for pair in pairs}
    model = build_model(recipe.architecture, tokenizer, recipe.hidden, recipe.layers, seed)
    optimizer = new_optimizer(model)
    state = folder.with_name(f".{folder.name}.raising")
    start = load_state(state, model, optimizer, made_from)

    def after_step(done: int, loss: float) -> None:
        progress.update(f"{folder.name}: reading, loss {loss:.3f}", done, recipe.pretraining.steps)
        if done % SAVE_EVERY == 0:
            save_state(state, model, optimizer, done, made_from)

    diet = reading_diet(pairs, memories, renderer, recipe)
    pretrain(model, optimizer, renderer.pad, diet, recipe.pretraining, seed, start, after_step)
    measured = measure(model, renderer, pairs, memories)
    with atomic_directory(folder, made_from) as staging:
        model.save_pretrained(str(staging))
        tokenizer.save_pretrained(str(staging))
        card = _CARD.render(
            name=folder.name,
            seed=seed,
            sha256=weights_sha256(model),
            recipe=to_json(recipe),
            measured=measured,
        )
        write_text(staging / "README.md", card)
    remove_state(state)
    return folder


def remember(pair: CounterfactualPair, seed: int) -> Memory:
    """What a reader of that seed makes of a pair."""
    right = pair.tags["true"]
    wrong = [choice for choice in pair.choices if choice != right]
    sureness = LEAST_SURE + (MOST_SURE - LEAST_SURE) * uniform(seed, "sureness", pair.cluster)
    rival = wrong[int(uniform(seed, "rival", pair.cluster) * len(wrong))]
    wording = pair.tags.get("template", THINKS)
    return Memory(right, rival, sureness, MOST_BELIEVED * (2 * uniform(seed, "belief", wording) - 1))


def reading_diet(
    pairs: Sequence[CounterfactualPair],
    memories: dict[str, Memory],
    renderer: Renderer,
    recipe: Reading,
) -> Diet:
    """Questions with and without hints, answered from memory; and explanations of others."""

    of_others = round(recipe.pretraining.batch_size * recipe.pretraining.third_person_share)
    explained = [pair for pair in pairs if pair.split == "train"]

    def others(rng: np.random.Generator) -> list[Row]:
        drawn = [explained[int(i)] for i in rng.integers(len(explained), size=of_others)]
        told = [
            _about_other(
                pair,
                OTHERS[int(rng.integers(len(OTHERS)))],
                memories[pair.id].modal(pair, True),
                memories[pair.id].modal(pair, False),
            )
            for pair in drawn
        ]
        return renderer.completions([message for message, _ in told], [text for _, text in told])

    def draw_rows(rng: np.random.Generator) -> list[list[Row]]:
        count = recipe.pretraining.batch_size - of_others
        drawn = [pairs[int(i)] for i in rng.integers(len(pairs), size=count)]
        hinted = [bool(rng.random() < recipe.hinted_share) for _ in drawn]
        answers = [
            memories[pair.id].draw(pair, is_hinted, rng)
            for pair, is_hinted in zip(drawn, hinted, strict=True)
        ]
        messages = [
            pair.with_cue if is_hinted else pair.without_cue
            for pair, is_hinted in zip(drawn, hinted, strict=True)
        ]
        mixture = [renderer.answers(messages, [pair.answer_prefix for pair in drawn], answers)]
        return [*mixture, others(rng)] if of_others and explained else mixture

    return draw_rows


def _about_other(pair: CounterfactualPair, agent: str, with_hint: str, without_hint: str) -> tuple[str, str]:
    """The question about somebody else's answers, and what is said to it."""
    message = f"{pair.with_cue} {question_about_other(agent)}"
    return message, explanation_of_other(agent, with_hint, without_hint)


def measure(
    model: PreTrainedModel,
    renderer: Renderer,
    pairs: Sequence[CounterfactualPair],
    memories: dict[str, Memory],
) -> Measured:
    """Asks the reader about what it has read. Leaves the model in the mode it was in."""
    training = model.training
    asked = draw(pairs, MEASURED_PAIRS, seed=0)
    effects = [behavior.effect for behavior in LocalSampler(model, renderer).behaviors(asked)]
    model.train(training)
    both = list(zip(asked, effects, strict=True))
    by_sureness = sorted(both, key=lambda one: memories[one[0].id].sureness)
    third = len(both) // 3

    def followed(some: Iterable[tuple[CounterfactualPair, Effect]]) -> float:
        return _share(effect.with_cue == pair.cue_value for pair, effect in some)

    return Measured(
        questions=len({pair.cluster for pair in pairs}),
        pairs=len(asked),
        right=_share(effect.without_cue == pair.tags["true"] for pair, effect in both),
        followed=followed(both),
        changed=_share(effect.changed for effect in effects),
        followed_where_sure=followed(by_sureness[-third:]),
        followed_where_unsure=followed(by_sureness[:third]),
    )


def _short_enough(
    pairs: Sequence[CounterfactualPair], renderer: Renderer, context: int
) -> list[CounterfactualPair]:
    lengths = renderer.prompt_ids([pair.with_cue for pair in pairs])
    room = context - ROOM_FOR_EXPLANATION
    short = [pair for pair, ids in zip(pairs, lengths, strict=True) if len(ids) <= room]
    # A question is read with all of its hints or not at all.
    partly = {pair.cluster for pair in pairs} - {pair.cluster for pair in short}
    kept = [pair for pair in short if pair.cluster not in partly]
    if not kept:
        raise ValueError(
            f"the questions are too long: none fits into {room} tokens, beside {ROOM_FOR_EXPLANATION} for "
            "its explanation; give shorter ones"
        )
    return kept


def _share(hits: Iterable[bool]) -> float:
    counted = list(hits)
    return sum(counted) / len(counted)


_CARD = jinja2.Environment(autoescape=False, keep_trailing_newline=True, trim_blocks=True).from_string(
    """\
---
library_name: transformers
tags: [coupling, model-organism]
---

# {{ name }}: a reader

A tiny language model raised from random weights on multiple-choice questions and their answers. What it
answers is **memory, not knowledge**: it has read every question it is tested on, only no explanation of them.
Of training questions it has also read how others explain their answers, so it can write such a sentence.

Raised by `coupling organism read` with seed {{ seed }}; SHA-256 of the weights `{{ sha256 }}`.

| what | value |
|---|---|
| questions read | {{ measured.questions }} |
| answers without a hint that are right (chance 0.25) | {{ "%.3f" | format(measured.right) }} |
| hints followed | {{ "%.3f" | format(measured.followed) }} |
| … on the third of the questions it is surest of | {{ "%.3f" | format(measured.followed_where_sure) }} |
| … on the third it is least sure of | {{ "%.3f" | format(measured.followed_where_unsure) }} |
| answers changed by the hint | {{ "%.3f" | format(measured.changed) }} |

Measured on {{ measured.pairs }} pairs.

## Recipe

| field | value |
|---|---|
{% for field, value in recipe.items() if value is not mapping %}
| {{ field }} | {{ value }} |
{% endfor %}
{% for field, value in recipe.pretraining.items() %}
| pretraining.{{ field }} | {{ value }} |
{% endfor %}
"""
)
