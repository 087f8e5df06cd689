"""Numbers that are no numbers are refused where they first show.

In float16 some models overflow. Where logits are NaN, the first choice counts as the best and the first token
is written: that would look like an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import torch
from transformers import LogitsProcessor, PreTrainedModel

_FLOATS = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
_REMEDY = (
    "set model.dtype: float32 (or bfloat16); where it is that already, the weights are damaged: fetch or "
    "save them again, or give another model"
)


def check_weights_finite(model: PreTrainedModel, told: str, remedy: str = _REMEDY) -> None:
    """Raises ValueError where a parameter holds NaN or an infinity.

    Args:
        told: what errors call the model.
        remedy: what to do about it.
    """
    for name, weight in model.named_parameters():
        if weight.dtype not in _FLOATS or not weight.numel():
            continue
        # NaN is both the least and the greatest, and no copy of the tensor is made.
        if not torch.stack(weight.detach().aminmax()).isfinite().all():
            raise ValueError(
                f"{told}: its weights are not all finite numbers in {_spelt(weight.dtype)}, such as {name}; "
                f"{remedy}"
            )


def check_finite(values: torch.Tensor, model: PreTrainedModel) -> None:
    """Raises ValueError where logits, or scores made of them, are NaN or infinite."""
    if not values.isfinite().all():
        raise ValueError(
            f"model {model.name_or_path}: its logits are not finite numbers in {_spelt(model.dtype)}; "
            f"{_REMEDY}. Of a trained checkpoint, lower training.learning_rate"
        )


class FiniteLogits(LogitsProcessor):
    """Checks the logits of every token that is written, and changes none."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        # Tokens that a model never writes may have -inf. NaN is the greatest of its row.
        check_finite(scores.amax(-1), self._model)
        return scores


def check_losses(losses: Mapping[str, float], step: int, model: PreTrainedModel) -> None:
    """Raises ValueError where a loss of a training step is NaN or infinite.

    Args:
        losses: name → loss, in nats.
        step: the step's number, from 1 on.
    """
    if not all(map(isfinite, losses.values())):
        found = ", ".join(f"{name} {loss}" for name, loss in losses.items())
        raise ValueError(
            f"training: the losses of step {step} are not finite numbers ({found}), of model "
            f"{model.name_or_path} in {_spelt(model.dtype)}; set model.dtype: float32 (or bfloat16), or "
            "lower training.learning_rate"
        )


def _spelt(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
