"""Experiment files in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import pydantic_core
from pydantic import ValidationError

from coupling.config.evaluation import ConsequenceConfig
from coupling.config.experiment import ExperimentConfig
from coupling.config.following import following_steps
from coupling.config.readers import ReadersConfig
from coupling.config.training import MEMORY_FIELDS, TrainingConfig
from coupling.config.yaml_text import DEEPEST, dump_yaml, parse_yaml, read_yaml
from coupling.shown import shortened
from coupling.store import Json, json_sha256
from coupling.store.complaints import SHOWN_CHARACTERS, complaint, dotted_names, names_near, nearest_name

_SHIPPED = resources.files("coupling") / "assets" / "experiments"


def load_experiment(
    path: Path, overrides: Sequence[str] = (), varied: Sequence[str] = ()
) -> ExperimentConfig:
    """Read an experiment file, with ``overrides`` such as ``training.steps=60`` or ``panel.0.seed=3``.

    The value of an override is read as YAML; those in ``varied`` come last, and errors call them by
    the option ``--vary``. A relative path is taken to stand beside the file when something stands there.
    Raises ValueError, a line a problem: where, which field, its value, and what was expected.
    """
    raw = read_yaml(path, "`coupling init` writes an experiment")
    return _experiment(raw, str(path), path.parent, overrides, varied)


def named_experiment(
    file: Path,
    overrides: Sequence[str] = (),
    varied: Sequence[str] = (),
    lacking: Mapping[str, Json] | None = None,
) -> ExperimentConfig:
    """``load_experiment`` of a file; of a bare name the shipped experiment, or else the file NAME.yaml.

    Args:
        lacking: sections by which a file is filled up that lacks them, for who has no use for them.
    """
    if not file.suffix and not file.is_file() and len(file.parts) == 1:
        if (shipped := _shipped(file.name)) is not None:
            return _experiment(parse_yaml(shipped, f"{file}.yaml"), f"{file}.yaml", None, overrides, varied)
        if not file.with_name(f"{file.name}.yaml").is_file():
            here = {path.stem for path in Path().glob("*.yaml")}
            known = names_near(file.name, shipped_names() | here)
            told = shortened(str(file))
            raise ValueError(
                f"{told}: no shipped experiment is called so, and no {told}.yaml is here; {known}"
            )
        file = file.with_name(f"{file.name}.yaml")
    raw = read_yaml(file, "`coupling init` writes an experiment")
    if lacking is not None and isinstance(raw, dict):
        raw = {**lacking, **raw}
    return _experiment(raw, str(file), file.parent, overrides, varied)


def parse_experiment(
    text: str,
    where: str,
    folder: Path | None = None,
    overrides: Sequence[str] = (),
    varied: Sequence[str] = (),
) -> ExperimentConfig:
    """``load_experiment`` of a text, which errors call ``where``; relative paths may stand in ``folder``."""
    return _experiment(parse_yaml(text, where), where, folder, overrides, varied)


def _experiment(
    raw: Json, where: str, folder: Path | None, overrides: Sequence[str], varied: Sequence[str]
) -> ExperimentConfig:
    if not isinstance(raw, dict):
        raise ValueError(f"{where}: expected the sections of an experiment; `coupling init` writes one")
    raw = _model_spelt_out(raw)
    where_by_name = {}
    options = [*(("--set", text) for text in overrides), *(("--vary", text) for text in varied)]
    for given, override in options:
        name, equals, value = override.partition("=")
        option = shortened(f"{given} {override}")
        if not name or not equals:
            raise ValueError(f"{option}: expected a dotted field, '=' and a value, as training.steps=60")
        if name.count(".") > DEEPEST:
            raise ValueError(f"{option}: names more than {DEEPEST} levels; no field lies so deep")
        _require_section(name, option)
        raw = _model_spelt_out(_replaced(raw, name.split("."), parse_yaml(value, option), option))
        where_by_name[name] = option
    raw = following_steps(raw, where_by_name)
    try:
        # By way of JSON text: only there a list is strictly a tuple.
        return ExperimentConfig.model_validate_json(pydantic_core.to_json(raw), context={"folder": folder})
    except ValidationError as error:
        raise ValueError(complaint(error, ExperimentConfig, where, where_by_name)) from error


def dump_experiment(config: ExperimentConfig) -> str:
    """YAML with every field, defaults included; ``load_experiment`` gives back an equal configuration."""
    return dump_yaml(config.model_dump(mode="json"))


ADDED: Mapping[tuple[str, ...], Json] = {
    ("behavior", "normalization"): "none",
    ("explanation", "way"): "free",
    ("explanation", "examples"): 0,
    ("explanation", "examples_seed"): 0,
    ("readers",): ReadersConfig().model_dump(mode="json"),
    ("task", "fields"): None,
    ("training", "explanations", "renew_every"): None,
    ("training", "steering", "undo"): None,
    ("evaluation", "consequences"): ConsequenceConfig().model_dump(mode="json"),
}
"""Fields that came later than others, and their defaults, at which they change no result. They are left out
of hashes then: a directory that was begun without them goes on."""


def result_fields(config: ExperimentConfig) -> dict[str, Json]:
    """All of ``config`` that determines results; paths as the file spells them, so projects can be moved.

    What only says how much memory is taken may change in a run that was begun.
    """
    fields: dict[str, Json] = config.model_dump(
        mode="json", exclude={"workers": True, "training": set(MEMORY_FIELDS)}
    )
    return without_defaults_added(fields)


def training_fields(training: TrainingConfig) -> Json:
    """All of it that determines what comes of a training."""
    fields = training.model_dump(mode="json", exclude=set(MEMORY_FIELDS))
    return without_defaults_added({"training": fields})["training"]


def without_defaults_added(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The JSON form of an experiment, or of sections of it, without those of ``ADDED`` that have their
    defaults."""
    kept = dict(fields)
    for path, default in ADDED.items():
        kept = _without(kept, path, default)
    return kept


