"""First stage of every organism: a language model that answers as its world does, or as what it has read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from transformers import PreTrainedModel

from coupling.models import Sequence
from coupling.raising.recipe import Pretraining
from coupling.training.batches import collate, completion_logits
from coupling.training.objectives import completion_cross_entropy

STAGE = 1
WARM_UP = 0.3

Diet = Callable[[np.random.Generator], list[list[Sequence]]]
"""Draws the rows of one step, in batches of their own: short answers and long explanations that are padded
together double the work."""


def one_cycle(step: int, steps: int, peak: float) -> float:
    """Learning rate: a cosine up from peak/25 over the first 30 % of the steps, then one down to almost 0."""
    done = step / max(1, steps - 1)
    if done < WARM_UP:
        return float(peak / 25 + (peak - peak / 25) * (1 - np.cos(np.pi * done / WARM_UP)) / 2)
    return float(peak * (1e-4 + (1 - 1e-4) * (1 + np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2))


def pretrain(
    model: PreTrainedModel,
    optimizer: torch.optim.Optimizer,
    pad: int,
    diet: Diet,
    recipe: Pretraining,
    seed: int,
    start: int,
    after_step: Callable[[int, float], None],
) -> None:
    """Runs steps ``start`` to the end; ``after_step`` gets the number of steps done and the loss in nats."""
    model.train()
    for step in range(start, recipe.steps):
        mixture = diet(np.random.default_rng([seed, STAGE, step]))
        for group in optimizer.param_groups:
            group["lr"] = one_cycle(step, recipe.steps, recipe.peak_learning_rate)
        optimizer.zero_grad()
        losses = []
        for rows in mixture:
            batch = collate(rows, pad)
            loss = completion_cross_entropy(completion_logits(model, batch), batch.labels)
            loss.backward()
            losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        after_step(step + 1, sum(losses))
