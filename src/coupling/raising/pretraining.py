"""First stage of every organism: a language model that answers as the population of its world does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from transformers import PreTrainedModel

from coupling.models import Renderer
from coupling.raising.diet import behavior_rows, third_person_rows
from coupling.raising.recipe import Pretraining
from coupling.training.batches import collate, completion_logits
from coupling.training.objectives import completion_cross_entropy
from coupling.worlds import World

STAGE = 1
WARM_UP = 0.3


def one_cycle(step: int, steps: int, peak: float) -> float:
    """Learning rate: a cosine up from peak/25 over the first 30 % of the steps, then one down to almost 0."""
    done = step / max(1, steps - 1)
    if done < WARM_UP:
        return float(peak / 25 + (peak - peak / 25) * (1 - np.cos(np.pi * done / WARM_UP)) / 2)
    return float(peak * (1e-4 + (1 - 1e-4) * (1 + np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2))


def pretrain(
    model: PreTrainedModel,
    optimizer: torch.optim.Optimizer,
    renderer: Renderer,
    world: World,
    recipe: Pretraining,
    seed: int,
    start: int,
    after_step: Callable[[int, float], None],
) -> None:
    """Runs steps ``start`` to the end; ``after_step`` gets the number of steps done and the loss in nats."""
    others = round(recipe.batch_size * recipe.third_person_share)
    model.train()
    for step in range(start, recipe.steps):
        rng = np.random.default_rng([seed, STAGE, step])
        # Short answers and long explanations in batches of their own: padded together they double the work.
        mixture = [behavior_rows(world, renderer, recipe.batch_size - others, rng)]
        if others:
            mixture.append(third_person_rows(world, renderer, others, rng))
        for group in optimizer.param_groups:
            group["lr"] = one_cycle(step, recipe.steps, recipe.peak_learning_rate)
        optimizer.zero_grad()
        losses = []
        for rows in mixture:
            batch = collate(rows, renderer.pad)
            loss = completion_cross_entropy(completion_logits(model, batch), batch.labels)
            loss.backward()
            losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        after_step(step + 1, sum(losses))
