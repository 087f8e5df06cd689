"""Which experiments a sweep is made of.

    training.kl.weight=0,0.1,1,10                        an axis: a field and its values, each read as YAML
    seed=0..4                                            whole numbers from 0 to 4
    training.lora={rank: 8, alpha: 16},null              values may be lists and sections
    training.steps=40,80;training.checkpoints=[0,40],[0,80]   fields that move together: one axis

Axes are multiplied. ``seed`` is what the option ``--seed`` is: an offset added to the training seed of every
run.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import cast

from coupling.config import MEMORY_FIELDS, ExperimentConfig, config_sha256, reseeded
from coupling.config.yaml_text import dump_inline, parse_yaml
from coupling.store import Json, json_sha256

SEED = "seed"
MOST_POINTS = 1000
"""A grid of more is a slip of the keyboard."""

Load = Callable[[Sequence[str]], ExperimentConfig]
"""Gives the experiment with some fields varied, each written as ``training.steps=60``."""

_NEXT_FIELD = re.compile(r";\s*(?=[A-Za-z_][\w.]*\s*=)")
_RANGE = re.compile(r"([0-9]+)\.\.([0-9]+)")
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_NAME = 64
_DIGEST_LENGTH = 8
_OURS = {
    "name": "the points of a sweep are named after their settings",
    "workers": "it changes no result; --workers says how many points run side by side",
    **{f"training.{field}": "it changes results by rounding only" for field in sorted(MEMORY_FIELDS)},
}


@dataclass(frozen=True, slots=True)
class Axis:
    """Fields that move together, and the values they take: ``values[i]`` are those of all fields at once."""

    fields: tuple[str, ...]
    values: tuple[tuple[Json, ...], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One experiment of a sweep."""

    settings: Mapping[str, Json]
    """Varied field → value."""
    config: ExperimentConfig
    """Its name is the name of the point; it trains one run at a time, for points run side by side."""

    @property
    def name(self) -> str:
        return self.config.name


def parse_axis(text: str) -> Axis:
    """Reads one ``--vary``.

    Raises:
        ValueError: no field, no values, or fields that move together with unequal numbers of values.
    """
    columns: dict[str, list[Json]] = {}
    for part in _NEXT_FIELD.split(text):
        name, equals, values = part.partition("=")
        name = name.strip()
        if not name or not equals or not values.strip():
            raise ValueError(
                f"--vary {text}: expected a field, '=' and values, as training.kl.weight=0,0.1,1 or seed=0..4"
            )
        if name in _OURS:
            raise ValueError(f"--vary {text}: {name!r} cannot be varied: {_OURS[name]}")
        if name in columns:
            raise ValueError(f"--vary {text}: {name!r} stands twice")
        columns[name] = _values(values, f"--vary {text}")
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} has {count}" for name, count in lengths.items())
        raise ValueError(f"--vary {text}: fields that move together need equally many values; {counts}")
    return Axis(tuple(columns), tuple(zip(*columns.values(), strict=True)))


def build_points(axes: Sequence[Axis], load: Load) -> tuple[Point, ...]:
    """All combinations of the axes' values, the last axis fastest, each a valid experiment.

    Raises:
        ValueError: a field that does not exist or stands on two axes, a value that does not fit, two points
            that are one experiment, or more than `MOST_POINTS`.
    """
    fields = [name for axis in axes for name in axis.fields]
    for name, count in Counter(fields).items():
        if count > 1:
            raise ValueError(f"--vary {name}: varied {count} times; give all its values at once")
    size = math.prod(len(axis.values) for axis in axes)
    if size > MOST_POINTS:
        raise ValueError(f"--vary: the grid has {size} points; a sweep runs at most {MOST_POINTS}")
    combinations = product(*(axis.values for axis in axes))
    every_settings = [dict(zip(fields, chain.from_iterable(each), strict=True)) for each in combinations]
    names = _names(axes, every_settings)
    points: list[Point] = []
    name_by_experiment: dict[str, str] = {}
    for name, settings in zip(names, every_settings, strict=True):
        config = _configured(settings, load)
        sha256 = config_sha256(config)
        if sha256 in name_by_experiment:
            raise ValueError(
                f"--vary: {told_settings(settings)} stands twice in the grid (points "
                f"{name_by_experiment[sha256]} and {name} are one experiment); leave one of them out"
            )
        name_by_experiment[sha256] = name
        points.append(Point(settings, config.model_copy(update={"name": name, "workers": 1})))
    return tuple(points)


