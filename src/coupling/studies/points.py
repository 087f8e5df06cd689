"""One experiment of a sweep: run to its end in a process of its own, or noted as failed.

A point that fails leaves why beside its folder and does not stop the others.
"""

from __future__ import annotations

from pathlib import Path

from coupling.config import ExperimentConfig
from coupling.experiment import run_experiment
from coupling.progress import Progress
from coupling.store import write_text


def run_point(config: ExperimentConfig, folder: Path, progress: Progress) -> None:
    """Runs what is not done of one point in ``folder``, the sweep's, whose points share what they ask M0."""
    failure = failure_file(folder, config.name)
    failure.unlink(missing_ok=True)
    counted = Counted(config, progress)
    try:
        verdict = run_experiment(config, folder, counted, shares=True).verdict().verdict
        progress.note(f"{config.name}: {verdict}")
    except ValueError as error:
        write_text(failure, f"{error}\n")
        progress.note(f"{config.name}: failed: {error}")
    counted.end()


def failure_file(folder: Path, name: str) -> Path:
    """Where it stands why a point failed, the last time it was tried."""
    return folder / f"{name}.failed.txt"


def read_failure(folder: Path, name: str) -> str | None:
    file = failure_file(folder, name)
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


class Counted:
    """An experiment's progress as one task: how many of its runs are trained, and how many sampled."""

    def __init__(self, config: ExperimentConfig, progress: Progress) -> None:
        self._name, self._progress = config.name, progress
        self._total = 2 * len(config.panel)
        self._ended: set[str] = set()
        self._tasks = {f"{work} {member.name}" for work in ("train", "evaluate") for member in config.panel}

    def note(self, text: str) -> None:
        """The stages of one point among many are no news."""

    def update(self, task: str, done: int, total: int) -> None:
        if task in self._tasks and done >= total and task not in self._ended:
            self._ended.add(task)
            if len(self._ended) < self._total:
                self._progress.update(self._name, len(self._ended), self._total)

    def end(self) -> None:
        self._progress.update(self._name, self._total, self._total)


class Together:
    """The progress of all points as one task of the sweep."""

    def __init__(self, progress: Progress, names: tuple[str, ...]) -> None:
        self._progress, self._points = progress, len(names)
        self._share = dict.fromkeys(names, 0.0)

    def note(self, text: str) -> None:
        self._progress.note(text)

    def update(self, task: str, done: int, total: int) -> None:
        before = sum(self._share.values())
        self._share[task] = done / total
        after = sum(self._share.values())
        if int(100 * after) > int(100 * before):
            ended = sum(share >= 1 for share in self._share.values())
            told = f"sweep, {ended} of {self._points} points done"
            self._progress.update(told, int(100 * after / self._points), 100)
