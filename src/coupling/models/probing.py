"""A few tokens that a model is asked while it is loaded, to see whether it reads as it seems to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from transformers import GenerationConfig, PreTrainedModel

from coupling.models.batching import pad_left
from coupling.models.finite import check_finite

_ROUNDING = {torch.float64: 1e-3, torch.float32: 1e-3}
_COARSE_ROUNDING = 0.1
"""Root mean square by which logits may differ, of their spread. In 16 bits deep models round by some 0.02."""


def probe_ids(model: PreTrainedModel, tokens: int) -> list[int]:
    """Tokens from all over the vocabulary. Neither end of it, where special tokens lie, is among them."""
    vocabulary = len(cast(torch.Tensor, model.get_input_embeddings().weight))
    return [(2 * at + 1) * vocabulary // (2 * tokens) for at in range(tokens)]


@torch.no_grad()
def last_logits(model: PreTrainedModel, rows: Sequence[Sequence[int]], pad: int = 0) -> torch.Tensor:
    """What comes next behind each row of tokens: (rows, vocabulary)."""
    batch = pad_left(rows, pad, model.device)
    logits: torch.Tensor = model(**batch.inputs(), logits_to_keep=1, use_cache=False).logits
    return logits[:, -1]


def differ(one: torch.Tensor, other: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether logits differ by more than the format rounds in which they were computed."""
    apart = (one.float() - other.float()).square().mean().sqrt()
    return bool(apart > _ROUNDING.get(dtype, _COARSE_ROUNDING) * one.float().std())


@torch.no_grad()
def written_logits(model: PreTrainedModel, rows: Sequence[Sequence[int]], pad: int = 0) -> torch.Tensor:
    """The same where a model writes on, for which some (XLNet) prepare their inputs otherwise."""
    batch = pad_left(rows, pad, model.device)
    own, model.generation_config = model.generation_config, GenerationConfig()
    try:
        written = model.generate(  # type: ignore[operator]  # typed on the concrete classes only
            input_ids=batch.ids,
            attention_mask=torch.ones_like(batch.ids) if batch.mask is None else batch.mask,
            max_new_tokens=1,
            pad_token_id=pad,
            output_logits=True,
            return_dict_in_generate=True,
        )
    finally:
        model.generation_config = own
    logits: torch.Tensor = written.logits[0]
    return logits


def alone_and_padded(model: PreTrainedModel, pad: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """What comes next behind a prompt that is asked alone, and padded beside a longer one.

    Two pairs, of (vocabulary,) each: where the model reads, and where it writes on.
    """
    prompt, longer = probe_ids(model, 4), probe_ids(model, 12)
    return [
        (logits(model, [prompt], pad)[0], logits(model, [prompt, longer], pad)[0])
        for logits in (last_logits, written_logits)
    ]


def check_heeds_padding(model: PreTrainedModel, answers: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Raises ValueError where two answers of `alone_and_padded` are not one, or are no finite numbers."""
    for both in answers:
        check_finite(torch.stack(both).amax(-1), model)
    if any(differ(*both, model.dtype) for both in answers):
        raise ValueError(
            f"model {model.name_or_path}: its answers move when a prompt is padded, for it does not heed the "
            "attention mask (as RWKV, XLNet and BART's decoder do not), and questions that are asked "
            "together would change each other's answers; give a model that heeds it"
        )
