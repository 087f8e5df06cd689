"""The model that is trained to explain itself."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from coupling.config.section import LocalPath, Section

Attention = Literal["eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"]


class ModelConfig(Section):
    """The model that is trained to explain itself, as it stands before training (M0).

    A model of which nothing but the path is said may stand as that path alone: `model: Qwen/Qwen3-8B`.
    """

    path: LocalPath
    """A shipped organism ("organism:coupled"), a name of `coupling fetch` ("smollm2-135m"), a folder with a
    Hugging Face causal LM, a GGUF file, or a hub id."""
    revision: str | None = None
    """Branch, tag or commit of a hub model; null takes the main branch."""
    adapter: LocalPath | None = None
    """Folder or hub id of a PEFT adapter, which is merged into the weights: M0 is the model with it."""
    adapter_revision: str | None = None
    """Branch, tag or commit of a hub adapter; null takes the main branch."""
    new_words: tuple[str, ...] = ()
    """Words that its tokenizer lacks and the task needs: each becomes a token that is new to the model."""
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "float32"
    """Number format of the weights; auto takes that of the files. Results are the same byte for byte only in
    float32 on one CPU thread."""
    attention: Attention | None = None
    """How attention is computed (attn_implementation); null leaves it to transformers, which takes sdpa."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    """Where the model runs: cpu, cuda, cuda:N or mps; auto takes a GPU where there is one."""
    device_map: Literal["auto", "balanced", "balanced_low_0", "sequential"] | None = None
    """How a model too large for one GPU is laid over several, in place of device; null keeps it on one."""
    system_prompt: str | None = None
    """What the chat template is given as the system's message, before every prompt; null gives none."""
    chat_template: LocalPath | None = None
    """A Jinja file, in place of the tokenizer's own chat template or for one that has none."""
    thinking: bool = False
    """What the template's switch of a thinking mode is set to, where it knows one."""
    pad_token: str | None = None
    """A token of the vocabulary that fills up batches; null takes the tokenizer's own, or else its end."""

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.device_map is not None and self.device != "auto":
            raise ValueError(
                f"device is {self.device!r} and device_map {self.device_map!r}: a model runs on one device "
                "or is laid over several; remove one of the two"
            )
        if self.adapter is None and self.adapter_revision is not None:
            raise ValueError(
                f"adapter_revision is {self.adapter_revision!r}, but no adapter is given; name it, or remove "
                "the revision"
            )
        if self.dtype == "float32" and (self.attention or "").startswith("flash_attention"):
            raise ValueError(
                f"attention is {self.attention!r}, which does not compute in float32; set dtype: bfloat16, "
                "or attention: sdpa"
            )
        return self

    @property
    def name(self) -> str:
        """What reports and checkpoints call it, without saying where on this machine it lies."""
        written = self.model_dump()
        return " + ".join(told(written[part]) for part in ("path", "adapter") if written[part] is not None)

    def another(self, path: str) -> ModelConfig:
        """The model at ``path``, run in the same way: what belongs to this one's files is left behind."""
        its_own = ("revision", "adapter", "adapter_revision", "chat_template", "pad_token")
        return self.model_copy(update={"path": path, **dict.fromkeys(its_own)})


def told(written: str) -> str:
    """A path as it is told of. Of one that leads through this machine the last part alone: where a model lies
    is nobody's business in a report."""
    return PurePath(written).name if PurePath(written).is_absolute() else written
