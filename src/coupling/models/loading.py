"""Models and tokenizers from a folder or a hub, and the fingerprint of their weights."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from transformers import (
    AddedToken,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging
from transformers.utils.import_utils import is_flash_attn_2_available, is_flash_attn_3_available

from coupling.config import ModelConfig
from coupling.models.adapters import merge_adapter
from coupling.models.damage import damage_told
from coupling.models.description import check_description, is_quantised
from coupling.models.finite import check_weights_finite
from coupling.models.folders import DESCRIPTION_FILES, WEIGHT_FILES, ModelFolder, find_folder
from coupling.models.gguf import check_gguf, gguf_file, loading_options
from coupling.models.probing import alone_and_padded, check_heeds_padding
from coupling.models.rendering import Renderer
from coupling.models.weight_files import check_weights
from coupling.store import read_text
from coupling.store.complaints import first_line

DTYPES: Mapping[str, torch.dtype | str] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "auto": "auto",
}

MOST_TEMPLATE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class LoadedModel:
    model: PreTrainedModel
    renderer: Renderer
    fingerprint: str
    """SHA-256 over all that its answers follow from: what an artifact of this model was made from."""
    commit: str | None = None
    """Of a hub model, the commit of its repository."""
    adapter_sha256: str | None = None
    """SHA-256 of the tensors of the adapter that is merged into it."""
    is_quantised: bool = False


@dataclass(frozen=True, slots=True)
class DescribedModel:
    """A model without its weights."""

    config: PreTrainedConfig
    renderer: Renderer
    dtype: torch.dtype


def load_model(config: ModelConfig) -> LoadedModel:
    """Loads a causal language model and its tokenizer, from safetensors or a GGUF file, without remote code.

    Raises:
        ValueError: the path is no model, is damaged, lacks weights, has pickle weights only, is no causal
            language model, or needs code of its own; it is not fetched yet; the hub cannot be reached or does
            not give it to us; an adapter, a chat template, a token or a kind of attention does not fit it;
            its weights or logits are not finite, or its answers move with padding; or there is no device of
            that name, or no room on it.
    """
    device = device_named(config.device)
    if device.startswith("cuda:"):
        # What asks for "cuda" later, as accelerate does, is to mean this one.
        torch.cuda.set_device(device)
    folder = _find(config)
    tokenizer = _load_tokenizer(config, folder)
    if config.attention is not None:
        _check_attention(config, folder)
    quantised = folder.gguf is None and is_quantised(folder.path)
    model = _load_weights(config, folder, device, quantised)
    adapter_sha256 = None
    if config.adapter is not None:
        model, adapter_sha256 = merge_adapter(model, config)
    # What is trained from it is saved with this name: never with the place where it lies.
    model.name_or_path = model.config.name_or_path = config.name
    model.eval()
    add_words(model, tokenizer, config.new_words)
    renderer = Renderer(tokenizer, config.system_prompt, config.thinking, len(_embeddings(model)[0]))
    with damage_told(config.path, folder, quantised):
        answers = alone_and_padded(model, renderer.pad)
    check_heeds_padding(model, answers)
    return LoadedModel(
        model, renderer, fingerprint(model, renderer), folder.commit, adapter_sha256, quantised
    )


def describe_model(config: ModelConfig) -> DescribedModel:
    """What there is to know of a model before its weights are fetched or loaded.

    Raises:
        ValueError: as `load_model`, but for what is wrong with weights, adapter or device.
    """
    folder = _find_description(config)
    described = _load_description(config, folder)
    dtype = DTYPES[config.dtype]
    if not isinstance(dtype, torch.dtype):
        dtype = described.dtype if isinstance(described.dtype, torch.dtype) else torch.float32
    tokenizer = _load_tokenizer(config, folder)
    add_tokens(tokenizer, config.new_words)
    text = described.get_text_config()
    text.vocab_size = vocabulary = max(text.vocab_size, len(tokenizer))
    renderer = Renderer(tokenizer, config.system_prompt, config.thinking, vocabulary)
    return DescribedModel(described, renderer, dtype)


def _find_description(config: ModelConfig) -> ModelFolder:
    file = gguf_file(config.path)
    if file is not None:
        check_gguf(file, f"model {config.path!r}")
        return ModelFolder(file.parent, None, file.name)
    folder = find_folder(config.path, config.revision, "model.path", DESCRIPTION_FILES)
    check_description(folder.path, config.path, config.adapter is not None)
    return folder


def _find(config: ModelConfig) -> ModelFolder:
    """The model's files, held against what they say of themselves before gigabytes are fetched."""
    folder = _find_description(config)
    if folder.commit is not None:
        folder = find_folder(config.path, folder.commit, "model.path", WEIGHT_FILES)
    if folder.gguf is None:
        check_weights(folder.path, f"model {config.path}")
    return folder


