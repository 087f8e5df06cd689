"""Who is audited, on which task, and against which reference."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeAlias

import pydantic_core
from pydantic import ValidationError

from coupling.config import EndpointConfig, ExperimentConfig, ModelConfig, named_experiment
from coupling.config.endpoint import HOW_IT_IS_REACHED
from coupling.config.loading import without_defaults_added
from coupling.config.model import told
from coupling.config.yaml_text import dump_yaml, parse_yaml
from coupling.store import Json
from coupling.store.complaints import complaint, names_near

Asked: TypeAlias = ModelConfig | EndpointConfig
"""A model that answers: in memory, or behind an endpoint."""

_OF_TRAINING = frozenset({"name", "model", "supervision", "training", "panel", "twins", "workers"})
"""Sections of an experiment that an audit does not use."""
_OF_THE_AUDITED = ("model.revision=", "model.adapter=")
"""Overrides that are of the audited model alone: the reference may well be what the adapter was put on."""
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Audit:
    name: str
    model: Asked
    reference: Asked | None
    """The model whose behaviour the explanations may have been trained on, as the one before training."""
    experiment: ExperimentConfig
    """Gives the task, and how it is explained and evaluated."""

    def as_experiment(self, model: ModelConfig) -> ExperimentConfig:
        """The experiment with one of the audited models in the place of its own."""
        return self.experiment.model_copy(update={"model": model})


def define_audit(
    model: str,
    task: str,
    reference: str | None = None,
    served_model: str | None = None,
    served_reference: str | None = None,
    endpoint: Sequence[str] = (),
    overrides: Sequence[str] = (),
    pairs: int | None = None,
) -> Audit:
    """An audit from what a command says.

    Args:
        model: organism:NAME, a folder, a hub id, or the URL of an API.
        task: name of a shipped experiment, or an experiment file.
        reference: as ``model``.
        served_model: the name under which the model is served, where it is.
        served_reference: the same of the reference.
        endpoint: fields of the endpoints, as "samples=5".
        overrides: fields of the experiment, as "explanation.format=statement"; those of the section model
            are of the models in memory (revision and adapter of the audited one alone), and what the file
            says of that section is passed over.
        pairs: held-out pairs that are asked about; None takes what the experiment says.

    Raises:
        ValueError: naming the option, its value and what was expected.
    """
    experiment = named_experiment(Path(task), overrides, lacking=sections_lacking(task))
    if pairs is not None:
        evaluation = experiment.evaluation.model_copy(update={"pairs": pairs})
        experiment = experiment.model_copy(update={"evaluation": evaluation})
    if experiment.explanation.examples:
        raise ValueError(
            f"{task}: explanation.examples is {experiment.explanation.examples}, but an audit makes no "
            "labels that could be shown; set explanation.examples: 0"
        )
    if endpoint and not any(_is_url(each) for each in (model, reference or "")):
        raise ValueError("--endpoint: neither model nor reference is the URL of an endpoint; leave it out")

    for given in (model, reference or ""):
        if _is_url(given) and experiment.behavior.kind == "reasoned":
            raise ValueError(
                f"{task}: behavior.kind is 'reasoned', but {_without_key(given)} is an endpoint, which "
                "scores no choices behind one; audit a model in memory, or set behavior: {kind: scored}"
            )

        if _is_url(given) and experiment.explanation.is_filled:
            raise ValueError(
                f"{task}: explanation.way is 'filled', but {_without_key(given)} is an endpoint, which "
                "scores no choices in a sentence; audit a model in memory, or set explanation: {way: free}"
            )

    def asked(given: str, served: str | None, option: str, of_model: Sequence[str]) -> Asked:
        if _is_url(given):
            return _endpoint(given, served, option, endpoint)
        if served is not None:
            raise ValueError(
                f"{option} {served}: {given!r} is not the URL of an endpoint; leave {option} out"
            )
        in_its_place = [f"model={json.dumps({'path': given})}", *of_model]
        own = named_experiment(Path(task), in_its_place, lacking=sections_lacking(task)).model
        # As it is given: it stands beside who types it, and not beside the experiment file.
        return own.model_copy(update={"path": given})

    audited = asked(model, served_model, "--served-model", overrides)
    shared = [override for override in overrides if not override.startswith(_OF_THE_AUDITED)]
    against = None if reference is None else asked(reference, served_reference, "--served-reference", shared)
    if reference is None and served_reference is not None:
        raise ValueError(f"--served-reference {served_reference}: there is no --reference")
    return Audit(folder_name(name_of(audited), task), audited, against, experiment)


def sections_lacking(task: str) -> dict[str, Json]:
    """What a file of a task may leave out where nobody is trained: who is, and in which runs."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", PurePath(task).stem).strip("-")[:_LONGEST_NAME]
    return {"name": name or "task", "model": {"path": "audited"}, "panel": [{"name": "audited"}]}


def name_of(asked: Asked) -> str:
    """What a report calls a model, without saying where on this machine it lies."""
    return asked.model if isinstance(asked, EndpointConfig) else told(asked.path)


def result_fields(audit: Audit) -> dict[str, Json]:
    """All that determines the results. Of readers an audit has only those that are trained on no label."""
    return {
        "audit": audit.name,
        "model": _fields(audit.model),
        "reference": None if audit.reference is None else _fields(audit.reference),
        **without_defaults_added(
            audit.experiment.model_dump(mode="json", exclude={*_OF_TRAINING, "readers"})
        ),
        **({} if audit.experiment.readers.surrogates else {"readers": {"surrogates": False}}),
    }


def dump_audit(audit: Audit) -> str:
    """The same as YAML."""
    return dump_yaml(result_fields(audit))


def _fields(asked: Asked) -> dict[str, Json]:
    return asked.model_dump(mode="json", exclude=set(HOW_IT_IS_REACHED))


def _is_url(given: str) -> bool:
    return given.startswith(("http://", "https://"))


def _endpoint(url: str, served: str | None, option: str, fields: Sequence[str]) -> EndpointConfig:
    if served is None:
        raise ValueError(f"{option} is missing: name the model that is served at {_without_key(url)}")
    raw: dict[str, Json] = {"url": url, "model": served}
    for field in fields:
        name, equals, value = field.partition("=")
        # What is no field is not shown: it may be a key.
        if not equals or name not in EndpointConfig.model_fields:
            raise ValueError(
                "--endpoint: expected a field of the endpoint, '=' and a value, as samples=5 (a key is given "
                "nowhere, and the variable that holds it as api_key_env=NAME); "
                + names_near(name, EndpointConfig.model_fields)
            )
        if name in raw:
            raise ValueError(f"--endpoint {name}: is given twice; give it once")
        raw[name] = parse_yaml(value, f"--endpoint {name}")
    try:
        return EndpointConfig.model_validate_json(pydantic_core.to_json(raw))
    except ValidationError as error:
        raise ValueError(complaint(error, EndpointConfig, "--endpoint")) from error


def _without_key(url: str) -> str:
    """The URL without the user, password or query somebody may have put into it."""
    return re.sub(r"//.*@", "//", url).partition("?")[0]


def folder_name(model: str, task: str) -> str:
    """Of what a model is called and its task, fit for a folder."""
    parts = (PurePath(model).name, PurePath(task).stem)
    words = [re.sub(r"[^A-Za-z0-9._-]+", "-", part.removeprefix("organism:")).strip("._-") for part in parts]
    return "-".join(word for word in words if word)[:_LONGEST_NAME].rstrip("._-") or "audit"
