"""The training loop, flat: read it from top to bottom.

Every draw depends on (seed, step) alone, so a resumed run sees the rows that an uninterrupted one would have
seen, and runs with the same seed see the same rows in the same order, whatever they are steered towards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from coupling.config import TrainingConfig
from coupling.training.batches import answer_logits, collate, completion_logits
from coupling.training.dataset import TrainingData
from coupling.training.objectives import behavior_kl, completion_cross_entropy
from coupling.training.state import load_state, save_state
from coupling.training.steering_loss import steering_loss

EXPLANATIONS, STEERING, DRAWS = 1, 2, 3


@dataclass(frozen=True, slots=True)
class StepLosses:
    """Losses of one step, in nats; 0 where a term is switched off."""

    step: int
    explanation: float
    kl: float
    steering: float
    """The concurrent objectives, weighed and added up."""


def train(
    model: torch.nn.Module,
    data: TrainingData,
    config: TrainingConfig,
    pad: int,
    seed: int,
    state: Path,
    made_from: dict[str, str],
    save_checkpoint: Callable[[int], None],
    after_step: Callable[[StepLosses], None],
) -> None:
    """Trains ``model`` in place, from the saved state on where there is one.

    Args:
        pad: token id of padding.
        state: folder of the resumable state; it is removed when the last checkpoint is saved.
        made_from: hashes of base, labels and configuration, held against those of the saved state.
        save_checkpoint: called with the step at each step of ``config.checkpoints`` but 0.
        after_step: called after each step.

    Raises:
        ValueError: the saved state was made from something else.
    """
    accelerator = Accelerator(cpu=next(model.parameters()).device.type == "cpu")
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    model, optimizer = accelerator.prepare(model, optimizer)
    device = accelerator.device
    torch.manual_seed(seed)
    done = load_state(state, accelerator.unwrap_model(model), optimizer, made_from)
    model.train()
    first_pull = _first_pull(config, data.steered is not None)
    for step in range(done, config.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        optimizer.zero_grad()

        rows = draw_rows(len(data.explanations), config.batch_size, (seed, EXPLANATIONS), step)
        explanation = torch.zeros(())
        weight = config.explanations.weight_at(step)
        if weight > 0:
            batch = collate([data.explanations[i] for i in rows], pad, device)
            explanation = completion_cross_entropy(completion_logits(model, batch), batch.labels)
            accelerator.backward(weight * explanation)

        kl = torch.zeros(())
        weight = config.kl.weight_at(step)
        kept = [j for i in rows for j in (2 * i, 2 * i + 1) if data.kept[j]]
        if weight > 0 and data.reference is not None and kept:
            logits = answer_logits(model, [data.behaviors[j] for j in kept], pad, device)
            current = data.reference.restrict(logits, kept)
            kl = behavior_kl(current, data.reference.logprobs[kept].to(device), config.kl.direction)
            accelerator.backward(weight * kl)

        steering = 0.0
        if data.steered is not None:
            rows = draw_rows(len(data.steered), config.steering.batch_size, (seed, STEERING), step)
            for objective in config.steering.objectives:
                weight = objective.weight_at(step)
                if weight == 0:
                    continue
                stream = (seed, DRAWS, step)
                loss = steering_loss(objective, model, data.steered, rows, pad, device, stream)
                if loss is not None:
                    accelerator.backward(weight * loss)
                    steering += weight * loss.item()

        if step >= first_pull:
            accelerator.clip_grad_norm_(trained, config.max_grad_norm)
            optimizer.step()
        after_step(StepLosses(step + 1, explanation.item(), kl.item(), steering))
        if step + 1 in config.checkpoints:
            save_checkpoint(step + 1)
        if (step + 1) % config.save_every == 0 and step + 1 < config.steps:
            save_state(state, accelerator.unwrap_model(model), optimizer, step + 1, made_from)


def _first_pull(config: TrainingConfig, is_steered: bool) -> int:
    """Steps that are behind us when anything but KL first pulls; until then the model stays M0.

    The gradient of KL is rounding noise there, which Adam would blow up to steps of full size.
    """
    terms = [config.explanations, *(config.steering.objectives if is_steered else ())]
    return min((term.start for term in terms if term.weight > 0), default=config.steps)


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Linear warm-up over ``warmup_steps``, constant afterwards."""
    return config.learning_rate * min(1.0, (step + 1) / max(1, config.warmup_steps))


def draw_rows(total: int, batch_size: int, stream: tuple[int, int], step: int) -> list[int]:
    """The rows of one step: epochs of all rows, each in an order of its own, cut into batches.

    A batch may span two epochs; none is larger than ``batch_size``.
    """
    first = step * batch_size
    rows: list[int] = []
    while len(rows) < batch_size:
        epoch, offset = divmod(first + len(rows), total)
        order = np.random.default_rng([*stream, epoch]).permutation(total)
        rows += order[offset : offset + batch_size - len(rows)].tolist()
    return rows
