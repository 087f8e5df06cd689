"""The cross-entropy of explanations, and the anchor on the inputs they are about, on a batch of rows."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from typing import Literal

import torch

from coupling.models import Sequence
from coupling.models.reading import read, reads_trees
from coupling.models.scoring import scores_of
from coupling.training.batches import LabelledBatch, behavior_asked, collate, completion_logits
from coupling.training.dataset import TrainingData, behavior_scores
from coupling.training.objectives import behavior_kl, completion_cross_entropy


def explanation_losses(
    model: torch.nn.Module,
    explained: Rows[Sequence],
    data: TrainingData,
    kept: Rows[int],
    direction: Literal["forward", "reverse"],
    pad: int,
    device: torch.device,
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Cross-entropy of explanations, and KL on inputs whose behaviour is to be kept, in nats.

    None stands for the loss of no rows.

    Args:
        kept: which of ``data.behaviors`` the divergence stands on; none where ``data.reference`` is None.
    """
    batch = collate(explained, pad, device) if explained else None
    logits, scores = _read(model, batch, data, kept, pad, device)
    cross_entropy = divergence = None
    if batch is not None and logits is not None:
        cross_entropy = completion_cross_entropy(logits, batch.labels)
    if data.reference is not None and scores is not None:
        reference = data.reference.logprobs[list(kept)].to(device)
        divergence = behavior_kl(scores, reference, direction)
    return cross_entropy, divergence


def _read(
    model: torch.nn.Module,
    batch: LabelledBatch | None,
    data: TrainingData,
    kept: Rows[int],
    pad: int,
    device: torch.device,
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """`completion_logits` of a batch and `behavior_scores` of the inputs kept.

    An explanation begins with the input it is about, so models that read trees take both in one pass.
    """
    if data.reference is None or not kept:
        return None if batch is None else completion_logits(model, batch), None
    prompts, width = [data.behaviors[j] for j in kept], data.reference.logprobs.shape[1]
    choices = None if data.reference.choices is None else [data.reference.choices[j] for j in kept]
    if batch is not None:
        answers = behavior_asked(prompts, choices)
        if reads_trees(model, [*batch.asked, *answers], pad, device):
            found = read(model, [*batch.asked, *answers], pad, device)
            logits, of_answers = found[: len(batch.labels)], found[len(batch.labels) :]
            return logits, of_answers if choices is None else scores_of(of_answers, choices, width)
    scores = behavior_scores(model, prompts, choices, width, pad, device)
    return None if batch is None else completion_logits(model, batch), scores
