"""A sweep: many experiments that differ in the fields named, read together.

Each point of the grid is an ordinary experiment in its own run directory, ``RUNS/SWEEP/POINT``. Points run
side by side in processes of one thread, or as jobs of a cluster. What is done is passed over, so a killed
sweep is mended by the same command; a longer grid under the same name adds to what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coupling.experiment import is_done
from coupling.processes import side_by_side
from coupling.progress import Progress, Silent
from coupling.report.runs import SWEEP_PAGE
from coupling.store import to_json, write_json, write_text
from coupling.store.run_dir import RUN_FILE
from coupling.studies.cluster import Slurm, require_slurm, run_on_slurm
from coupling.studies.definition import Sweep
from coupling.studies.grid import Point
from coupling.studies.page import render_sweep
from coupling.studies.points import Together, failure_file, run_point
from coupling.studies.summary import SweepResults, summarise

SWEEP_FILE = "sweep.json"
WORKERS = 2


def run_sweep(
    sweep: Sweep,
    runs_dir: Path,
    workers: int | None = None,
    slurm: Slurm | None = None,
    progress: Progress | None = None,
) -> SweepResults:
    """Runs the points that are not done, and leaves table and page in the sweep's folder.

    ``workers`` points run side by side: 2 on this machine where nothing is said, on Slurm all that it grants.
    Points that fail are told of in the results, and tried again by the next call.

    Raises:
        ValueError: before anything runs: the folder, or that of a point, belongs to something else, or there
            is no Slurm; later: a worker process was killed.
    """
    progress = progress or Silent()
    folder = runs_dir / sweep.name
    if slurm is not None:
        require_slurm()
    wanted = _wanted(sweep, folder)
    if len(wanted) < len(sweep.points):
        progress.note(f"done before: {len(sweep.points) - len(wanted)} of {len(sweep.points)} points")
    together = Together(progress, tuple(point.name for point in wanted))
    if slurm is not None and wanted:
        run_on_slurm(wanted, folder, slurm, workers, together)
    else:
        jobs = [(point.config, folder) for point in wanted]
        side_by_side(run_point, jobs, workers or WORKERS, together)
    results = summarise(sweep, folder)
    write_json(folder / SWEEP_FILE, to_json(results))
    write_text(folder / SWEEP_PAGE, render_sweep(results))
    return results


def _wanted(sweep: Sweep, folder: Path) -> Sequence[Point]:
    if (folder / RUN_FILE).is_file():
        raise ValueError(f"{folder}: is the run directory of an experiment; give the sweep another --name")
    wanted = []
    for point in sweep.points:
        if is_done(point.config, folder):
            failure_file(folder, point.name).unlink(missing_ok=True)
        else:
            wanted.append(point)
    return wanted
