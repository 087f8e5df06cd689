"""Where a sweep is written down: in options beside an experiment, in a file, or in one that is shipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import pydantic_core
from pydantic import Field, TypeAdapter, ValidationError

from coupling.config import named_experiment
from coupling.config.section import FolderName, LocalPath, Section
from coupling.config.yaml_text import parse_yaml, read_yaml
from coupling.store import Json
from coupling.store.complaints import complaint
from coupling.studies.grid import Axis, Point, build_points, parse_axis


class SweepFile(Section):
    """A sweep in a file of its own."""

    experiment: LocalPath
    """Shipped experiment, as quickstart, or an experiment file beside this one."""
    set: tuple[str, ...] = ()
    """What is overridden at every point, as the option --set takes it."""
    vary: Annotated[tuple[str, ...], Field(min_length=1)]
    """What is varied, an axis a line, as the option --vary takes it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A grid of valid experiments."""

    name: str
    """Its folder in the runs directory."""
    experiment: str
    """Name of the experiment that is varied."""
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]


def plan_sweep(
    file: Path, vary: Sequence[str] = (), overrides: Sequence[str] = (), name: str | None = None
) -> Sweep:
    """The sweep that ``file`` and options describe; every experiment in it is checked here.

    ``file`` is a sweep file or a shipped sweep, to whose own ``set`` and ``vary`` the options are added; or
    else an experiment file or a shipped experiment.

    Raises:
        ValueError: the file cannot be read, or as `coupling.studies.grid.build_points`.
    """
    written = _sweep_file(file)
    experiment = file if written is None else Path(written.experiment)
    vary = [*(written.vary if written else ()), *vary]
    overrides = [*(written.set if written else ()), *overrides]
    base = named_experiment(experiment, overrides)
    if not vary:
        raise ValueError(f"{file}: nothing is varied; add fields, as --vary training.kl.weight=0,0.1,1")
    axes = tuple(parse_axis(text) for text in vary)
    points = build_points(axes, partial(named_experiment, experiment, overrides))
    fields = [axis.fields[0].rpartition(".")[2] for axis in axes]
    by_default = file.stem if written else "-".join([base.name, "by", *fields])
    return Sweep(_folder_name(name or by_default), base.name, axes, points)


def shipped_sweeps() -> dict[str, SweepFile]:
    """The sweeps that come with the package, by name."""
    found = (
        entry.name.removesuffix(".yaml") for entry in _assets().iterdir() if entry.name.endswith(".yaml")
    )
    return {name: _read(_assets().joinpath(f"{name}.yaml"), f"{name}.yaml") for name in sorted(found)}


def _sweep_file(file: Path) -> SweepFile | None:
    """What ``file`` says where it is a sweep's, and None where it must be an experiment's."""
    if file.name and not file.suffix and not file.is_file():
        shipped, here = _assets().joinpath(f"{file}.yaml"), file.with_name(f"{file.name}.yaml")
        if shipped.is_file():
            return _read(shipped, f"{file}.yaml")
        if not here.is_file():
            return None
        file = here
    raw = read_yaml(file, "`coupling init` writes an experiment")
    if not isinstance(raw, dict) or "vary" not in raw:
        return None
    return _validated(raw, str(file), file.parent)


def _read(file: Traversable, where: str) -> SweepFile:
    return _validated(parse_yaml(file.read_text(encoding="utf-8"), where), where, None)


def _validated(raw: Json, where: str, folder: Path | None) -> SweepFile:
    try:
        return SweepFile.model_validate_json(pydantic_core.to_json(raw), context={"folder": folder})
    except ValidationError as error:
        raise ValueError(complaint(error, SweepFile, where)) from error


def _assets() -> Traversable:
    return resources.files("coupling") / "assets" / "sweeps"


def _folder_name(name: str) -> str:
    try:
        return TypeAdapter[str](FolderName).validate_python(name)
    except ValidationError as error:
        reason = re.sub(r"^Value error, ", "", error.errors()[0]["msg"])
        raise ValueError(f"--name {name}: {reason}") from error
