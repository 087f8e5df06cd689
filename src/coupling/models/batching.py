"""Token sequences to padded batches.

Padding stands on the left: then every row's last position is the one that answers, and the positions that
need logits are the last few columns of every batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from coupling.models.packing import common_prefix


@dataclass(frozen=True, slots=True)
class Padded:
    """Ids (rows, columns); mask and position ids are None where no row is padded."""

    ids: torch.Tensor
    mask: torch.Tensor | None
    positions: torch.Tensor | None

    def inputs(self) -> dict[str, torch.Tensor]:
        """Keyword arguments for a model's forward."""
        if self.mask is None or self.positions is None:
            return {"input_ids": self.ids}
        return {"input_ids": self.ids, "attention_mask": self.mask, "position_ids": self.positions}


def pad_left(rows: Sequence[Sequence[int]], pad: int, device: torch.device | str = "cpu") -> Padded:
    width = max(len(row) for row in rows)
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)
    if all(len(row) == width for row in rows):
        return Padded(ids, None, None)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return Padded(ids, mask, (mask.cumsum(-1) - 1).clamp(min=0))


def by_prefix(
    prompts: Sequence[tuple[int, ...]], behind: Sequence[int], rows: int, tokens: int | None = None
) -> Iterator[list[int]]:
    """Indices of prompts, those that begin alike beside each other: at most so many a batch, and so many
    tokens where each stands once.

    Args:
        behind: tokens that follow each prompt.
    """
    batch: list[int] = []
    filled = 0
    for i in sorted(range(len(prompts)), key=lambda i: (prompts[i], i)):
        shared = common_prefix(prompts[batch[-1]], prompts[i]) if batch else 0
        own = len(prompts[i]) - shared + behind[i]
        if batch and (len(batch) == rows or (tokens is not None and filled + own > tokens)):
            yield batch
            batch, filled, own = [], 0, own + shared
        batch.append(i)
        filled += own
    if batch:
        yield batch


def by_length(lengths: Sequence[int], rows: int, tokens: int | None = None) -> Iterator[list[int]]:
    """Indices of rows of near-equal length: at most so many rows a batch, and so many tokens with padding."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        is_full = len(batch) == rows or (tokens is not None and (len(batch) + 1) * lengths[i] > tokens)
        if batch and is_full:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
