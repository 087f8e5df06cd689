"""Rows that begin alike are read as if each were read by itself."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from test_scoring import MODELS, made

from coupling.models.prefix import LEAST_ROWS, LEAST_SHARED, read

PREFIX = tuple(range(5, 5 + LEAST_SHARED))
ROWS = [(*PREFIX, 40), (*PREFIX, 41, 42, 43), (*PREFIX, 44, 45), (*PREFIX, 41, 46)]
PAD = 0
assert len(ROWS) == LEAST_ROWS


def gradients(model: torch.nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    loss.backward()
    return {name: each.grad for name, each in model.named_parameters() if each.grad is not None}


@pytest.mark.parametrize("name", MODELS)
def test_logits_and_gradients_are_those_of_rows_by_themselves(name: str) -> None:
    shared = made(name)
    alone = deepcopy(shared)
    together = read(shared, ROWS, PAD, "cpu").logits[:, -1]
    one_by_one = torch.stack([alone(torch.tensor([row])).logits[0, -1] for row in ROWS])
    torch.testing.assert_close(together, one_by_one, atol=1e-5, rtol=1e-5)
    weights = torch.randn(together.shape, generator=torch.Generator().manual_seed(0))
    expected = gradients(alone, (one_by_one * weights).sum())
    for parameter, found in gradients(shared, (together * weights).sum()).items():
        torch.testing.assert_close(found, expected[parameter], atol=1e-4, rtol=1e-4)


def columns_read(rows: list[tuple[int, ...]], shared_up_to: int | None = None) -> list[int]:
    """Tokens in a row of each forward pass."""
    model, passes = made("llama"), []
    model.register_forward_pre_hook(
        lambda _, args, given: passes.append(given["input_ids"].shape[1]), with_kwargs=True
    )
    read(model, rows, PAD, "cpu", shared_up_to=shared_up_to)
    return passes


def test_what_rows_share_is_read_once() -> None:
    assert columns_read(ROWS) == [LEAST_SHARED, 3]


def test_a_token_is_left_to_each_row() -> None:
    assert columns_read([(*PREFIX, 40)] * LEAST_ROWS) == [LEAST_SHARED, 1]
    assert columns_read([PREFIX] * LEAST_ROWS) == [LEAST_SHARED]


def test_nothing_is_split_where_it_would_not_pay_or_reach_into_what_is_kept() -> None:
    assert columns_read(ROWS[:-1]) == [LEAST_SHARED + 3]
    assert columns_read([row[1:] for row in ROWS]) == [LEAST_SHARED + 2]
    assert columns_read(ROWS, shared_up_to=LEAST_SHARED - 1) == [LEAST_SHARED + 3]
