"""A model that lies in one GGUF file, as llama.cpp and its kin write them.

transformers reads such a file and unpacks its rounded weights. From then on it is a model as any other: it
can be trained, saved and loaded again.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import transformers
from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING
from transformers.utils.import_utils import is_gguf_available

from coupling.store.atomic import reading
from coupling.store.complaints import first_line

SUFFIX = ".gguf"
EXTRA = "pip install 'introspective-coupling[gguf]'"
_MAGIC = b"GGUF"
_CAN_STAY_PACKED = "gguf" in AUTO_QUANTIZATION_CONFIG_MAPPING
"""Later versions of transformers keep the rounded weights where they can, unless told not to."""


def gguf_file(path: str) -> Path | None:
    """The GGUF file that a model's path names; None where it names something else."""
    return Path(path) if path.lower().endswith(SUFFIX) and not Path(path).is_dir() else None


def check_gguf(file: Path, told: str) -> None:
    """Holds a file against what can be seen without reading it whole.

    Args:
        told: what errors call the model.

    Raises:
        ValueError: there is no such file, it is no GGUF file, or as `require_reader`.
    """
    with reading(file), file.open("rb") as opened:
        begins = opened.read(len(_MAGIC))
    if begins != _MAGIC:
        raise ValueError(
            f"{told}: is no GGUF file (it begins with {begins!r}, not with {_MAGIC!r}); give one, or a "
            "folder saved by save_pretrained"
        )
    require_reader(told)


def require_reader(told: str) -> None:
    """Raises ValueError where GGUF files cannot be read here, or not without code from elsewhere."""
    if not is_gguf_available():
        raise ValueError(f"{told}: reading a GGUF file needs the package gguf; {EXTRA}")
    if _CAN_STAY_PACKED and find_spec("kernels") is not None:
        raise ValueError(
            f"{told}: is a GGUF file, and where the package kernels is installed transformers fetches "
            "compiled code from the hub to run it; uninstall kernels, or give the checkpoint it was made from"
        )


def loading_options() -> dict[str, Any]:
    """What ``from_pretrained`` is to be told beside the file's name: unpack every weight.

    The model is then no quantised one to transformers either, and can be saved.
    """
    return (
        {"quantization_config": AUTO_QUANTIZATION_CONFIG_MAPPING["gguf"](dequantize=True)}
        if _CAN_STAY_PACKED
        else {}
    )


def complaint_about(file: Path, told: str, error: BaseException) -> str:
    """Says what is wrong with a file that could not be loaded, and what to do.

    transformers says the same of a file that is cut short and of a kind that it does not know, or something
    about the sizes of arrays; so the file is read again by the package that llama.cpp publishes for it.

    Args:
        error: what transformers raised.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(file)
    # numpy runs against the end of the file in several ways.
    except (ValueError, IndexError, KeyError, OverflowError) as damage:
        return (
            f"{told}: is a GGUF file that is cut short or damaged ({first_line(damage)}); fetch or copy it "
            "again, and compare its size"
        )
    field = reader.get_field("general.architecture")
    kind = "without an architecture" if field is None else f"of the architecture {field.contents()!r}"
    return (
        f"{told}: is a GGUF file {kind}, which transformers {transformers.__version__} does not load as a "
        f"causal language model ({first_line(error)}); upgrade transformers, or give the checkpoint it was "
        "made from"
    )