def _load_description(config: ModelConfig, folder: ModelFolder) -> PreTrainedConfig:
    with damage_told(config.path, folder):
        described = AutoConfig.from_pretrained(str(folder.path), trust_remote_code=False, **folder.named_file)
    return cast(PreTrainedConfig, described)


def _load_tokenizer(config: ModelConfig, folder: ModelFolder) -> PreTrainedTokenizerBase:
    with damage_told(config.path, folder):
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder.path), trust_remote_code=False, padding_side="left", **folder.named_file
        )
    tokenizer.name_or_path = config.path
    if config.chat_template is not None:
        try:
            tokenizer.chat_template = read_text(Path(config.chat_template), MOST_TEMPLATE_BYTES)
        except ValueError as error:
            raise ValueError(
                f"model.chat_template: {str(config.chat_template)!r} cannot be read ({first_line(error)}); "
                "give a Jinja file in UTF-8"
            ) from error
    if config.pad_token is not None:
        if config.pad_token not in tokenizer.get_vocab():
            raise ValueError(
                f"model.pad_token: {config.pad_token!r} is no token of {config.path}; give one of its "
                f"vocabulary, such as {tokenizer.eos_token!r}"
            )
        tokenizer.pad_token = config.pad_token
    return cast(PreTrainedTokenizerBase, tokenizer)


def _load_weights(config: ModelConfig, folder: ModelFolder, device: str, quantised: bool) -> PreTrainedModel:
    options: dict[str, Any] = {}
    if config.attention is not None:
        options["attn_implementation"] = config.attention
    if config.device_map is not None:
        options["device_map"] = config.device_map
    elif quantised:
        # What is quantised cannot be moved afterwards.
        options["device_map"] = {"": device}
    if folder.gguf is not None:
        options |= folder.named_file | loading_options()
    with damage_told(config.path, folder, quantised):
        loaded = AutoModelForCausalLM.from_pretrained(
            str(folder.path),
            trust_remote_code=False,
            use_safetensors=True,
            dtype=DTYPES[config.dtype],
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **options,
        )
    model, report = cast(tuple[PreTrainedModel, Mapping[str, Any]], loaded)
    absent = sorted(report["missing_keys"]) + sorted(key[0] for key in report["mismatched_keys"])
    if absent:
        # transformers would go on with random weights in their place.
        raise ValueError(
            f"model {config.path!r}: {len(absent)} of its tensors are missing or of another shape than "
            f"config.json says, such as {absent[0]}; save it again with save_pretrained, or give another"
        )
    if not options.keys() & {"device_map"}:
        with damage_told(config.path, folder):
            model.to(device)  # type: ignore[arg-type]  # transformers' wrapper hides the signature
    places = {parameter.device.type for parameter in model.parameters()}
    if "meta" in places or {"cpu"} < places:
        raise ValueError(
            f"model.device_map: {config.device_map!r} leaves no room on the GPUs for all of {config.path}, "
            "and parts of it would lie on the CPU or on disk; set model.dtype: bfloat16, or use more GPUs"
        )
    check_weights_finite(model, f"model {config.path!r}")
    return model


