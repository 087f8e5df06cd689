"""What a model's folder says of itself, read before any weight is: is it a causal language model for us?

Each rule has a message of its own, because transformers would go on with some of these (a classifier's or
an encoder's weights under a new head, an adapter laid over its base unasked), and call the others by names
that do not say what to set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import transformers
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)
from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING

from coupling.store import Json, read_json, require_files

MOST_LAYERS = 10_000
LARGEST_SIZE = 100_000_000
"""Of a layer, a vocabulary, a head: a configuration of more is damaged, and would fill memory before anything
says so."""
_SIZES = ("size", "dim", "embd", "heads", "experts", "inner", "positions")
OTHER_HEADS = (
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
    "ForMaskedLM",
    "RewardModel",
)


def check_description(folder: Path, told: str, has_adapter: bool) -> None:
    """Holds a folder's ``config.json`` against what a model of ours must be.

    Args:
        told: what errors call the model.
        has_adapter: an adapter is to be merged into the model.

    Raises:
        ValueError: no model, an adapter, an encoder, a classifier, a kind that transformers does not know
            without code of the repository's own, a size that no model has, an attention that is fetched as
            code, a quantisation that cannot be loaded or merged into, or something in it is no file.
    """
    require_files(folder)
    if (folder / "adapter_config.json").is_file():
        raise ValueError(
            f"model {told}: is an adapter{_base_of(folder)}; give the model it was trained on in "
            "model.path, and the adapter in model.adapter"
        )
    if not (folder / "config.json").is_file():
        raise ValueError(
            f"model {told}: a folder without config.json is no model; give one saved by save_pretrained"
        )
    description = _object(folder / "config.json")
    _check_kind(told, description)
    _check_values(told, description)
    method = quantisation(description)
    if method is not None and method not in AUTO_QUANTIZATION_CONFIG_MAPPING:
        raise ValueError(
            f"model {told}: is quantised by {method!r}, which transformers {transformers.__version__} does "
            "not know; give the checkpoint it was made from"
        )
    if method is not None and has_adapter:
        raise ValueError(
            f"model.adapter: cannot be merged into {told}, which is quantised ({method}) and would be "
            "rounded anew; give the checkpoint it was made from in model.path"
        )


def is_quantised(folder: Path) -> bool:
    return quantisation(_object(folder / "config.json")) is not None


def quantisation(description: Mapping[str, Json]) -> str | None:
    """The method by which a checkpoint is quantised, as transformers names it; None where it is not."""
    stated = description.get("quantization_config")
    if not isinstance(stated, Mapping):
        return None
    for bits in ("4bit", "8bit"):
        if stated.get(f"load_in_{bits}") is True:
            return f"bitsandbytes_{bits}"
    return str(stated.get("quant_method"))


def _check_kind(told: str, description: Mapping[str, Json]) -> None:
    kind, heads = description.get("model_type"), description.get("architectures")
    named = [str(head) for head in heads] if isinstance(heads, Sequence) else []
    if kind not in CONFIG_MAPPING:
        if "auto_map" in description:
            raise ValueError(
                f"model {told}: is of the kind {kind!r}, which transformers {transformers.__version__} does "
                "not know: it needs code of its own repository (auto_map), and such code is never run; "
                "upgrade transformers if it has learnt this kind since, or give another model"
            )
        raise ValueError(
            f"model {told}: config.json is of the kind (model_type) {kind!r}, which transformers "
            f"{transformers.__version__} does not know; upgrade it, or give another model"
        )
    if description.get("is_encoder_decoder") is True:
        raise ValueError(
            f"model {told}: is an encoder-decoder ({kind}), which is no causal language model; give one that "
            "writes on from its prompt"
        )
    is_encoder = kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES and description.get("is_decoder") is not True
    has_other_head = any(head.endswith(OTHER_HEADS) for head in named)
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or is_encoder or has_other_head:
        found = " ".join([str(kind), *named])
        raise ValueError(
            f"model {told}: its files are not those of a causal language model ({found}): encoders, "
            "classifiers and the like do not write; give one whose architecture ends in ForCausalLM"
        )


def _check_values(told: str, description: Mapping[str, Json]) -> None:
    for name, value in description.items():
        if isinstance(value, Mapping):
            _check_values(told, value)
        elif name.endswith("attn_implementation") and "/" in str(value):
            raise ValueError(
                f"model {told}: {name} in config.json is {value!r}, code that transformers would fetch and "
                "run; remove it, and set model.attention"
            )
        elif isinstance(value, int):
            is_count, is_size = "layer" in name, any(part in name for part in _SIZES)
            if (is_count and value > MOST_LAYERS) or (is_size and value > LARGEST_SIZE):
                raise ValueError(
                    f"model {told}: {name} in config.json is {value}, which no model has; fetch or save it "
                    "again"
                )


def _base_of(adapter: Path) -> str:
    base = _object(adapter / "adapter_config.json").get("base_model_name_or_path")
    return f" of {base}" if base else ""


def _object(file: Path) -> Mapping[str, Json]:
    content = read_json(file)
    if not isinstance(content, dict):
        raise ValueError(f"{file}: holds no JSON object; save the model again")
    return content
