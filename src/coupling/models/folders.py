"""The folder in which a model's files lie: a shipped organism's, that of a fetched model, the user's own, or
a snapshot of the hub.

Of a hub repository nothing is fetched but descriptions, tokenizer and safetensors; whatever stands behind a
name is a folder from then on, and held against the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from coupling.models.catalogue import CATALOGUE, fetched_folder
from coupling.store.complaints import first_line

ORGANISM_SCHEME = "organism:"
DESCRIPTION_FILES = (
    "adapter_config.json",
    "config.json",
    "generation_config.json",
    "chat_template*",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.tiktoken",
    "*.model",
)
WEIGHT_FILES = ("model*.safetensors", "model.safetensors.index.json")
RAISED_INTO = "organisms"
"""Folder into which the commands that raise organisms put them, where nothing else is said."""
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    path: Path
    commit: str | None
    """Of a hub repository the commit that was fetched."""
    gguf: str | None = None
    """Name of the GGUF file that holds the whole model, where it is no folder's other files that do."""

    @property
    def named_file(self) -> dict[str, str]:
        """How transformers is told of the GGUF file, where there is one."""
        return {} if self.gguf is None else {"gguf_file": self.gguf}


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
    """A path as transformers understands it: organisms and fetched models become their folder, all else stays
    as it is. Where there is a folder of a fetched model's name, it is meant.

    Raises:
        ValueError: no organism of that name is shipped, or a model that `coupling fetch` knows is not there.
    """
    if path.startswith(ORGANISM_SCHEME):
        return str(organism_folder(path.removeprefix(ORGANISM_SCHEME)))
    if path in CATALOGUE and not Path(path).is_dir():
        return str(fetched_folder(path))
    return path


def find_folder(path: str, revision: str | None, field: str, files: tuple[str, ...]) -> ModelFolder:
    """The folder that ``path`` names; of a hub id a snapshot that holds at least ``files``.

    Args:
        revision: branch, tag or commit; of a hub id only.
        field: what the experiment file calls the path, for errors: model.path, model.adapter or that of a
            detector.

    Raises:
        ValueError: neither a folder nor a repository that the hub gives us.
    """
    source = resolve(path)
    if Path(source).is_dir():
        return ModelFolder(Path(source), None)
    if Path(source).parent.name == RAISED_INTO:
        raise ValueError(
            f"{field}: there is no {path!r} yet; raise it by `coupling organism read QUESTIONS` if it is a "
            "reader, or by `coupling organism raise KIND --world W`"
        )
    snapshot = _fetch(source, revision, field, files)
    return ModelFolder(snapshot, snapshot.name)


def _fetch(repository: str, revision: str | None, field: str, files: tuple[str, ...]) -> Path:
    told = f"{field}: {repository!r}"
    try:
        return Path(
            # Folders in a repository hold the same weights for other programs.
            snapshot_download(
                repository, revision=revision, allow_patterns=list(files), ignore_patterns=["*/*"]
            )
        )
    except HFValidationError as error:
        raise ValueError(
            f"{told}: neither a folder with a model nor a name the hub could have; give a folder, or a hub "
            "id such as Qwen/Qwen3-8B"
        ) from error
    except GatedRepoError as error:
        raise ValueError(
            f"{told} is gated: accept its terms at https://huggingface.co/{repository}, log in with "
            "`hf auth login`, and run again; or give a folder"
        ) from error
    except RepositoryNotFoundError as error:
        raise ValueError(
            f"{told}: neither a folder with a model nor a model the hub shows us; check the name, log in "
            "with `hf auth login` if it is private, or give a folder"
        ) from error
    except RevisionNotFoundError as error:
        option = f"{field}_revision" if field.endswith("adapter") else field.replace("path", "revision")
        raise ValueError(
            f"{option}: {repository} has no branch, tag or commit {revision!r}; null takes the main branch"
        ) from error
    except LocalEntryNotFoundError as error:
        raise ValueError(
            f"{told}: neither a folder with a model nor wholly in this machine's cache, and the hub cannot "
            f"be reached ({_cause(error)}); check the name and HF_HUB_OFFLINE, fetch it where there is a "
            "network with `hf download`, log in with `hf auth login` if it is gated, or give a folder"
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise ValueError(
            f"{told}: the hub does not give it to us ({_cause(error)}); try again, or give a folder"
        ) from error


def _cause(error: BaseException) -> str:
    """The first line of what lies at the bottom of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)
