"""The training loop, flat: read it from top to bottom.

Every draw depends on (seed, step) alone, so a resumed run sees the rows that an uninterrupted one would have
seen, and runs with the same seed see the same rows in the same order, whatever they are steered towards. Of
several processes each takes its part of these rows (``parts``), and gradients are summed (``sharding``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_

from coupling import ranks
from coupling.config import TrainingConfig
from coupling.models import Sequence
from coupling.models.finite import check_losses
from coupling.models.reading import base_of
from coupling.training.batches import autocast
from coupling.training.dataset import TrainingData
from coupling.training.explanation_loss import explanation_losses
from coupling.training.parts import Part, parts
from coupling.training.sharding import shard, sum_gradients
from coupling.training.state import load_state, save_state
from coupling.training.steering_loss import counts_of, rows_of, steering_loss

EXPLANATIONS, STEERING, DRAWS, DROPOUT = 1, 2, 3, 4
TERMS = ("explanation", "kl", "steering")


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
    renew: Callable[[int, int], list[Sequence]] | None = None,
) -> None:
    """Trains ``model`` in place, from the saved state on where there is one.

    Called by all processes that share the work; with FSDP2 ``model`` is sharded, and stays so.

    Args:
        pad: token id of padding.
        state: folder of the resumable state; it is removed when the last checkpoint is saved.
        made_from: hashes of base, labels and configuration, held against those of the saved state.
        save_checkpoint: called with the step at each step of ``config.checkpoints`` but 0, by every process.
        after_step: called after each step.
        renew: gives rows of explanations whose labels are made anew, as of one number of steps, when so many
            steps are behind the model; called as ``config.explanations`` says.

    Raises:
        ValueError: the saved state was made from something else, or a loss is no finite number.
    """
    device = next(model.parameters()).device
    if ranks.shards_weights():
        shard(model, torch.bfloat16 if config.autocast else None)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    torch.manual_seed(seed)
    done = load_state(state, model, optimizer, made_from)
    model.train()
    first_pull = _first_pull(config, data.steered is not None)
    explanations, renewed = data.explanations, None

    def cut(counts: list[int]) -> list[Part]:
        return parts(counts, config.micro_batch_size, ranks.index(), ranks.count())

    for step in range(done, config.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, config)
        optimizer.zero_grad()
        if ranks.count() > 1:
            # Dropout differs between processes, and a resumed one needs no generator's state.
            torch.manual_seed(_seed_of(seed, DROPOUT, step, ranks.index()))
        explanation = kl = steering = 0.0

        at = config.explanations.renewed_at(step)
        if renew is not None and at is not None and at != renewed:
            explanations, renewed = renew(at, step), at
            model.train()

        rows = draw_rows(len(explanations), config.batch_size, (seed, EXPLANATIONS), step)
        of_explanations, of_kl = config.explanations.weight_at(step), config.kl.weight_at(step)
        if of_explanations == 0:
            rows = [i for i in rows if of_kl > 0 and data.kept_inputs(i)]
        kept = [data.kept_inputs(i) if of_kl > 0 else [] for i in rows]
        every_kept = [j for of_row in kept for j in of_row]
        tokens = [len(explanations[i].ids) - explanations[i].start for i in rows]
        for part in cut(tokens if of_explanations > 0 else list(map(len, kept))):
            of_part = [j for at in part.rows for j in kept[at]] if part.share > 0 else []
            with autocast(device, config.autocast):
                explained, anchored = explanation_losses(
                    model,
                    [explanations[rows[at]] for at in part.rows] if of_explanations > 0 else [],
                    data,
                    # Processes that share weights take every pass together: one counts for nothing.
                    of_part or every_kept[:1],
                    config.kl.direction,
                    pad,
                    device,
                )
            kl_share = len(of_part) / max(1, len(every_kept))
            terms = [(of_explanations * part.share, explained), (of_kl * kl_share, anchored)]
            torch.stack([weight * loss for weight, loss in terms if loss is not None]).sum().backward()
            explanation += 0.0 if explained is None else part.share * explained.item()
            kl += 0.0 if anchored is None else kl_share * anchored.item()

        steered = data.undone if config.steering.is_undone_at(step) else data.steered
        if steered is not None:
            rows = draw_rows(len(steered), config.steering.batch_size, (seed, STEERING), step)
            for objective in config.steering.objectives:
                weight = objective.weight_at(step)
                if weight == 0:
                    continue
                stream = (seed, DRAWS, step)
                moved = rows_of(objective, steered, rows)
                for part in cut(counts_of(objective, steered, moved)):
                    with autocast(device, config.autocast):
                        loss = steering_loss(objective, model, steered, moved, part.rows, pad, device, stream)
                    (weight * part.share * loss).backward()
                    steering += weight * part.share * loss.item()

        if step >= first_pull:
            sum_gradients(trained)
            clip_grad_norm_(trained, config.max_grad_norm)
            optimizer.step()
        # Not checked before they are added up: all processes stop together, or the others would wait.
        totals = dict(zip(TERMS, ranks.total([explanation, kl, steering]), strict=True))
        check_losses(totals, step + 1, base_of(model))
        after_step(StepLosses(step + 1, **totals))
        if step + 1 in config.checkpoints:
            save_checkpoint(step + 1)
        if (step + 1) % config.save_every == 0 and step + 1 < config.steps:
            save_state(state, model, optimizer, step + 1, made_from)


def _first_pull(config: TrainingConfig, is_steered: bool) -> int:
    """Steps that are behind us when anything but KL first pulls; until then the model stays M0.

    The gradient of KL is rounding noise there, which Adam would blow up to steps of full size.
    """
    terms = [config.explanations, *(config.steering.objectives if is_steered else ())]
    return min((term.start for term in terms if term.weight > 0), default=config.steps)


def _seed_of(*stream: int) -> int:
    return int(np.random.SeedSequence(stream).generate_state(1)[0])


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
