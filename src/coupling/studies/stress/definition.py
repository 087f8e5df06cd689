"""Whose explanations are put under stress, by which sections, and on how many pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.config import (
    ExperimentConfig,
    RunConfig,
    dump_experiment,
    load_experiment,
    named_experiment,
    result_fields,
)
from coupling.config.loading import without_defaults_added
from coupling.config.yaml_text import dump_yaml
from coupling.report.runs import read_results
from coupling.store import Json, RunDir
from coupling.store.run_dir import EXPERIMENT_FILE, RUN_FILE
from coupling.studies.audit.definition import folder_name, sections_lacking
from coupling.studies.stress.probes import PROBES, Probe, probe_named

PROBES_SECTION, SHIFTS_SECTION, STAKES_SECTION = "probes", "shifts", "stakes"
SECTIONS = (PROBES_SECTION, STAKES_SECTION, SHIFTS_SECTION)
"""In the order in which they are made: the last trains models, and takes longest."""
PAIRS, QUICK_PAIRS = 600, 150
"""Held-out pairs, as many as the experiment evaluates on; and of a quick look."""

_OF_TRAINING = frozenset({"name", "supervision", "training", "panel", "twins", "readers", "workers"})
"""Sections of an experiment that a model by itself has no use for."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run of a panel at one of its steps."""

    member: RunConfig
    step: int


@dataclass(frozen=True, slots=True)
class Stress:
    config: ExperimentConfig
    """The run's own; of a model by itself the task's, with the model in the place of its own."""
    path: Path
    """Where everything is kept: the run's directory, or one of its own."""
    checkpoint: Checkpoint | None
    """None for a model by itself."""
    name: str
    sections: tuple[str, ...] = SECTIONS
    probes: tuple[Probe, ...] = PROBES
    pairs: int = PAIRS

    def __post_init__(self) -> None:
        if self.config.explanation.examples:
            raise ValueError(
                f"{self.config.name}: explanation.examples is {self.config.explanation.examples}, but probes "
                "put questions of their own, before which no example stands; take a run or a task with "
                "explanation.examples: 0"
            )
        for section in self.sections:
            if section not in SECTIONS:
                raise ValueError(
                    f"--only {section}: there is no such section; there are {', '.join(SECTIONS)}"
                )

    def fields(self) -> dict[str, Json]:
        """All that determines what is in the directory."""
        if self.checkpoint is not None:
            return result_fields(self.config)
        asked = without_defaults_added(self.config.model_dump(mode="json"))
        return {
            "stress": self.name,
            **{section: content for section, content in asked.items() if section not in _OF_TRAINING},
        }

    def as_yaml(self) -> str:
        return dump_experiment(self.config) if self.checkpoint is not None else dump_yaml(self.fields())


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of it is wanted, as a command says it."""

    only: Sequence[str] = ()
    probes: Sequence[str] = ()
    pairs: int | None = None
    quick: bool = False

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(self.only) or SECTIONS

    @property
    def named_probes(self) -> tuple[Probe, ...]:
        return tuple(probe_named(name) for name in dict.fromkeys(self.probes)) or PROBES

    @property
    def asked_pairs(self) -> int:
        return self.pairs or (QUICK_PAIRS if self.quick else PAIRS)


def is_run(target: str) -> bool:
    """Whether it is the directory of a run, and not a model."""
    return (Path(target) / RUN_FILE).is_file()


def stress_of_run(
    path: Path,
    extent: Extent,
    member: str | None = None,
    step: int | None = None,
    experiment: str | None = None,
) -> Stress:
    """One run of an experiment at one of its checkpoints.

    Args:
        member: its name; by default the first that is not steered, else the first.
        step: by default the one the verdict is about.
        experiment: of the directory; needed only where its paths stand relative to another folder.

    Raises:
        ValueError: no run directory, no run of that name, no such checkpoint, or it is not finished or
            was judged by another version.
    """
    run = RunDir(path)
    if experiment is None:
        config = load_experiment(path / EXPERIMENT_FILE)
    else:
        config = named_experiment(Path(experiment))
    checkpoint = Checkpoint(_member(config, member), config.evaluation.checkpoint if step is None else step)
    if checkpoint.step not in config.training.checkpoints:
        raise ValueError(
            f"--step {step}: {config.name} keeps none of that step; there are "
            f"{', '.join(map(str, config.training.checkpoints))}"
        )
    if not run.file("results.json").is_file():
        raise ValueError(f"{path}: this run is not finished; `coupling run` goes on with it")
    read_results(path)  # Its report is written again in the end, which figures of another version forbid.
    return Stress(
        config,
        path,
        checkpoint,
        f"{config.name}, {checkpoint.member.name} at step {checkpoint.step}",
        extent.sections,
        extent.named_probes,
        extent.asked_pairs,
    )


def stress_of_model(
    model: str,
    task: str | None,
    extent: Extent,
    runs_dir: Path,
    out: Path | None = None,
    overrides: Sequence[str] = (),
) -> Stress:
    """A model by itself: organism:NAME, a folder or a hub id.

    Args:
        task: name of a shipped experiment, or an experiment file.
        out: folder of its own; stress-MODEL-TASK in ``runs_dir`` by default.

    Raises:
        ValueError: there is no task, or it does not fit.
    """
    if model.startswith(("http://", "https://")):
        raise ValueError(f"{model}: a served model cannot be put under stress; `coupling audit` asks it")
    if task is None:
        raise ValueError(
            f"{model}: is no run directory (no {RUN_FILE} in it); of a model name the task as well: "
            "--task EXPERIMENT, as quickstart"
        )
    lacking = sections_lacking(task)
    config = named_experiment(Path(task), overrides, lacking=lacking)
    in_its_place = [f"model={json.dumps({'path': model})}", *overrides]
    own = named_experiment(Path(task), in_its_place, lacking=lacking).model
    # As it is given: it stands beside who types it, and not beside the experiment file.
    own = own.model_copy(update={"path": model})
    name = folder_name(own.name, task)
    return Stress(
        config.model_copy(update={"model": own}),
        out or runs_dir / f"stress-{name}",
        None,
        name,
        extent.sections,
        extent.named_probes,
        extent.asked_pairs,
    )


def _member(config: ExperimentConfig, name: str | None) -> RunConfig:
    named = {run.name: run for run in config.panel}
    if name is None:
        return next((run for run in config.panel if run.steer is None), config.panel[0])
    if name not in named:
        raise ValueError(
            f"--run {name}: the panel of {config.name} has no such run; there are {', '.join(named)}"
        )
    return named[name]
