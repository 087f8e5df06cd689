"""The figures that run directories hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from coupling.faithfulness import Results
from coupling.faithfulness.circuits import CircuitResults
from coupling.store import RunDir, read_json
from coupling.store.complaints import names_near
from coupling.store.run_dir import RUN_FILE

RESULTS_FILE = "results.json"
MECHANISM_FILE = "mechanism.json"
REPORT_PAGE = "report.html"
STRESS_PAGE = "stress.html"
SWEEP_PAGE = "sweep.html"
AUDITS_DIR = Path("audits")
"""Where audits lie that were given no other folder."""


def find_run(named: Path, runs_dir: Path) -> Path:
    """A run directory by its path, its name or the experiment file of that name.

    Raises:
        ValueError: there is none, with the names that are near.
    """
    if _is_run(named) or (named / RESULTS_FILE).is_file():
        return named
    folders, name = (runs_dir, AUDITS_DIR), named.name.removesuffix(".yaml")
    if named.parent == Path() or named.suffix == ".yaml":
        for folder in folders:
            if _is_run(folder / name):
                return folder / name
    if named.is_dir():  # Whoever reads it says what it lacks.
        return named
    known = {path.name for folder in folders if folder.is_dir() for path in folder.iterdir() if _is_run(path)}
    raise ValueError(f"{named}: no such run directory, and none in {runs_dir}; {names_near(name, known)}")


def _is_run(path: Path) -> bool:
    return (path / RUN_FILE).is_file()


def read_results(run: Path) -> Results:
    """The figures of a run directory.

    Raises:
        ValueError: no such directory, no figures in it yet, figures of another version, or altered ones.
    """
    if not (run / RESULTS_FILE).is_file():
        missing = "no figures in it yet; run `coupling evaluate`" if run.is_dir() else "no such run directory"
        raise ValueError(f"{run}: {missing}; `coupling ls` lists those there are")
    file = recorded(run, RESULTS_FILE)
    return Results.from_json(read_json(file), str(file))


def recorded(run: Path, name: str) -> Path:
    """A file of a run directory, as it was made; what `coupling judge` writes stands in none.

    Raises:
        ValueError: it is no longer what the directory notes.
    """
    if (run / RUN_FILE).is_file():
        RunDir(run).sha(name)
    return run / name


def read_circuits(run: Path) -> CircuitResults | None:
    """What patching found; None where nothing was patched.

    Raises:
        ValueError: figures of another version, or altered ones.
    """
    if not (run / MECHANISM_FILE).is_file():
        return None
    file = recorded(run, MECHANISM_FILE)
    return CircuitResults.from_json(read_json(file), str(file))


def pages_beside(run: Path) -> dict[str, str]:
    """Pages that a report leads to, where they are: their place as seen from the run directory, and what a
    link says."""
    pages = {STRESS_PAGE: "Under stress", f"../{SWEEP_PAGE}": "The sweep it is a point of"}
    return {page: words for page, words in pages.items() if (run / page).is_file()}


@dataclass(frozen=True, slots=True)
class Sweep:
    """A folder of run directories: a sweep, or a study whose experiments lie together."""

    is_sweep: bool
    experiments: int
    evaluated: int
    date: datetime | None
    """When the last of them was evaluated."""

    @property
    def words(self) -> str:
        kind = "sweep" if self.is_sweep else "folder"
        return f"{kind} of {self.experiments} experiments, {self.evaluated} evaluated"


def list_sweeps(runs_dir: Path) -> dict[str, Sweep]:
    """The folders of run directories in a folder, by name."""
    found: dict[str, Sweep] = {}
    for folder in sorted(path for path in runs_dir.iterdir() if path.is_dir() and not _is_run(path)):
        runs = [file.parent for file in folder.glob(f"*/{RUN_FILE}")]
        dates = [date for run in runs if (date := evaluated_at(run)) is not None]
        if runs:
            is_sweep = (folder / SWEEP_PAGE).is_file()
            found[folder.name] = Sweep(is_sweep, len(runs), len(dates), max(dates, default=None))
    return found


def evaluated_at(run: Path) -> datetime | None:
    """When the figures of a run directory were written, in local time; None where there are none."""
    results = run / RESULTS_FILE
    return datetime.fromtimestamp(results.stat().st_mtime) if results.is_file() else None


def is_stressed(run: Path) -> bool:
    """Whether there is a page of what came of one of its models under stress."""
    return (run / STRESS_PAGE).is_file()


def list_results(runs_dir: Path, read: Callable[[Path], Results] = read_results) -> dict[str, Results | str]:
    """The run directories of a folder by name: their figures, or why there are none.

    Args:
        read: reads one of them, and raises ValueError where that cannot be done.

    Raises:
        ValueError: there is no such folder.
    """
    if not runs_dir.is_dir():
        raise ValueError(f"{runs_dir}: no such folder; `coupling quickstart` makes a first run")
    runs = sorted(path.parent for path in runs_dir.glob(f"*/{RUN_FILE}"))
    return {run.name: _results_or_reason(run, read) for run in runs}


def _results_or_reason(run: Path, read: Callable[[Path], Results]) -> Results | str:
    if not (run / RESULTS_FILE).is_file():
        return "not evaluated"
    try:
        return read(run)
    except ValueError as error:
        return str(error)