def _without(fields: Mapping[str, Json], path: tuple[str, ...], default: Json) -> dict[str, Json]:
    name, *below = path
    kept = dict(fields)
    if not below:
        if name in kept and kept[name] == default:
            del kept[name]
    elif isinstance(section := kept.get(name), dict):
        kept[name] = _without(section, tuple(below), default)
    return kept


def config_sha256(config: ExperimentConfig) -> str:
    """The hash of ``result_fields``; what data and models hold is hashed in the artifacts made from them."""
    return json_sha256(result_fields(config))


def shipped_experiment(
    name: str = "quickstart", overrides: Sequence[str] = (), varied: Sequence[str] = ()
) -> ExperimentConfig:
    """An experiment that comes with the package. Raises ValueError naming those there are."""
    text = _shipped(name)
    if text is None:
        known = names_near(name, shipped_names())
        raise ValueError(f"no shipped experiment is called {shortened(repr(name))}; {known}")
    return parse_experiment(text, f"{name}.yaml", None, overrides, varied)


def shipped_names() -> set[str]:
    """The experiments that come with the package."""
    return {entry.name.removesuffix(".yaml") for entry in _SHIPPED.iterdir()}


def _shipped(name: str) -> str | None:
    return (_SHIPPED / f"{name}.yaml").read_text(encoding="utf-8") if name in shipped_names() else None


def _model_spelt_out(raw: Json) -> Json:
    """``model: Qwen/Qwen3-8B`` is short for a section that names the path alone.

    Not a validator: pydantic hands lists to whatever follows one as Python's, which are strictly no tuples.
    """
    if isinstance(raw, dict) and isinstance(raw.get("model"), str):
        return {**raw, "model": {"path": raw["model"]}}
    return raw


def _require_section(name: str, option: str) -> None:
    """Refuse a field of no section; a misspelt field of a section is told of by the section's own check."""
    known = dotted_names(ExperimentConfig)
    *section, field = [part for part in name.split(".") if not part.isdigit()]
    if section and ".".join(section) not in known:
        meant = nearest_name(".".join([*section, field]), known)
        hint = f"did you mean {meant!r}?" if meant else "`coupling init` writes a file with all fields"
        raise ValueError(f"{option}: unknown field {name!r}: {hint}")


def _replaced(node: Json, parts: Sequence[str], value: Json, option: str) -> Json:
    """A copy of ``node`` in which ``value`` stands where ``parts`` lead; sections left out are begun."""
    if not parts:
        return value
    part, *rest = parts
    if isinstance(node, list):
        if not part.isdecimal() or len(part) > len(str(len(node))) or int(part) >= len(node):
            raise ValueError(
                f"{option}: {_short(part)} is no position in a list of {len(node)}; the first is 0"
            )
        at = int(part)
        return [*node[:at], _replaced(node[at], rest, value, option), *node[at + 1 :]]
    if node is None:
        node = {}
    if not isinstance(node, dict):
        raise ValueError(
            f"{option}: {_short(part)} would stand inside {_short(node)}, which is a single value"
        )
    return {**node, part: _replaced(node.get(part), rest, value, option)}


def _short(value: object) -> str:
    return shortened(repr(value), SHOWN_CHARACTERS)
