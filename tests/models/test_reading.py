"""Sequences read as trees are read as if each were read by itself."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from test_scoring import MODELS, made

from coupling.models.packing import MOST_COLUMNS, Asked, Cost, layout_of, pack
from coupling.models.reading import read, reads_trees

PAD = 0
LONG = tuple(range(5, 25))
ASKED = [
    Asked((*LONG, 40, 41), 20),
    Asked((*LONG, 40, 42, 43), 21),
    Asked(LONG, 19),
    Asked((*LONG[:12], 44, 45), 13),
    Asked((*LONG, 40, 41), 19),
    Asked((46, 47, 48), 0),
]
CHEAP_PAIRS = Cost(body=100, pair=1)
READS_NO_TREES = {"mamba", "gemma3 beyond its window"}


def one_by_one(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([model(torch.tensor([each.ids])).logits[0, each.first :] for each in ASKED])


def gradients(model: torch.nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    loss.backward()
    return {name: each.grad for name, each in model.named_parameters() if each.grad is not None}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_logits_and_gradients_are_those_of_sequences_by_themselves(name: str, attention: str) -> None:
    shared = made(name)
    if name != "mamba":
        shared.set_attn_implementation(attention)
    alone = deepcopy(shared)
    assert reads_trees(shared, ASKED, PAD, "cpu") is (name not in READS_NO_TREES)
    together, expected = read(shared, ASKED, PAD), one_by_one(alone)
    torch.testing.assert_close(together, expected, atol=1e-5, rtol=1e-5)
    weights = torch.randn(together.shape, generator=torch.Generator().manual_seed(0))
    of_alone = gradients(alone, (expected * weights).sum())
    for parameter, found in gradients(shared, (together * weights).sum()).items():
        torch.testing.assert_close(found, of_alone[parameter], atol=1e-3, rtol=1e-4)


def test_what_sequences_share_is_read_once() -> None:
    model, read_tokens = made("llama"), []
    assert reads_trees(model, ASKED, PAD, "cpu")
    model.register_forward_pre_hook(
        lambda _, args, given: read_tokens.append(given["input_ids"].numel()), with_kwargs=True
    )
    read(model, ASKED, PAD)
    different = 20 + 2 + 2 + 2 + 3
    (tokens,) = read_tokens
    assert different <= tokens < 1.5 * different < sum(len(each.ids) for each in ASKED)


def test_sequences_that_share_nothing_are_not_packed() -> None:
    assert layout_of([Asked((number, 1, 2), 2) for number in range(9)], Cost(body=1, pair=1)) is None


sequences = st.lists(st.integers(1, 3), min_size=1, max_size=9).flatmap(
    lambda ids: st.integers(0, len(ids) - 1).map(lambda first: Asked(tuple(ids), first))
)


@given(st.lists(sequences, min_size=2, max_size=12))
def test_each_token_sees_its_own_sequence_and_nothing_else(asked: list[Asked]) -> None:
    layout = layout_of(asked, CHEAP_PAIRS)
    assume(layout is not None)
    assert layout is not None
    packed = pack(asked, layout, PAD)
    columns, first_kept = layout.columns, layout.columns - packed.kept
    places = iter(packed.places.tolist())
    for each in asked:
        for at in range(each.first, len(each.ids)):
            tree, kept = divmod(next(places), packed.kept)
            seen = packed.sees[tree, 0, first_kept + kept].nonzero()[:, 0]
            by_depth = sorted(seen.tolist(), key=lambda column: packed.positions[tree, column].item())
            assert packed.positions[tree, by_depth].tolist() == list(range(at + 1))
            assert packed.ids[tree, by_depth].tolist() == list(each.ids[: at + 1])
    assert packed.ids.shape == (len(layout.trees), columns)
    assert len(layout.trees) * columns < len(asked) * max(len(each.ids) for each in asked)


def test_no_tree_is_longer_than_its_mask_may_be() -> None:
    beginning = tuple(range(1000))
    asked = [Asked((*beginning, number), 1000) for number in range(2000, 2100)]
    layout = layout_of(asked, CHEAP_PAIRS)
    assert layout is not None and layout.columns <= MOST_COLUMNS
    assert sorted(i for tree in layout.trees for i in tree) == list(range(100))