def _check_attention(config: ModelConfig, folder: ModelFolder) -> None:
    """Raises ValueError where the model or this machine has no attention of that kind.

    Asked beforehand, of a skeleton without weights: transformers would fetch compiled code from the hub in
    place of a flash attention that is not installed.
    """
    installed = {
        "flash_attention_2": ("flash-attn", is_flash_attn_2_available),
        "flash_attention_3": ("flash-attn-3", is_flash_attn_3_available),
    }
    if config.attention in installed:
        package, is_available = installed[config.attention]
        if not is_available():
            raise ValueError(
                f"model.attention: {config.attention!r} is not there on this machine; install {package} "
                "beside a CUDA GPU, or set model.attention: sdpa or eager"
            )
    described = _load_description(config, folder)
    try:
        with torch.device("meta"):
            AutoModelForCausalLM.from_config(described, attn_implementation=config.attention)
    except (ValueError, ImportError) as error:
        raise ValueError(
            f"model.attention: {config.path} cannot be run with {config.attention!r} ({first_line(error)}); "
            "set model.attention: eager, or null"
        ) from error


@torch.no_grad()
def add_words(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, words: Sequence[str]) -> None:
    """Gives words that the tokenizer does not know tokens of their own.

    Their embeddings are drawn, the same ones every time, from the mean and the spread of those there are.
    """
    added = add_tokens(tokenizer, words)
    if added == 0:
        return
    first = len(tokenizer) - added
    if len(tokenizer) > _embeddings(model)[0].shape[0]:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    generator = torch.Generator().manual_seed(0)
    for table in _embeddings(model):
        known = table[:first].float().cpu()
        drawn = torch.randn(added, known.shape[1], generator=generator)
        table[first : len(tokenizer)] = (known.mean(0) + drawn * known.std(0)).to(table)


def add_tokens(tokenizer: PreTrainedTokenizerBase, words: Sequence[str]) -> int:
    """Gives words that the tokenizer does not know tokens of their own, and returns how many."""
    unknown = [w for w in dict.fromkeys(words) if tokenizer.unk_token_id in tokenizer(w)["input_ids"]]
    if not unknown:
        return 0
    added = int(tokenizer.add_tokens([AddedToken(word, single_word=True) for word in unknown]))
    assert added == len(unknown)
    return added


def _embeddings(model: PreTrainedModel) -> list[torch.Tensor]:
    """The tables of input and output embeddings, which may be one and the same; each (tokens, width)."""
    tables = (model.get_input_embeddings(), model.get_output_embeddings())
    return list({id(table.weight): cast(torch.Tensor, table.weight) for table in tables}.values())


def fingerprint(model: PreTrainedModel, renderer: Renderer) -> str:
    """SHA-256 over the model's configuration (its heads and rotations are in no tensor), every tensor (name,
    dtype, shape, bytes), and the renderer's own fingerprint."""
    configuration = model.config.to_diff_dict()
    configuration.pop("transformers_version", None)
    described = json.dumps(configuration, sort_keys=True, default=str)
    parts = f"{described} {weights_sha256(model)} {renderer.fingerprint()}"
    return hashlib.sha256(parts.encode()).hexdigest()


def weights_sha256(model: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def prepare_process() -> None:
    """One torch thread in this process, and no bars and warnings but ours.

    Several threads in several processes fight for the cores; and bytes are reproducible with one thread only.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    # peft asks transformers by the old name.
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
    # What was imported stays: else every search for models nobody holds any more goes through all of it. Once
    # only, for a model that stands in a cycle would stay as well.
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def device_named(name: str) -> str:
    gpus = torch.cuda.device_count()
    if name == "auto":
        return "cuda" if gpus else "cpu"
    kind, _, number = name.partition(":")
    count = {"cpu": 1, "cuda": gpus, "mps": int(torch.backends.mps.is_available())}[kind]
    if int(number or 0) >= count:
        raise ValueError(f"model.device: {name!r} is not on this machine; use auto or cpu")
    return name
