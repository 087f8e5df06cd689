"""Shipped experiments that move behaviour, run on the model under stress: does what it says follow?

The model takes the place of the experiment's own, in its world and on the split the stress is about. Each
experiment is a run directory like any other, beside the artifacts of the probes, and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.config import ExperimentConfig, ModelConfig, WorldTask, shipped_experiment
from coupling.experiment import run_path
from coupling.faithfulness.results import Results
from coupling.models import world_of
from coupling.progress import Progress
from coupling.records import Estimate
from coupling.report.runs import RESULTS_FILE, read_results
from coupling.studies.points import read_failure, run_point

EXPERIMENTS = ("sharp-reversal", "backdoor", "region-only", "shift-and-undo")
"""Shipped experiments that move behaviour, in the order of the table."""
BEFORE, DURING, AFTER = "before", "during", "after"


@dataclass(frozen=True, slots=True)
class ShiftStep:
    """All runs of an experiment at one step."""

    step: int
    phase: str
    """before, during or after: the first step, the judged one, and those between and beyond."""
    self_share: Estimate
    orig_share: Estimate
    delta: Estimate
    t: Estimate


@dataclass(frozen=True, slots=True)
class ShiftResult:
    """What one experiment found on the model."""

    experiment: str
    verdict: str
    sentence: str
    steps: tuple[ShiftStep, ...]
    results_sha256: str
    failure: str | None = None
    """Why it could not be run; then there are no steps."""


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


def run_shifts(
    experiments: Sequence[ExperimentConfig], folder: Path, progress: Progress
) -> list[ShiftResult]:
    """Runs what is not done; an experiment that fails is told of and does not stop the others."""
    found = []
    for config in experiments:
        run_point(config, folder, progress)
        failure = read_failure(folder, config.name)
        if failure is not None:
            found.append(ShiftResult(config.name, "n/a", "", (), "", failure))
            continue
        path = run_path(config, folder)
        found.append(shift_result(config.name, read_results(path), _sha(path / RESULTS_FILE)))
    return found


def shift_result(experiment: str, results: Results, sha256: str) -> ShiftResult:
    """The part of an experiment's figures that the table shows."""
    first = min(row.step for row in results.trajectory)

    def phase(step: int) -> str:
        if step == first:
            return BEFORE
        return AFTER if step == results.step else DURING

    verdict = results.headline.verdict
    steps = [
        ShiftStep(
            row.step, phase(row.step), row.pooled.self_share, row.pooled.orig_share, row.pooled.delta, row.t
        )
        for row in results.trajectory
    ]
    return ShiftResult(experiment, verdict.verdict, verdict.sentence, tuple(steps), sha256)


def _sha(file: Path) -> str:
    from coupling.store import file_sha256

    return file_sha256(file)
