"""Models and tokenizers from a folder or a hub, and the fingerprint of their weights."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AddedToken,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from coupling.config import ModelConfig
from coupling.models.rendering import Renderer
from coupling.store import read_json

ORGANISM_SCHEME = "organism:"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    model: PreTrainedModel
    renderer: Renderer
    fingerprint: str
    """SHA-256 over all that its answers follow from: what an artifact of this model was made from."""


def organisms_folder() -> Path:
    """Where the shipped organisms lie."""
    return Path(str(resources.files("coupling"))) / "assets" / "organisms"


def organism_folder(name: str) -> Path:
    """Folder of a shipped organism.

    Raises:
        ValueError: no organism of that name is shipped.
    """
    folder = organisms_folder()
    if not (folder / name / "config.json").is_file():
        known = ", ".join(sorted(path.parent.name for path in folder.glob("*/config.json"))) or "none"
        raise ValueError(f"model 'organism:{name}': no organism of that name is shipped; there are {known}")
    return folder / name


def resolve(path: str) -> str:
    """A path as transformers understands it: organisms become their folder, all else stays as it is."""
    if path.startswith(ORGANISM_SCHEME):
        return str(organism_folder(path.removeprefix(ORGANISM_SCHEME)))
    return path


def load_model(config: ModelConfig) -> LoadedModel:
    """Loads a causal language model and its tokenizer, safetensors only and without remote code.

    Raises:
        ValueError: the folder is no model, is damaged, lacks weights, has pickle weights only, or the hub
            cannot be reached; or no device of that name is there.
    """
    device = _device(config.device)
    if device.startswith("cuda:"):
        # What asks for "cuda" later, as accelerate does, is to mean this one.
        torch.cuda.set_device(device)
    source = resolve(config.path)
    if Path(source).is_dir():
        _check_folder(Path(source))
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, revision=config.revision, trust_remote_code=False, padding_side="left"
        )
        loaded = AutoModelForCausalLM.from_pretrained(
            source,
            revision=config.revision,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=DTYPES[config.dtype],
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except OSError as error:
        raise ValueError(
            f"model {config.path!r}: neither a folder with a model nor a model the hub gives us "
            f"({_first_line(error)}); check the name, log in with `hf auth login` if it is gated, or give a "
            "folder"
        ) from error
    except (ValueError, SafetensorError, StrictDataclassError) as error:
        raise ValueError(
            f"model {config.path!r}: its files are not those of a causal language model with its tokenizer "
            f"({_first_line(error)}); save it again with save_pretrained, or give another"
        ) from error
    model, report = cast(tuple[PreTrainedModel, Mapping[str, Any]], loaded)
    absent = sorted(report["missing_keys"]) + sorted(key[0] for key in report["mismatched_keys"])
    if absent:
        # transformers would go on with random weights in their place.
        raise ValueError(
            f"model {config.path!r}: {len(absent)} of its tensors are missing or of another shape than "
            f"config.json says, such as {absent[0]}; save it again with save_pretrained, or give another"
        )
    model.to(device)  # type: ignore[arg-type]  # transformers' wrapper hides the signature
    model.eval()
    add_words(model, tokenizer, config.new_words)
    renderer = Renderer(tokenizer)
    return LoadedModel(model, renderer, fingerprint(model, renderer))


@torch.no_grad()
def add_words(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, words: Sequence[str]) -> None:
    """Gives words that the tokenizer does not know tokens of their own.

    Their embeddings are drawn, the same ones every time, from the mean and the spread of those there are.
    """
    unknown = [w for w in dict.fromkeys(words) if tokenizer.unk_token_id in tokenizer(w)["input_ids"]]
    if not unknown:
        return
    added = tokenizer.add_tokens([AddedToken(word, single_word=True) for word in unknown])
    assert added == len(unknown)
    first = len(tokenizer) - added
    if len(tokenizer) > _embeddings(model)[0].shape[0]:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    generator = torch.Generator().manual_seed(0)
    for table in _embeddings(model):
        known = table[:first].float().cpu()
        drawn = torch.randn(len(unknown), known.shape[1], generator=generator)
        table[first : len(tokenizer)] = (known.mean(0) + drawn * known.std(0)).to(table)


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
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
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


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ValueError(
            f"model {folder}: a folder without config.json is no model; give one saved by save_pretrained"
        )
    if not any(folder.glob("*.safetensors")):
        found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise ValueError(
            f"model {folder}: no *.safetensors in it (found {found}); pickle weights are not loaded, because "
            "they can run code: load the model once where you trust it, and call save_pretrained"
        )
    if not isinstance(read_json(folder / "config.json"), dict):
        raise ValueError(f"model {folder}: config.json holds no JSON object; save the model again")


def _device(name: str) -> str:
    gpus = torch.cuda.device_count()
    if name == "auto":
        return "cuda" if gpus else "cpu"
    kind, _, number = name.partition(":")
    count = {"cpu": 1, "cuda": gpus, "mps": int(torch.backends.mps.is_available())}[kind]
    if int(number or 0) >= count:
        raise ValueError(f"model.device: {name!r} is not on this machine; use auto or cpu")
    return name


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