def whole_numbers(text: str, option: str) -> list[int]:
    """``0,2`` or ``0..2``, as in ``--vary seed=…``.

    Raises:
        ValueError: anything but different whole numbers from 0 on.
    """
    values = _values(text, option)
    numbers = [value for value in values if isinstance(value, int) and value >= 0]
    if not numbers or len(set(numbers)) < len(values):
        raise ValueError(f"{option} {text}: expected different whole numbers from 0 on, as 0..2 or 0,2")
    return numbers


def words(value: Json) -> str:
    """A value as one writes it after ``--vary``."""
    return value if isinstance(value, str) else dump_inline(value)


def told_settings(settings: Mapping[str, Json]) -> str:
    """Settings as one writes them after ``--vary``."""
    return ", ".join(f"{name}={words(value)}" for name, value in settings.items())


def _values(text: str, option: str) -> list[Json]:
    read = cast(list[Json], parse_yaml(f"[{text}]", option))
    values: list[Json] = []
    for value in read:
        bounds = _RANGE.fullmatch(value) if isinstance(value, str) else None
        if bounds is None:
            values.append(value)
            continue
        first, last = int(bounds[1]), int(bounds[2])
        if not first <= last < first + MOST_POINTS:
            raise ValueError(
                f"{option}: {value} is no range; expected FIRST..LAST, rising, at most {MOST_POINTS} numbers"
            )
        values += range(first, last + 1)
    return values


def _configured(settings: Mapping[str, Json], load: Load) -> ExperimentConfig:
    varied = [f"{name}={dump_inline(value)}" for name, value in settings.items() if name != SEED]
    try:
        config = load(varied)
    except ValueError as error:
        raise ValueError(f"{error} (at the point {told_settings(settings)})") from error
    offset = settings.get(SEED, 0)
    if isinstance(offset, bool) or not isinstance(offset, int) or offset < 0:
        raise ValueError(f"--vary seed={words(offset)}: expected whole numbers from 0 up")
    return reseeded(config, offset)


def _names(axes: Sequence[Axis], every_settings: Sequence[Mapping[str, Json]]) -> list[str]:
    """A folder's name for every point: of each axis the first field that tells its values apart."""
    telling = [field for axis in axes for field in _telling_fields(axis)]
    labels = short_labels(telling)
    names = []
    for settings in every_settings:
        written = (f"{labels[field]}-{_UNSAFE.sub('-', words(settings[field]))}" for field in telling)
        names.append("_".join(written).strip("._-"))
    shared = Counter(name.casefold() for name in names)
    return [
        name
        if shared[name.casefold()] == 1 and len(name) <= _LONGEST_NAME and name
        else _with_digest(name, settings)
        for name, settings in zip(names, every_settings, strict=True)
    ]


def _telling_fields(axis: Axis) -> tuple[str, ...]:
    for field, values in zip(axis.fields, zip(*axis.values, strict=True), strict=True):
        if len({words(value) for value in values}) == len(values):
            return (field,)
    return axis.fields


def short_labels(fields: Sequence[str]) -> dict[str, str]:
    """Fields without their section, where that leaves them different: training.kl.weight → kl.weight."""
    short = {field: field.partition(".")[2] or field for field in fields}
    shared = Counter(short.values())
    return {
        field: label if shared[label] == 1 and not label[0].isdigit() else field
        for field, label in short.items()
    }


def _with_digest(name: str, settings: Mapping[str, Json]) -> str:
    digest = json_sha256(dict(settings))[:_DIGEST_LENGTH]
    kept = name[: _LONGEST_NAME - _DIGEST_LENGTH - 1].rstrip("._-")
    return f"{kept}-{digest}" if kept else digest
