"""Whether this machine computes in the format of a model's weights, or makes do."""

from __future__ import annotations

import platform

import torch
from transformers import PreTrainedModel

from coupling.progress import Progress

_X86 = ("x86_64", "amd64")


def note_slow_format(model: PreTrainedModel, progress: Progress) -> None:
    """Says so where a model lies in bfloat16 on a processor that has no instructions for it."""
    if model.dtype is torch.bfloat16 and model.device.type == "cpu" and not _computes_bfloat16():
        progress.note(
            "this processor has no instructions for bfloat16 (AMX, AVX-512 BF16) and takes several times as "
            "long in it as in float32; model.dtype: float32 is faster here, and needs twice the memory"
        )


def _computes_bfloat16() -> bool:
    # Other kinds of processor do not say whether they do.
    if platform.machine().lower() not in _X86:
        return True
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
