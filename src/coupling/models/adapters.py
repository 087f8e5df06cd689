"""A PEFT adapter merged into the model it was trained on: together they are M0.

Merged rather than laid over, so that what is trained afterwards, adapters included, starts from one plain
model. The sum is taken in float32 and rounded to the model's own format. Where input and output embeddings
are one table and the adapter changes either, they part first. What is merged is held against what is not, on
a probe.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from peft import PeftConfig, PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel

from coupling.config import ModelConfig
from coupling.models.finite import check_finite
from coupling.models.folders import ADAPTER_FILES, find_folder
from coupling.models.probing import differ, last_logits, probe_ids
from coupling.models.weight_files import check_file
from coupling.store import file_sha256, read_json, require_files
from coupling.store.complaints import first_line

CONFIGURATION, TENSORS = ADAPTER_FILES


def merge_adapter(model: PreTrainedModel, config: ModelConfig) -> tuple[PreTrainedModel, str]:
    """The model with the adapter that ``config`` names merged into it, and the SHA-256 of its tensors' file.

    Raises:
        ValueError: no such adapter, one whose tensors do not fit the model or are pickled, one that is no
            change of weights, or one with which the merged model answers otherwise than the unmerged.
    """
    assert config.adapter is not None
    told = f"model.adapter: {config.adapter!r}"
    folder = find_folder(config.adapter, config.adapter_revision, "model.adapter", ADAPTER_FILES).path
    _check_files(folder, told)
    probe = [probe_ids(model, 8)]
    tied = _tied_embeddings(model)
    try:
        peft_config = PeftConfig.from_pretrained(str(folder))
        if peft_config.is_prompt_learning:
            raise ValueError(f"is of the kind {peft_config.peft_type.value}, which changes no weight")
        peft_config.inference_mode = True
        with warnings.catch_warnings():
            # Of tied embeddings, and of layers that are merged already: both are seen to here.
            warnings.simplefilter("ignore", UserWarning)
            adapted = PeftModel(model, peft_config)
            report = adapted.load_adapter(str(folder), "default", torch_device=str(model.device))
            strangers = [*report.unexpected_keys, *report.missing_keys]
            if strangers:
                raise ValueError(
                    f"{len(strangers)} of its tensors have no place there, such as {strangers[0]}"
                )
            adapted.eval()
            unmerged = last_logits(model, probe)
            check_finite(unmerged.amax(-1), model)
            if any(layer.get_base_layer() in tied for layer in _layers(adapted)):
                table = cast(torch.Tensor, tied[1].weight)
                tied[1].weight = torch.nn.Parameter(table.detach().clone())
            _merge_layers(adapted)
            merged = adapted.merge_and_unload(safe_merge=True)
        assert isinstance(merged, PreTrainedModel)
        if tied and not _tied_embeddings(merged):
            _describe_untied(merged)
        if differ(unmerged, last_logits(merged, probe), merged.dtype):
            raise ValueError("merged, it answers a probe otherwise than laid over the model")
    except Exception as error:  # Whatever peft stumbles over in files that are not what they should be.
        raise ValueError(
            f"{told} cannot be merged into {config.path} ({first_line(error)}); give an adapter (such as "
            "LoRA) that was trained on this very model, or model.adapter: null"
        ) from error
    # peft has frozen what it laid the adapter over; all of it may be trained now.
    merged.requires_grad_(True)
    return merged, file_sha256(folder / TENSORS)


def _merge_layers(adapted: PeftModel) -> None:
    """Adds the adapter to the weights, layer by layer, in float32.

    peft itself would round the adapter's product to the format of the weights before it adds it.
    """
    for layer in _layers(adapted):
        weights = [weight for weight in layer.get_base_layer().parameters() if weight.is_floating_point()]
        formats = [weight.dtype for weight in weights]
        for weight in weights:
            weight.data = weight.data.float()
        layer.merge(safe_merge=True)
        for weight, dtype in zip(weights, formats, strict=True):
            weight.data = weight.data.to(dtype)


def _layers(adapted: PeftModel) -> list[BaseTunerLayer]:
    return [layer for layer in adapted.modules() if isinstance(layer, BaseTunerLayer)]


def _tied_embeddings(model: PreTrainedModel) -> tuple[torch.nn.Module, ...]:
    """The modules of input and output embeddings where these are one table; none where they are two."""
    tables = model.get_input_embeddings(), model.get_output_embeddings()
    return tables if tables[0].weight is tables[1].weight else ()


def _describe_untied(model: PreTrainedModel) -> None:
    """Has a model saved, loaded and resized as one of two tables of embeddings."""
    for described in (model.config, model.config.get_text_config()):
        described.tie_word_embeddings = False
    model.all_tied_weights_keys = model.get_expanded_tied_weights_keys(all_submodels=True)


def _check_files(folder: Path, told: str) -> None:
    found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    if not (folder / CONFIGURATION).is_file():
        raise ValueError(
            f"{told} is no adapter: no {CONFIGURATION} in it (found {found}); give one of peft's"
        )
    require_files(folder)
    described = read_json(folder / CONFIGURATION)
    if isinstance(described, Mapping) and described.get("megatron_config") is not None:
        raise ValueError(
            f"{told}: {CONFIGURATION} has a megatron_config, for which peft imports any module it names; "
            "save the adapter without"
        )
    if not (folder / TENSORS).is_file():
        raise ValueError(
            f"{told}: no {TENSORS} in it (found {found}); pickle weights are not loaded, because they can "
            "run code: load the adapter once where you trust it, and call save_pretrained"
        )
    check_file(folder, TENSORS, told, CONFIGURATION)
