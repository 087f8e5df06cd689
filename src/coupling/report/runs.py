"""The figures that run directories hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from coupling.faithfulness import Results
from coupling.faithfulness.circuits import CircuitResults
from coupling.store import RunDir, read_json
from coupling.store.run_dir import RUN_FILE

RESULTS_FILE = "results.json"
MECHANISM_FILE = "mechanism.json"
STRESS_PAGE = "stress.html"


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
