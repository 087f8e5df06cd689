"""One forward pass over token sequences, of which only some positions are asked.

Where a model can read trees of sequences (``packing``) and that is cheaper, it does: what sequences share is
computed once. Else they are rows padded on the left. Whether it can is seen by trying it on two short
sequences, once a model: it takes a mask of one's own, and what it then says is what it says of them alone.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from coupling.models.batching import pad_left
from coupling.models.packing import Asked, Cost, Packed, Plan, pack, plan_of

MASKS = {"sdpa", "eager"}
"""Implementations of attention that take a mask for each two tokens."""
_CLOSE = 1e-2
"""Of the logits' spread, by which both ways may differ in the trial: bfloat16 rounds so much."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How a model can read."""

    cost: Cost
    packs: bool
    window: int | None
    """Tokens that its narrowest layer sees; None where all see everything."""


_readers: weakref.WeakKeyDictionary[PreTrainedModel, Reader] = weakref.WeakKeyDictionary()


def read(
    model: torch.nn.Module, asked: Sequence[Asked], pad: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Logits at the positions wanted, sequence by sequence: (wanted, vocabulary).

    Args:
        asked: token sequences; none is empty.
        pad: token id of padding.
    """
    if reads_trees(model, asked, pad, device):
        plan = plan_of(asked, _readers[_base(model)].cost)
        if plan is not None:
            return _read_packed(model, pack(asked, plan, pad), device)
    return _read_padded(model, asked, pad, device)


def reads_trees(model: torch.nn.Module, asked: Sequence[Asked], pad: int, device: torch.device | str) -> bool:
    """Whether a model can read these sequences as trees; tried once a model, on some of the tokens."""
    base = _base(model)
    if base not in _readers:
        _readers[base] = _tried(base, asked[0].ids, pad, device)
    reader = _readers[base]
    longest = max(len(each.ids) for each in asked)
    return reader.packs and (reader.window is None or longest <= reader.window)


def _base(model: torch.nn.Module) -> PreTrainedModel:
    base = model.get_base_model() if isinstance(model, PeftModel) else model
    assert isinstance(base, PreTrainedModel)
    return base


def cost_of(model: PreTrainedModel) -> Cost:
    """Of one forward pass; weights that are looked up and not multiplied with count for nothing."""
    described = model.config.get_text_config()
    looked_up = sum(each.weight.numel() for each in model.modules() if isinstance(each, torch.nn.Embedding))
    multiplied = sum(each.numel() for each in model.parameters()) - looked_up
    return Cost(max(1, multiplied), 2 * described.num_hidden_layers * described.hidden_size)


def may_read_trees(model: PreTrainedModel) -> bool:
    """Whether a model's class and its attention take a mask for each two tokens, and positions."""
    takes_positions = "position_ids" in inspect.signature(model.forward).parameters
    masks = model._supports_attention_backend and model.config._attn_implementation in MASKS
    return takes_positions and masks


def _tried(model: PreTrainedModel, some_ids: Sequence[int], pad: int, device: torch.device | str) -> Reader:
    cost = cost_of(model)
    if not may_read_trees(model):
        return Reader(cost, False, None)
    ids = [*some_ids[:6], *some_ids[:6]][:6]
    trial = [Asked((*ids, *ids), 5), Asked((*ids, *ids[::-1]), 5)]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        kept = model(input_ids=torch.tensor([trial[0].ids], device=device), use_cache=True)
        cache = kept.get("past_key_values")
        alone = _read_padded(model, trial, pad, device)
        layers = cache.layers if isinstance(cache, DynamicCache) else []
        windows = [each.sliding_window for each in layers if isinstance(each, DynamicSlidingWindowLayer)]
        is_known = bool(layers) and all(
            type(each) in (DynamicLayer, DynamicSlidingWindowLayer) for each in layers
        )
        if is_known:
            plan = Plan(((0, 1),), (0, 6), 18)
            together = _read_packed(model, pack(trial, plan, pad), device)
            is_known = bool((together - alone).abs().max() <= _CLOSE * alone.float().std())
    model.train(was_training)
    return Reader(cost, is_known, min(windows, default=None))


def _read_padded(
    model: torch.nn.Module, asked: Sequence[Asked], pad: int, device: torch.device | str
) -> torch.Tensor:
    batch = pad_left([each.ids for each in asked], pad, device)
    kept = max(each.wanted for each in asked)
    logits: torch.Tensor = model(**batch.inputs(), logits_to_keep=kept, use_cache=False).logits
    if all(each.wanted == kept for each in asked):
        return logits[:, -kept:].flatten(0, 1)
    return torch.cat([row[-each.wanted :] for row, each in zip(logits, asked, strict=True)])


def _read_packed(model: torch.nn.Module, packed: Packed, device: torch.device | str) -> torch.Tensor:
    sees = packed.sees.to(device)
    base = _base(model)
    if base.config._attn_implementation == "eager":
        hidden = torch.finfo(base.dtype).min
        mask = torch.zeros(sees.shape, dtype=base.dtype, device=device).masked_fill(~sees, hidden)
    else:
        mask = sees
    logits: torch.Tensor = model(
        input_ids=packed.ids.to(device),
        attention_mask=mask,
        position_ids=packed.positions.to(device),
        logits_to_keep=packed.kept,
        use_cache=False,
    ).logits
    return logits[:, -packed.kept :].flatten(0, 1)[packed.places.to(device)]
