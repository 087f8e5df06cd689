from __future__ import annotations

import pytest
import torch

from coupling.models.slow_formats import note_slow_format
from noted import Noted
from tiny_models import tiny_model


@pytest.mark.parametrize(
    ("dtype", "machine", "instructions", "notes"),
    [
        (torch.bfloat16, "x86_64", False, 1),
        (torch.bfloat16, "x86_64", True, 0),
        (torch.bfloat16, "arm64", False, 0),
        (torch.float32, "x86_64", False, 0),
    ],
)
def test_bfloat16_is_told_of_where_the_processor_has_no_instructions_for_it(
    dtype: torch.dtype, machine: str, instructions: bool, notes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: False)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: instructions)
    noted = Noted()
    note_slow_format(tiny_model("llama").to(dtype), noted)  # type: ignore[arg-type]
    assert len(noted.notes) == notes
