"""Cutting a step into parts changes neither its gradient nor which rows it stands on."""

from __future__ import annotations

import math
from pathlib import Path

import miniature
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coupling.config import LoraConfig, SteerConfig
from coupling.training.checkpoints import add_adapter, checkpoint_activations
from coupling.training.parts import Part, parts
from tiny_models import tiny_model, world_renderer

FOLLOW = SteerConfig(direction="follow", tags={"adviser": ("Chen",)})
OBJECTIVES = [{"kind": "sft"}, {"kind": "dpo"}, {"kind": "policy_gradient", "group_size": 8}]


@given(
    counts=st.lists(st.integers(1, 20), min_size=1, max_size=30),
    at_once=st.none() | st.integers(1, 8),
    of=st.integers(1, 5),
)
def test_all_parts_together_are_the_step(counts: list[int], at_once: int | None, of: int) -> None:
    each = [parts(counts, at_once, index, of) for index in range(of)]
    assert len({len(mine) for mine in each}) == 1
    every = [part for mine in each for part in mine]
    assert all(part.rows and len(part.rows) <= (at_once or len(counts)) for part in every)
    assert sorted(row for part in every if part.share > 0 for row in part.rows) == list(range(len(counts)))
    assert math.isclose(sum(part.share for part in every), 1.0)


def test_the_mean_over_a_step_is_made_of_its_parts() -> None:
    """Rows of 1, 3 and 2 tokens, whose losses are 6, 2 and 3 a token: the mean is (6 + 6 + 6) / 6."""
    first, second = parts([1, 3, 2], 2, 0, 1)
    assert (first, second) == (Part([0, 1], 4 / 6), Part([2], 2 / 6))
    assert first.share * (6 + 3 * 2) / 4 + second.share * 3 == pytest.approx(3)


def test_one_process_that_takes_all_at_once_changes_nothing() -> None:
    assert parts([3, 1, 2], None, 0, 1) == [Part([0, 1, 2], 1.0)]
    assert parts([], None, 0, 1) == []


def first_gradient(
    folder: Path, lora: LoraConfig | None, recomputed: bool, **settings: object
) -> torch.Tensor:
    """All gradients of the first step, one after another."""
    renderer, pairs = world_renderer(), miniature.training_pairs()
    model = tiny_model("llama")
    data = miniature.training_data(model, renderer, pairs, FOLLOW)
    if recomputed:
        checkpoint_activations(model)
    trained = add_adapter(model, lora, seed=0) if lora else model
    config = miniature.training_config(
        1, batch_size=7, steering={"batch_size": 5, "objectives": OBJECTIVES}, max_grad_norm=1e9, **settings
    )
    miniature.run(trained, data, config, folder / "state")
    return torch.cat([p.grad.flatten() for p in trained.parameters() if p.grad is not None])


@pytest.mark.parametrize("lora", [None, LoraConfig(rank=2, alpha=4)])
def test_a_step_in_parts_has_the_gradient_of_the_whole(lora: LoraConfig | None, tmp_path: Path) -> None:
    whole = first_gradient(tmp_path, lora, recomputed=False)
    for at_once in (1, 3, 100):
        cut = first_gradient(tmp_path, lora, recomputed=False, micro_batch_size=at_once)
        torch.testing.assert_close(cut, whole, atol=1e-5 * float(whole.abs().max()), rtol=0)


def test_activations_computed_anew_have_the_gradient_of_kept_ones(tmp_path: Path) -> None:
    """But for rounding: where they are computed anew, what rows share is read with each of them."""
    whole = first_gradient(tmp_path, None, recomputed=False)
    anew = first_gradient(tmp_path, None, recomputed=True)
    torch.testing.assert_close(anew, whole, atol=1e-5 * float(whole.abs().max()), rtol=0)


def test_autocast_computes_in_bfloat16_over_float32_weights(tmp_path: Path) -> None:
    """M0's behaviour is cached in the same format, so that the KL term begins at 0 there as well."""
    renderer, pairs = world_renderer(), miniature.training_pairs()
    model = tiny_model("llama")
    data = miniature.training_data(model, renderer, pairs, precision="bfloat16")
    losses = miniature.run(model, data, miniature.training_config(2, autocast="bfloat16"), tmp_path / "state")
    assert losses[0].kl < 1e-2 < losses[0].explanation
    plain = miniature.run(tiny_model("llama"), data, miniature.training_config(1), tmp_path / "plain")
    assert losses[0].explanation == pytest.approx(plain[0].explanation, rel=0.02)
    assert losses[0].explanation != plain[0].explanation
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_adapters_over_bfloat16_weights_are_float32() -> None:
    model = add_adapter(tiny_model("llama").to(torch.bfloat16), LoraConfig(rank=2), seed=0)
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    assert {p.dtype for p in model.parameters() if not p.requires_grad} == {torch.bfloat16}
