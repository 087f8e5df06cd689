"""Models and tokenizers from a folder or a hub, and the fingerprint of their weights."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from coupling.config import ModelConfig
from coupling.models.rendering import Renderer

ORGANISM_SCHEME = "organism:"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    model: PreTrainedModel
    renderer: Renderer
    fingerprint: str
    """SHA-256 over weights, tokenizer, chat template and dtype: what an artifact of this model was made from."""


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
        known = ", ".join(sorted(path.name for path in folder.iterdir() if path.is_dir()))
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
        ValueError: the folder is no model, has pickle weights only, or the hub cannot be reached.
    """
    source = resolve(config.path)
    if Path(source).is_dir():
        _check_folder(Path(source))
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, revision=config.revision, trust_remote_code=False, padding_side="left"
        )
        model = AutoModelForCausalLM.from_pretrained(
            source,
            revision=config.revision,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=DTYPES[config.dtype],
        )
    except OSError as error:
        raise ValueError(
            f"model {config.path!r}: neither a folder with a model nor a model the hub gives us ({_first_line(error)}); "
            "check the name, log in with `hf auth login` if it is gated, or give a folder"
        ) from error
    model.to(_device(config.device))
    model.eval()
    renderer = Renderer(tokenizer)
    return LoadedModel(model, renderer, fingerprint(model, renderer))


def fingerprint(model: torch.nn.Module, renderer: Renderer) -> str:
    """SHA-256 over every tensor (name, dtype, shape, bytes) and the renderer's own fingerprint."""
    return hashlib.sha256(f"{weights_sha256(model)} {renderer.fingerprint()}".encode()).hexdigest()


def weights_sha256(model: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def prepare_process() -> None:
    """One torch thread in this process, and no bars but ours.

    Several threads in several processes fight for the cores; and bytes are reproducible with one thread only.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ValueError(f"model {folder}: a folder without config.json is no model; give one saved by save_pretrained")
    if not any(folder.glob("*.safetensors")) and not (folder / "adapter_config.json").is_file():
        found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise ValueError(
            f"model {folder}: no *.safetensors in it (found {found}); pickle weights are not loaded, because they can "
            "run code: load the model once and call save_pretrained(..., safe_serialization=True)"
        )
    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"model {folder}: config.json is not JSON ({error})") from error


def _device(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
