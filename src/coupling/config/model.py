"""The model that is trained to explain itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from coupling.config.section import LocalPath, Section


class ModelConfig(Section):
    """The model that is trained to explain itself, as it stands before training (M0)."""

    path: LocalPath
    """A shipped organism ("organism:coupled"), a folder with a Hugging Face causal LM, or a hub id."""
    revision: str | None = None
    """Branch, tag or commit of a hub model; null takes the main branch."""
    new_words: tuple[str, ...] = ()
    """Words that its tokenizer lacks and the task needs: each becomes a token that is new to the model."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Number format of the weights. Results are the same byte for byte only in float32 on one CPU thread."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    """Where the model runs: cpu, cuda, cuda:N or mps; auto takes a GPU where there is one."""
