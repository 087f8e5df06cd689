"""What all sections of an experiment file share, and the kinds of value that several use."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)

from coupling.shown import plain, shortened

LARGEST = 10_000_000
"""Of steps, pairs, sizes: what is larger was mistyped, and would fill memory before it fails."""
LARGEST_SEED = 2**63 - 1
LARGEST_FACTOR = 1e9
"""Of rates, weights, seconds and prices."""
LONGEST_PATH = 4096


class Section(BaseModel):
    """A section is read strictly and never changes. The docstring under a field is its documentation."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    @field_validator("*")
    @classmethod
    def _is_no_absurd_number(cls, value: object, info: ValidationInfo) -> object:
        is_seed = info.field_name is not None and info.field_name.endswith("seed")
        largest = LARGEST_SEED if is_seed else LARGEST
        if isinstance(value, int) and value > largest:
            raise ValueError(f"{shortened(str(value), 40)} is more than {largest}; give a smaller number")
        if isinstance(value, float) and value > LARGEST_FACTOR:
            raise ValueError(f"{value:g} is more than {LARGEST_FACTOR:g}; give a smaller number")
        return value


class _BesideFile(str):
    """A path that was found beside the experiment file; ``written`` is how the file spells it.

    It is a plain ``str`` to whoever opens it. Saved and hashed is the spelling, so that neither depends on
    where the project lies.
    """

    written: str

    def __new__(cls, path: str, written: str = "") -> _BesideFile:
        found = super().__new__(cls, path)
        found.written = written
        return found


BASE = "base"
"""The model before training, as a target: never a path, whatever lies beside the file."""


def _find_beside_file(value: str, info: ValidationInfo) -> str:
    if value == BASE:
        return value
    if len(value) > LONGEST_PATH or plain(value) != value or "\n" in value:
        raise ValueError(
            f"{shortened(value, 80)!r} is no path; expected at most {LONGEST_PATH} characters, all visible"
        )
    folder = (info.context or {}).get("folder")
    if folder is None or Path(value).is_absolute() or not os.path.exists(Path(folder) / value):
        return value
    return _BesideFile(str(Path(folder) / value), value)


def _as_written(value: str) -> str:
    return value.written if isinstance(value, _BesideFile) else value


def _named_once(tags: tuple[str, ...]) -> tuple[str, ...]:
    for place, tag in enumerate(tags):
        if tag in tags[:place]:
            raise ValueError(f"{tag!r} is named twice; name every tag once")
    return tags


def _safe_as_folder(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", value):
        raise ValueError(
            f"{shortened(value, 80)!r} is no folder name; expected letters and digits, with '.', '_' or '-' "
            "between"
        )
    return value


LocalPath = Annotated[str, AfterValidator(_find_beside_file), PlainSerializer(_as_written)]
"""A path, which may stand relative to the experiment file, or a name that is none."""

FolderName = Annotated[str, AfterValidator(_safe_as_folder)]
"""A name that is safe as the name of a folder on every system."""

Tags = Annotated[tuple[str, ...], AfterValidator(_named_once)]
"""Names of tags, each once."""

TagValues = dict[str, tuple[str, ...]]
"""Selects pairs: every tag named must have one of the values listed for it."""
