"""The points of a sweep as the tasks of one Slurm array job, through submitit.

What was submitted is noted in ``slurm/jobs.json``, so that a command that was stopped waits for the jobs it
had submitted instead of submitting them again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from coupling.progress import Progress, Silent
from coupling.store import Json, from_json, read_json, to_json, write_json, write_text
from coupling.studies.grid import Point
from coupling.studies.points import failure_file, run_point

if TYPE_CHECKING:
    import submitit

FOLDER = "slurm"
JOBS_FILE = f"{FOLDER}/jobs.json"
POLL_SECONDS = 5.0
_ALIVE = {"PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "REQUEUED", "PREEMPTED", "COMPLETING"}


@dataclass(frozen=True, slots=True)
class Slurm:
    """Where the points run, and with what."""

    partition: str
    options: Mapping[str, Json]
    """Further parameters of ``submitit.AutoExecutor``, as timeout_min, mem_gb, slurm_account."""


@dataclass(frozen=True, slots=True)
class _Submitted:
    """``jobs.json``: the job of each point that was submitted."""

    jobs: Mapping[str, str]


def require_slurm() -> None:
    """Raises ValueError, saying what to do, when jobs cannot be submitted from here."""
    _submitit()
    missing = [command for command in ("sbatch", "srun") if shutil.which(command) is None]
    if missing:
        raise ValueError(
            f"--slurm: there is no {' and no '.join(missing)} here; run this on a login node of a Slurm "
            "cluster, or leave --slurm out to run the points on this machine"
        )


def run_on_slurm(
    points: Sequence[Point],
    folder: Path,
    slurm: Slurm,
    side_by_side: int | None,
    progress: Progress,
    cluster: str = "slurm",
    poll_seconds: float = POLL_SECONDS,
) -> None:
    """Submits ``points``, at most ``side_by_side`` of them running at once, and waits for all.

    ``cluster`` is submitit's name for where jobs run; "local" runs them on this machine.

    Raises:
        ValueError: submitit is not there, does not know an option, or cannot submit.
    """
    executor = _executor(folder, slurm, side_by_side, cluster)
    jobs = _submitted_before(points, folder, cluster)
    if jobs:
        progress.note(f"waiting for {len(jobs)} jobs that were submitted before")
    wanted = [point for point in points if point.name not in jobs]
    if wanted:
        jobs |= _submit(executor, wanted, folder)
        ids = {name: job.job_id for name, job in jobs.items()}
        write_json(folder / JOBS_FILE, to_json(_Submitted(ids)))
        progress.note(f"submitted {len(wanted)} jobs; their logs are in {folder / FOLDER}")
    waiting = dict(jobs)
    while waiting:
        for name, job in list(waiting.items()):
            if job.done():
                del waiting[name]
                _note_death(job, failure_file(folder, name))
                progress.update(name, 1, 1)
        if waiting:
            time.sleep(poll_seconds)


def _executor(folder: Path, slurm: Slurm, side_by_side: int | None, cluster: str) -> submitit.AutoExecutor:
    executor: submitit.AutoExecutor = _submitit().AutoExecutor(
        folder=(folder / FOLDER).resolve(), cluster=cluster
    )
    parameters = {"name": folder.name, "slurm_partition": slurm.partition, **slurm.options}
    if side_by_side is not None:
        parameters["slurm_array_parallelism"] = side_by_side
    try:
        executor.update_parameters(**parameters)
    except (NameError, TypeError, AssertionError) as error:  # How submitit refuses names and values.
        raise ValueError(f"--slurm-set: {error}") from error
    return executor


def _submit(
    executor: submitit.AutoExecutor, points: Sequence[Point], folder: Path
) -> dict[str, submitit.Job[None]]:
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    jobs: list[submitit.Job[None]] = []
    try:
        with executor.batch():
            for point in points:
                jobs.append(executor.submit(run_point, point.config, folder.resolve(), Silent()))
    except (FailedJobError, FailedSubmissionError) as error:
        raise ValueError(f"--slurm: the jobs were not taken: {error}") from error
    return {point.name: job for point, job in zip(points, jobs, strict=True)}


def _submitted_before(points: Sequence[Point], folder: Path, cluster: str) -> dict[str, submitit.Job[None]]:
    """The jobs of ``points`` that an earlier command submitted and that are still to end."""
    file = folder / JOBS_FILE
    if not file.is_file():
        return {}
    noted = from_json(_Submitted, read_json(file), str(file)).jobs
    kind: type[submitit.Job[None]] = _submitit().SlurmJob if cluster == "slurm" else _submitit().LocalJob
    jobs = {
        point.name: kind(folder=(folder / FOLDER).resolve(), job_id=noted[point.name])
        for point in points
        if point.name in noted
    }
    return {name: job for name, job in jobs.items() if _is_alive(job)}


def _is_alive(job: submitit.Job[None]) -> bool:
    if job.done(force_check=True):
        return False
    return job.state.upper().partition(" ")[0] in _ALIVE


def _note_death(job: submitit.Job[None], failure: Path) -> None:
    """A job that Slurm ended (time, memory) could not say so itself."""
    error = job.exception()
    if error is not None and not failure.exists():
        write_text(
            failure, f"job {job.job_id} ended as {job.state}; its log is {job.paths.stderr.name}\n{error}\n"
        )


def _submitit() -> ModuleType:
    try:
        import submitit
    except ImportError as error:
        raise ValueError(
            "--slurm: needs submitit; install it with: pip install 'introspective-coupling[slurm]'"
        ) from error
    return submitit
