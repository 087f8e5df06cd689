"""Shipped experiments that move behaviour, run on the model under stress: does what it says follow?

The model takes the place of the experiment's own, in its world and on the split the stress is about. Each
experiment is a run directory like any other, beside the artifacts of the probes, and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.config import ExperimentConfig, ModelConfig, WorldTask, shipped_experiment
from coupling.experiment import run_path
from coupling.faithfulness.results import Results
from coupling.models import world_of
from coupling.progress import Progress
from coupling.records import Estimate
from coupling.report.runs import RESULTS_FILE, read_results
from coupling.report.shifts import told_on_one_screen
from coupling.store import file_sha256
from coupling.studies.points import read_failure, run_point

EXPERIMENTS = ("sharp-reversal", "backdoor", "region-only", "shift-and-undo")
"""Shipped experiments that move behaviour, in the order of the table."""


SHIFTED = ("self", "orig", "delta", "t")
"""What the table shows of a moment."""


@dataclass(frozen=True, slots=True)
class ShiftMoment:
    """All runs of an experiment at one moment of its shift."""

    name: str
    """before, half-way, after or undone, as in the experiment's own report."""
    step: int
    figures: Mapping[str, Estimate]
    """One for each of `SHIFTED`, by its name in the registry."""


@dataclass(frozen=True, slots=True)
class ShiftFound:
    """What one experiment found on the model."""

    experiment: str
    verdict: str
    sentence: str
    moments: tuple[ShiftMoment, ...]
    told: tuple[str, ...]
    """How many steps explanations lag behind behaviour, in words."""
    results_sha256: str
    failure: str | None = None
    """Why it could not be run; then there are no moments."""


def world_for(stress: ExperimentConfig) -> int | None:
    """Number of the world in which the shift experiments can ask the model; None for models of no world."""
    if not isinstance(stress.task, WorldTask):
        return None
    return world_of(stress.model) if stress.task.world is None else stress.task.world


def shift_experiments(
    stress: ExperimentConfig, model: ModelConfig, world: int, quick_pairs: int | None
) -> list[ExperimentConfig]:
    """The experiments with the model in the place of their own, evaluated where the stress is."""
    made = []
    for name in EXPERIMENTS:
        config = shipped_experiment(name)
        assert isinstance(config.task, WorldTask)
        task = config.task.model_copy(update={"world": world})
        # Of the pairs it asks about; an experiment's own number of them otherwise.
        pairs = config.evaluation.pairs if quick_pairs is None else quick_pairs
        evaluation = config.evaluation.model_copy(update={"split": stress.evaluation.split, "pairs": pairs})
        # A trigger is a word that the model may lack; one that it knows keeps its token.
        words = tuple(dict.fromkeys((*model.new_words, *config.model.new_words)))
        itself = model.model_copy(update={"new_words": words})
        made.append(config.model_copy(update={"model": itself, "task": task, "evaluation": evaluation}))
    return made


def run_shifts(experiments: Sequence[ExperimentConfig], folder: Path, progress: Progress) -> list[ShiftFound]:
    """Runs what is not done; an experiment that fails is told of and does not stop the others."""
    found = []
    for config in experiments:
        run_point(config, folder, progress)
        failure = read_failure(folder, config.name)
        if failure is not None:
            found.append(ShiftFound(config.name, "n/a", "", (), (), "", failure))
            continue
        path = run_path(config, folder)
        found.append(shift_found(config.name, read_results(path), file_sha256(path / RESULTS_FILE)))
    return found


def shift_found(experiment: str, results: Results, sha256: str) -> ShiftFound:
    """The part of an experiment's figures that the table shows."""
    verdict, figures = results.verdict(), results.figures
    moments = tuple(
        ShiftMoment(each.name, each.step, {name: figures(name, step=each.step) for name in SHIFTED})
        for each in (results.shift.moments if results.shift else ())
    )
    told = tuple(told_on_one_screen(results))
    return ShiftFound(experiment, verdict.verdict, verdict.sentence, moments, told, sha256)
