"""Checkpoints of a run: what ``save_pretrained`` writes, sealed by a manifest; of LoRA the adapter alone."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coupling.config import LoraConfig
from coupling.store import atomic_directory, read_complete


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


def load_checkpoint(folder: Path, base: PreTrainedModel) -> PreTrainedModel:
    """The model of a checkpoint; ``base`` is M0, which stays as it is.

    Raises:
        ValueError: the checkpoint is incomplete or altered.
    """
    if read_complete(folder) is None:
        raise ValueError(f"{folder}: not a complete checkpoint; run `coupling train` to finish it")
    if (folder / "adapter_config.json").is_file():
        # peft puts its layers into the very modules it is given, a second adapter into those of the first.
        adapted = PeftModel.from_pretrained(copy.deepcopy(base), str(folder)).get_base_model()
        assert isinstance(adapted, PreTrainedModel)
        return adapted
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
