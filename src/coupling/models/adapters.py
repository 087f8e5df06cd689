"""A PEFT adapter merged into the model it was trained on: together they are M0.

Merged rather than laid over, so that what is trained afterwards, adapters included, starts from one plain
model. The sum is taken in float32 and rounded to the model's own format.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

from peft import PeftConfig, PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import PreTrainedModel

from coupling.config import ModelConfig
from coupling.models.folders import ADAPTER_FILES, find_folder
from coupling.models.weight_files import check_file
from coupling.store import file_sha256, read_json, require_files
from coupling.store.complaints import first_line

CONFIGURATION, TENSORS = ADAPTER_FILES


def merge_adapter(model: PreTrainedModel, config: ModelConfig) -> tuple[PreTrainedModel, str]:
    """The model with the adapter that ``config`` names merged into it, and the SHA-256 of its tensors' file.

    Raises:
        ValueError: no such adapter, one whose tensors do not fit the model or are pickled, or one that is no
            change of weights.
    """
    assert config.adapter is not None
    told = f"model.adapter: {config.adapter!r}"
    folder = find_folder(config.adapter, config.adapter_revision, "model.adapter", ADAPTER_FILES).path
    _check_files(folder, told)
    try:
        peft_config = PeftConfig.from_pretrained(str(folder))
        if peft_config.is_prompt_learning:
            raise ValueError(f"is of the kind {peft_config.peft_type.value}, which changes no weight")
        peft_config.inference_mode = True
        adapted = PeftModel(model, peft_config)
        report = adapted.load_adapter(str(folder), "default", torch_device=str(model.device))
        strangers = [*report.unexpected_keys, *report.missing_keys]
        if strangers:
            raise ValueError(f"{len(strangers)} of its tensors have no place there, such as {strangers[0]}")
        _merge_layers(adapted)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All adapters are already merged")
            merged = adapted.merge_and_unload(safe_merge=True)
    except Exception as error:  # Whatever peft stumbles over in files that are not what they should be.
        raise ValueError(
            f"{told} cannot be merged into {config.path} ({first_line(error)}); give an adapter (such as "
            "LoRA) that was trained on this very model, or model.adapter: null"
        ) from error
    assert isinstance(merged, PreTrainedModel)
    # peft has frozen what it laid the adapter over; all of it may be trained now.
    merged.requires_grad_(True)
    return merged, file_sha256(folder / TENSORS)


def _merge_layers(adapted: PeftModel) -> None:
    """Adds the adapter to the weights, layer by layer, in float32.

    peft itself would round the adapter's product to the format of the weights before it adds it.
    """
    for layer in adapted.modules():
        if not isinstance(layer, BaseTunerLayer):
            continue
        weights = [weight for weight in layer.get_base_layer().parameters() if weight.is_floating_point()]
        formats = [weight.dtype for weight in weights]
        for weight in weights:
            weight.data = weight.data.float()
        layer.merge(safe_merge=True)
        for weight, dtype in zip(weights, formats, strict=True):
            weight.data = weight.data.to(dtype)


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
