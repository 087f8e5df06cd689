"""Which files a model's weights would be read from, and that they are safetensors in the model's own folder.

An index, or a field of ``config.json``, may name any file there is: pickled weights, which can run code, or
what lies elsewhere on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath

from coupling.store import Json, read_json

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
SUFFIX = ".safetensors"
_NAMED_BY_CONFIGURATION = "transformers_weights"
"""Field of ``config.json`` by which transformers prefers another file to those two."""


def check_weights(folder: Path, told: str) -> None:
    """Holds every file that transformers would open for weights against that.

    Args:
        told: what errors call the model.

    Raises:
        ValueError: the folder holds no safetensors, one that is named is missing, is no safetensors by its
            name or lies elsewhere, or the index is none.
    """
    if not any(folder.glob(f"*{SUFFIX}")):
        found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise ValueError(
            f"{told}: no *.safetensors in it (found {found}); pickle weights are not loaded, because they "
            "can run code: load the model once where you trust it, and call save_pretrained"
        )
    description = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    named = description.get(_NAMED_BY_CONFIGURATION) if isinstance(description, Mapping) else None
    first = str(named) if named is not None else WHOLE if (folder / WHOLE).is_file() else INDEX
    by = f"config.json ({_NAMED_BY_CONFIGURATION})" if named is not None else INDEX
    if first.endswith(INDEX.removeprefix("model")):
        check_file(folder, first, told, by, ".json")
        for shard in _shards(folder / first, told):
            check_file(folder, shard, told, first)
    else:
        check_file(folder, first, told, by)


def check_file(folder: Path, name: str, told: str, by: str, suffix: str = SUFFIX) -> None:
    """Raises ValueError unless a file that is named ``by`` another is of that kind and lies in the folder.

    In the hub's cache, and there alone, files are links: to the blobs of the same repository.
    """
    if PurePath(name).name != name or not name.endswith(suffix):
        raise ValueError(
            f"{told}: {by} names {name!r}, and weights are read from files *{suffix} in the model's folder "
            "alone: load the model once where you trust it, and call save_pretrained"
        )
    if not (folder / name).is_file():
        raise ValueError(f"{told}: {by} names {name!r}, which is not there; copy or fetch the folder again")
    here, file = folder.resolve(), (folder / name).resolve()
    blobs = here.parent.parent / "blobs"
    is_cached = here.parent.name == "snapshots" and file.parent == blobs
    if file.parent != here and not is_cached:
        raise ValueError(
            f"{told}: {name} is a link to {str(file)!r}, and weights are read from the model's folder alone; "
            "copy the file there, or give the folder it lies in"
        )


def _shards(index: Path, told: str) -> list[str]:
    """The files that an index names."""
    content = read_json(index)
    places: Json = content.get("weight_map") if isinstance(content, Mapping) else None
    is_whole = isinstance(content, Mapping) and isinstance(content.get("metadata"), Mapping)
    if not is_whole or not isinstance(places, Mapping) or not places:
        raise ValueError(
            f"{told}: {index.name} is no index of weights, which has metadata and a weight_map from tensors "
            "to files; save the model again with save_pretrained"
        )
    return sorted({str(place) for place in places.values()})
