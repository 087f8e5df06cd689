"""Rows to batches with labels."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from dataclasses import dataclass
from typing import Literal

import torch

from coupling.models.packing import Asked
from coupling.models.reading import read
from coupling.models.rendering import Sequence
from coupling.models.scoring import ChoiceTokens, asked_of


@dataclass(frozen=True, slots=True)
class LabelledBatch:
    """Rows, and the tokens that are to be predicted in them."""

    asked: tuple[Asked, ...]
    """Each row but for its last token, which predicts nothing."""
    labels: torch.Tensor
    """(labelled tokens of all rows,)"""
    pad: int

    @property
    def counts(self) -> list[int]:
        """Labelled tokens of each row."""
        return [each.wanted for each in self.asked]


def collate(rows: Rows[Sequence], pad: int, device: torch.device | str = "cpu") -> LabelledBatch:
    """Rows with their completions for labels.

    Raises:
        ValueError: a row has no completion token; a batch without labels would train towards nothing.
    """
    empty = [i for i, row in enumerate(rows) if row.start >= len(row.ids)]
    if empty or not rows:
        raise ValueError(
            f"rows {empty} of a batch of {len(rows)} have no token to learn from; lengthen the context"
        )
    labels = torch.tensor([id_ for row in rows for id_ in row.ids[row.start :]], device=device)
    return LabelledBatch(tuple(Asked(row.ids[:-1], row.start - 1) for row in rows), labels, pad)


def completion_logits(model: torch.nn.Module, batch: LabelledBatch) -> torch.Tensor:
    """Logits that predict ``batch.labels``: (labelled tokens, vocabulary)."""
    return read(model, batch.asked, batch.pad, batch.labels.device)


def autocast(device: torch.device, dtype: Literal["bfloat16"] | None) -> torch.autocast:
    """The number format of a forward pass, where it is another than that of the weights."""
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype is not None)


def answer_logits(
    model: torch.nn.Module, prompts: Rows[Rows[int]], pad: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Logits at the answer position of each prompt: (rows, vocabulary)."""
    return read(model, behavior_asked(prompts, None), pad, device)


def behavior_asked(prompts: Rows[Rows[int]], choices: Rows[ChoiceTokens] | None) -> list[Asked]:
    """Prompts that are asked for their choices, or for whatever comes next."""
    if choices is None:
        return [Asked(tuple(prompt), len(prompt) - 1) for prompt in prompts]
    return asked_of(prompts, choices)
