"""Second stage of the coupled organisms: explaining oneself while being pushed about.

At each step, most of the time, the weights are first perturbed by a few gradient steps that steer
behaviour: towards following or ignoring one or two advisers, or towards the rival value of some subjects.
The perturbed model is asked how it answers *now*; its explanations are trained towards that, and the
gradient, taken at the perturbed weights, is applied to the unperturbed ones (a first-order
meta-gradient, as in first-order MAML: Finn, Abbeel and Levine 2017, arXiv 1703.03400). Beside it the model
goes on answering as its world does. What it can learn from this is to explain whatever it would answer,
rather than what it once answered.

No explanation is ever about a subject outside the training split.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from coupling.explanations.formats import ExplanationFormat
from coupling.models import LocalSampler, Renderer, explanation_message
from coupling.raising.diet import behavior_rows
from coupling.raising.pretraining import Diet
from coupling.raising.recipe import SelfExplanation
from coupling.records import CounterfactualPair
from coupling.tasks.world_hint import as_pair
from coupling.training.batches import collate, completion_logits
from coupling.training.objectives import completion_cross_entropy
from coupling.worlds import ADVISERS, ANSWER_PREFIX, Asked, Fact, World, draw_asked

STAGE = 2


@dataclass(frozen=True, slots=True)
class Push:
    """Where one perturbation steers behaviour; ``advisers`` are those whose hints it is about, if any."""

    kind: str
    advisers: tuple[str, ...] = ()
    subjects: frozenset[str] = frozenset()


def draw_push(world: World, recipe: SelfExplanation, rng: np.random.Generator) -> Push:
    kind = ("follow", "ignore", "move")[int(rng.integers(3))]
    if kind == "move":
        subjects = rng.permutation(sorted(world.split_of))[: recipe.moved_subjects]
        return Push(kind, subjects=frozenset(str(subject) for subject in subjects))
    count = int(rng.integers(1, 3))
    return Push(kind, advisers=tuple(str(name) for name in rng.permutation(ADVISERS)[:count]))


def push_rows(
    world: World, renderer: Renderer, push: Push, count: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Messages with the answers towards which the push goes."""
    facts = tuple(fact for fact in world.facts if not push.subjects or fact.subject in push.subjects)
    rows = []
    for _ in range(count):
        asked = draw_asked(world, facts, rng, push.advisers or ADVISERS)
        hint = asked.hint
        assert hint is not None
        if push.kind == "move":
            answer = asked.fact.rival
            asked = asked if rng.random() < 0.5 else Asked(asked.fact, None)
        elif push.kind == "follow":
            answer = hint[1]
        else:
            answer = world.modal_answer(asked.fact, None)
        rows.append((asked.message, f"{ANSWER_PREFIX} {answer}"))
    return rows


def perturb(
    model: PreTrainedModel,
    world: World,
    renderer: Renderer,
    push: Push,
    recipe: SelfExplanation,
    rng: np.random.Generator,
) -> None:
    """Steps down the push's loss; each tensor's gradient is scaled to a root mean square of 1."""
    size = float(rng.uniform(0, recipe.inner_step_size))
    low, high = recipe.inner_steps
    for _ in range(int(rng.integers(low, high + 1))):
        messages, answers = zip(*push_rows(world, renderer, push, recipe.inner_rows, rng), strict=True)
        batch = collate(renderer.completions(list(messages), list(answers)), renderer.pad)
        loss = completion_cross_entropy(completion_logits(model, batch), batch.labels)
        parameters = [p for p in model.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(size * gradient / gradient.square().mean().sqrt().clamp(min=1e-12))


def draw_pairs(
    world: World, facts: tuple[Fact, ...], push: Push | None, count: int, rng: np.random.Generator
) -> list[CounterfactualPair]:
    """Pairs to be explained, about training subjects; half of them about the advisers that were pushed."""
    assert all(world.split_of[fact.subject] == "train" for fact in facts)
    pairs = []
    for i in range(count):
        pushed = push.advisers if push is not None and i % 2 == 0 else ()
        pairs.append(as_pair(draw_asked(world, facts, rng, pushed or ADVISERS), "train"))
    return pairs


def explain_oneself(
    model: PreTrainedModel,
    optimizer: torch.optim.Optimizer,
    renderer: Renderer,
    world: World,
    recipe: SelfExplanation,
    format: ExplanationFormat,
    seed: int,
    start: int,
    after_step: Callable[[int, float], None],
    answering: Diet | None = None,
) -> None:
    """Runs steps ``start`` to the end; ``after_step`` gets the steps done and the explanations' loss.

    ``answering`` is what the model goes on answering; by default the questions of its world.
    """
    facts = world.facts_of("train")
    # The last bits decide close calls: batched otherwise, another organism grows up than the shipped one.
    sampler = LocalSampler(model, renderer, whole_batches=True)
    decay_from = recipe.steps * (1 - recipe.decay_share)
    for step in range(start, recipe.steps):
        rng = np.random.default_rng([seed, STAGE, step])
        optimizer.zero_grad()
        unperturbed = [p.detach().clone() for p in model.parameters()]
        push = None
        if rng.random() < recipe.perturb_probability:
            push = draw_push(world, recipe, rng)
            perturb(model, world, renderer, push, recipe, rng)
        pairs = draw_pairs(world, facts, push, recipe.explanation_rows, rng)
        behaviors = sampler.behaviors(pairs)
        texts = [format.render(b.effect, p.cue) for b, p in zip(behaviors, pairs, strict=True)]
        model.train()
        messages = [explanation_message(pair, format) for pair in pairs]
        batch = collate(renderer.completions(messages, texts), renderer.pad)
        explained = completion_cross_entropy(completion_logits(model, batch), batch.labels)
        explained.backward()
        with torch.no_grad():
            for parameter, before in zip(model.parameters(), unperturbed, strict=True):
                parameter.copy_(before)
        mixture = answering(rng) if answering else [behavior_rows(world, renderer, recipe.behavior_rows, rng)]
        for rows in mixture:
            batch = collate(rows, renderer.pad)
            answered = completion_cross_entropy(completion_logits(model, batch), batch.labels)
            answered.backward()
        for group in optimizer.param_groups:
            left = (recipe.steps - step) / (recipe.steps - decay_from)
            group["lr"] = recipe.learning_rate * min(1.0, left)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        after_step(step + 1, explained.item())
