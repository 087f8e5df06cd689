"""One forward pass over token sequences, of which only some positions are asked.

A model that can read trees of sequences (``packing``) does so where that is cheaper: what sequences share is
computed once. Otherwise sequences are rows padded on the left. Whether a model can is tried once, on two
short sequences: it must accept our mask, and its logits must be those of each sequence alone.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import torch
from peft import PeftModel
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from coupling.models.batching import pad_left
from coupling.models.packing import Asked, Cost, Layout, Packed, layout_of, pack

MASKS = {"sdpa", "eager"}
"""Implementations of attention that take a mask for each two tokens."""
_TRIAL = Layout(((0, 1),), (0, 6), 18)
"""Two sequences of twelve tokens whose first six are the same."""
_CLOSE = 1e-2
"""Of the logits' spread, by which both ways may differ in the trial: bfloat16 rounds so much."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a model."""

    cost: Cost
    longest: float
    """Tokens of the longest sequence that it can read in a tree, as many as its narrowest layer sees; 0 where
    it can read no tree."""


_known: weakref.WeakKeyDictionary[PreTrainedModel, _Known] = weakref.WeakKeyDictionary()


def read(
    model: torch.nn.Module, asked: Sequence[Asked], pad: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Logits at the positions wanted, sequence by sequence: (wanted, vocabulary).

    Args:
        asked: token sequences; none is empty.
        pad: token id of padding.
    """
    if reads_trees(model, asked, pad, device):
        layout = layout_of(asked, _known[base_of(model)].cost)
        if layout is not None:
            return _read_packed(model, pack(asked, layout, pad), device)
    return _read_padded(model, asked, pad, device)


def reads_trees(model: torch.nn.Module, asked: Sequence[Asked], pad: int, device: torch.device | str) -> bool:
    """Whether a model can read these sequences as trees; tried once a model, on some of the tokens."""
    base = base_of(model)
    if base not in _known:
        _known[base] = _tried(base, asked[0].ids, pad, device)
    return max(len(each.ids) for each in asked) <= _known[base].longest


def plain_layers(cache: object) -> list[DynamicLayer] | None:
    """The layers of a cache that holds keys and values of all tokens, or of the last ones, and nothing else;
    None of any other, as those of recurrent models."""
    if not isinstance(cache, DynamicCache):
        return None
    layers = [each for each in cache.layers if type(each) in (DynamicLayer, DynamicSlidingWindowLayer)]
    plain = [each for each in layers if isinstance(each, DynamicLayer)]
    return plain if plain and len(plain) == len(cache.layers) else None


def narrowest_window(layers: Sequence[DynamicLayer]) -> float:
    """Tokens that the narrowest layer sees; infinity where all see everything."""
    windows = [each.sliding_window for each in layers if isinstance(each, DynamicSlidingWindowLayer)]
    return min(windows, default=inf)


def base_of(model: torch.nn.Module) -> PreTrainedModel:
    """The model itself, of one under an adapter."""
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


def _tried(model: PreTrainedModel, some_ids: Sequence[int], pad: int, device: torch.device | str) -> _Known:
    cost, never = cost_of(model), 0.0
    if not may_read_trees(model):
        return _Known(cost, never)
    ids = [*some_ids[:6], *some_ids[:6]][:6]
    trial = [Asked((*ids, *ids), 5), Asked((*ids, *ids[::-1]), 5)]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        cached = model(input_ids=torch.tensor([trial[0].ids], device=device), use_cache=True)
        layers = plain_layers(cached.get("past_key_values"))
        is_equal = False
        if layers is not None:
            alone = _read_padded(model, trial, pad, device)
            together = _read_packed(model, pack(trial, _TRIAL, pad), device)
            is_equal = bool((together - alone).abs().max() <= _CLOSE * alone.float().std())
    model.train(was_training)
    return _Known(cost, narrowest_window(layers) if layers is not None and is_equal else never)


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
    base = base_of(model)
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
