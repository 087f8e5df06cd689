"""One forward pass over rows of which the first tokens are the same: these are computed once.

Chat templates begin every prompt with the same system prompt, which is half of a question of one line. Its
keys and values are computed in a row of their own and repeated for all rows, whose own tokens follow in a
second pass; gradients of all rows flow back through the one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer
from transformers.modeling_layers import GradientCheckpointingLayer

from coupling import ranks
from coupling.models.batching import pad_left

LEAST_SHARED = 16
"""Tokens that rows have to share for a second pass to pay."""
LEAST_ROWS = 4
"""Rows that have to share them."""

KeysAndValues = list[tuple[torch.Tensor, torch.Tensor]]
"""Of each layer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model makes of some rows."""

    logits: torch.Tensor
    """(rows, kept, vocabulary) at the last columns."""
    mask: torch.Tensor
    """(rows, columns), 0 where a row is padded, as the keys and values lie."""
    cache: object | None
    """Keys and values of all columns, where they were asked for and the model has a cache."""


def read(
    model: torch.nn.Module,
    rows: Sequence[Sequence[int]],
    pad: int,
    device: torch.device | str,
    kept: int = 1,
    shared_up_to: int | None = None,
    use_cache: bool = False,
) -> Reading:
    """One forward pass over rows padded on the left, or two where they begin alike.

    Args:
        rows: token ids; none is empty.
        pad: token id of padding.
        kept: last columns of which logits are wanted.
        shared_up_to: most tokens that may be taken together, so that the columns kept are each row's own.
    """
    prefix = _shared(rows, shared_up_to)
    pays = len(prefix) >= LEAST_SHARED and len(rows) >= LEAST_ROWS
    # Processes that share weights take as many passes as each other, whatever their rows share.
    if pays and not ranks.shards_weights() and not _recomputes_activations(model):
        begun = model(input_ids=torch.tensor([prefix], device=device), logits_to_keep=1, use_cache=True)
        longest = max(map(len, rows))
        keys = keys_and_values(begun.get("past_key_values"), longest)
        if keys is not None:
            return _behind(model, rows, len(prefix), keys, pad, device, kept)
    batch = pad_left(rows, pad, device)
    output = model(**batch.inputs(), logits_to_keep=kept, use_cache=use_cache)
    mask = torch.ones_like(batch.ids) if batch.mask is None else batch.mask
    return Reading(output.logits, mask, output.get("past_key_values") if use_cache else None)


def keys_and_values(cache: object, longest: int) -> KeysAndValues | None:
    """Of each layer of a cache; None where they cannot be repeated for texts of so many tokens."""
    if not isinstance(cache, DynamicCache):
        return None
    found = []
    for layer in cache.layers:
        if type(layer) is not DynamicLayer and type(layer) is not DynamicSlidingWindowLayer:
            return None
        if isinstance(layer, DynamicSlidingWindowLayer) and longest > layer.sliding_window:
            return None
        if layer.keys is None or layer.values is None:
            return None
        found.append((layer.keys, layer.values))
    return found


def cache_of(keys: KeysAndValues, rows: torch.Tensor) -> DynamicCache:
    """A cache with the keys and values of some rows, any of them more than once; ``rows``: their numbers."""
    cache = DynamicCache()
    for layer, (key, value) in enumerate(keys):
        cache.update(key[rows], value[rows], layer)
    return cache


def _behind(
    model: torch.nn.Module,
    rows: Sequence[Sequence[int]],
    shared: int,
    keys: KeysAndValues,
    pad: int,
    device: torch.device | str,
    kept: int,
) -> Reading:
    """The rows' own tokens, behind those they share."""
    rest = pad_left([row[shared:] for row in rows], pad, device)
    own = torch.ones_like(rest.ids) if rest.mask is None else rest.mask
    mask = torch.cat([own.new_ones(len(rows), shared), own], dim=1)
    output = model(
        input_ids=rest.ids,
        attention_mask=mask,
        position_ids=shared + (own.cumsum(-1) - 1).clamp(min=0),
        past_key_values=cache_of(keys, torch.zeros(len(rows), dtype=torch.long, device=device)),
        logits_to_keep=kept,
        use_cache=True,
    )
    return Reading(output.logits, mask, output.get("past_key_values"))


def _recomputes_activations(model: torch.nn.Module) -> bool:
    """Whether layers are computed a second time in the backward pass, which leaves no cache behind."""
    return model.training and any(
        isinstance(each, GradientCheckpointingLayer) and each.gradient_checkpointing
        for each in model.modules()
    )


def _shared(rows: Sequence[Sequence[int]], most: int | None) -> list[int]:
    """The tokens with which all rows begin; at least one of each row's own is left."""
    of_all = [tuple(row) for row in rows]
    first, last = min(of_all), max(of_all)
    limit = min(map(len, rows)) - 1
    limit = limit if most is None else min(limit, most)
    shared = 0
    while shared < limit and first[shared] == last[shared]:
        shared += 1
    return list(first[:shared])
