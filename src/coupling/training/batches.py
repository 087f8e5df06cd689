"""Rows to batches with labels."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from dataclasses import dataclass
from typing import Literal

import torch

from coupling.models.batching import Padded, pad_left
from coupling.models.rendering import Sequence
from coupling.training.objectives import IGNORED


@dataclass(frozen=True, slots=True)
class LabelledBatch:
    """A padded batch and the labels of its last ``kept`` columns."""

    padded: Padded
    labels: torch.Tensor
    """(rows, kept); ``IGNORED`` where a row's completion has not begun yet."""


def collate(rows: Rows[Sequence], pad: int, device: torch.device | str = "cpu") -> LabelledBatch:
    """Pads on the left, so that all completions end in the last column and few positions need logits.

    Raises:
        ValueError: a row has no completion token; a batch without labels would train towards nothing.
    """
    empty = [i for i, row in enumerate(rows) if row.start >= len(row.ids)]
    if empty or not rows:
        raise ValueError(
            f"rows {empty} of a batch of {len(rows)} have no token to learn from; lengthen the context"
        )
    kept = max(len(row.ids) - row.start for row in rows)
    labels = [[IGNORED] * (kept - (len(row.ids) - row.start)) + list(row.ids[row.start :]) for row in rows]
    padded = pad_left([row.ids for row in rows], pad, device)
    return LabelledBatch(padded, torch.tensor(labels, device=device))


def completion_logits(model: torch.nn.Module, batch: LabelledBatch) -> torch.Tensor:
    """Logits that predict ``batch.labels``: (rows, kept, vocabulary)."""
    kept = batch.labels.shape[1]
    output = model(**batch.padded.inputs(), logits_to_keep=kept + 1, use_cache=False)
    logits: torch.Tensor = output.logits[:, :-1]
    return logits


def autocast(device: torch.device, dtype: Literal["bfloat16"] | None) -> torch.autocast:
    """The number format of a forward pass, where it is another than that of the weights."""
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype is not None)


def answer_logits(
    model: torch.nn.Module, prompts: Rows[Rows[int]], pad: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Logits at the answer position of each prompt: (rows, vocabulary)."""
    batch = pad_left(prompts, pad, device)
    logits: torch.Tensor = model(**batch.inputs(), logits_to_keep=1, use_cache=False).logits[:, -1]
    return logits
