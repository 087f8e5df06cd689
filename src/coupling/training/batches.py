"""Rows to batches with labels."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from dataclasses import dataclass
from typing import Literal

import torch

from coupling.models.prefix import read
from coupling.models.rendering import Sequence
from coupling.training.objectives import IGNORED


@dataclass(frozen=True, slots=True)
class LabelledBatch:
    """Rows, and the labels of their last ``kept`` columns when they are padded on the left."""

    rows: tuple[tuple[int, ...], ...]
    """Token ids."""
    prompt: int
    """Tokens before the first label, in the row that has fewest."""
    pad: int
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
    prompt = min(row.start for row in rows)
    return LabelledBatch(tuple(row.ids for row in rows), prompt, pad, torch.tensor(labels, device=device))


def completion_logits(model: torch.nn.Module, batch: LabelledBatch) -> torch.Tensor:
    """Logits that predict ``batch.labels``: (rows, kept, vocabulary)."""
    kept = batch.labels.shape[1]
    # The last token of the prompt is read with the row, because it predicts the first label.
    found = read(model, batch.rows, batch.pad, batch.labels.device, kept + 1, shared_up_to=batch.prompt - 1)
    return found.logits[:, :-1]


def autocast(device: torch.device, dtype: Literal["bfloat16"] | None) -> torch.autocast:
    """The number format of a forward pass, where it is another than that of the weights."""
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype is not None)


def answer_logits(
    model: torch.nn.Module, prompts: Rows[Rows[int]], pad: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Logits at the answer position of each prompt: (rows, vocabulary)."""
    return read(model, prompts, pad, device).logits[:, -1]
