"""Checkpoints of a run: what ``save_pretrained`` writes, sealed by a manifest; of LoRA the adapter alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coupling.config import LoraConfig
from coupling.models.memory import release_memory
from coupling.store import atomic_directory, read_complete

ADAPTER_CONFIG = "adapter_config.json"


def add_adapter(model: PreTrainedModel, lora: LoraConfig, seed: int) -> PeftModel:
    """Puts a fresh LoRA adapter into a model, the only part that trains; equal seeds give equal adapters."""
    torch.manual_seed(seed)
    targets = lora.target_modules
    config = PeftLoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    wrapped = get_peft_model(model, config)
    assert isinstance(wrapped, PeftModel)
    return wrapped


def checkpoint_activations(model: PreTrainedModel) -> None:
    """Has activations computed anew in the backward pass, layer by layer.

    Raises:
        ValueError: the model's class does not know how.
    """
    with warnings.catch_warnings():
        # Deprecated for a name that the earliest transformers we take does not have.
        warnings.simplefilter("ignore", FutureWarning)
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def save_checkpoint(
    folder: Path,
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    step: int,
    state: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Writes a folder that ``from_pretrained`` loads, whole or not at all.

    An adapter names the model it was trained on as the experiment file does, and never by where it lies.

    Args:
        state: the model's whole tensors, where it holds slices of them.
    """
    whole = None if state is None else dict(state)
    with atomic_directory(folder, {"step": str(step)}) as staging:
        if isinstance(model, PeftModel):
            # Embeddings do not train with an adapter; peft would ask the hub whether they might have grown.
            model.save_pretrained(str(staging), state_dict=whole, save_embedding_layers=False)
        else:
            model.save_pretrained(str(staging), state_dict=whole)
        tokenizer.save_pretrained(str(staging))


class CheckpointSlot:
    """M0, and one checkpoint at a time in memory: what was loaded before goes before the next comes.

    Of LoRA the adapter's layers are put into M0 itself, around its own, and taken out again: its weights are
    there once. In between M0 is the checkpoint, and whoever wants M0 has to ``clear`` first.
    """

    def __init__(self, base: PreTrainedModel) -> None:
        self._base = base
        self._adapted: PeftModel | None = None
        self._trained: tuple[bool, ...] = ()

    def load(self, folder: Path) -> PreTrainedModel:
        """The model of a checkpoint; the one before is to be held by nobody.

        Raises:
            ValueError: the checkpoint is incomplete or altered.
        """
        if read_complete(folder) is None:
            raise ValueError(f"{folder}: not a complete checkpoint; run `coupling train` to finish it")
        self.clear()
        if not (folder / ADAPTER_CONFIG).is_file():
            return _load_weights(folder, self._base)
        self._trained = tuple(parameter.requires_grad for parameter in self._base.parameters())
        self._adapted = PeftModel.from_pretrained(self._base, str(folder))
        adapted = self._adapted.get_base_model()
        assert isinstance(adapted, PreTrainedModel)
        return adapted

    def clear(self) -> None:
        """M0 is M0 again, to the last bit."""
        if self._adapted is not None:
            restored = self._adapted.unload()
            assert restored is self._base
            for parameter, trained in zip(restored.parameters(), self._trained, strict=True):
                parameter.requires_grad_(trained)
            self._adapted = None
        release_memory()


def _load_weights(folder: Path, base: PreTrainedModel) -> PreTrainedModel:
    placed = getattr(base, "hf_device_map", None)  # There is none unless it was loaded by a device map.
    loaded = type(base).from_pretrained(
        str(folder),
        use_safetensors=True,
        dtype=base.dtype,
        attn_implementation=base.config._attn_implementation,
        device_map=placed,
    )
    if placed is None:
        loaded.to(base.device)  # type: ignore[arg-type]  # transformers' wrapper hides the signature
    return loaded
