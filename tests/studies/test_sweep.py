from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coupling.progress import Silent
from coupling.store import from_json
from coupling.studies.cluster import Slurm, require_slurm, run_on_slurm
from coupling.studies.definition import plan_sweep
from coupling.studies.points import Together
from coupling.studies.summary import SweepResults, read_sweep, summarise, verdict_of
from coupling.studies.sweep import run_sweep
from miniature_experiment import write_experiment
from noted import Noted

MORE_LABELS_THAN_PAIRS = 1_000_000
ONE_RUN = {
    "panel": [{"name": "alone"}],
    "twins": [],
    "training": {"steps": 2, "checkpoints": [0, 2]},
    "evaluation": {"checkpoint": 2, "pairs": 20},
}


def made(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every finished artifact that is a file: when it was written, and what it holds."""
    sidecars = folder.rglob("*.made.json")
    files = (file for sidecar in sidecars for file in (sidecar, artifact_of(sidecar)) if file.is_file())
    return {str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def artifact_of(sidecar: Path) -> Path:
    return sidecar.with_name(sidecar.name.removesuffix(".made.json"))


def test_one_point_fails_and_the_others_are_done_once(tmp_path: Path) -> None:
    file, noted = write_experiment(tmp_path, **ONE_RUN), Noted()
    vary = [f"supervision.labels=24,{MORE_LABELS_THAN_PAIRS}"]
    sweep = plan_sweep(file, vary, name="labels")
    results = run_sweep(sweep, tmp_path / "runs", workers=1, progress=noted)
    folder = tmp_path / "runs" / "labels"
    done, failed = results.points
    assert done.figures is not None and done.figures.estimates["t"].value is None
    assert failed.failure is not None and str(MORE_LABELS_THAN_PAIRS) in failed.failure
    assert [note.partition(":")[0] for note in noted.notes] == [
        "labels-24",
        f"labels-{MORE_LABELS_THAN_PAIRS}",
    ]
    assert noted.updates[-1] == ("sweep, 2 of 2 points done", 100, 100)
    assert read_sweep(folder / "sweep.json") == results
    assert "<svg" in (folder / "sweep.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="1 of 2 points failed"):
        results.require_all()

    # Again, with a point more: what is done stays, what failed is tried again, the rest is run.
    before, noted = made(folder / "labels-24"), Noted()
    longer = plan_sweep(file, ["supervision.labels=24,12"], name="labels")
    assert [verdict_of(point) for point in summarise(longer, folder).points][1] == "not run"
    results = run_sweep(longer, tmp_path / "runs", workers=1, progress=noted)
    assert noted.notes[0] == "done before: 1 of 2 points"
    assert made(folder / "labels-24") == before
    results.require_all()

    # Other settings under the same name are refused before anything runs.
    other = plan_sweep(file, ["supervision.labels=24,6"], overrides=["training.batch_size=4"], name="labels")
    with pytest.raises(ValueError, match=r"training.batch_size \(8 there, 4 now\)"):
        run_sweep(other, tmp_path / "runs", workers=1)
    assert not (folder / "labels-6").exists()
    inside = plan_sweep(file, ["seed=0"], name="labels-24")
    with pytest.raises(ValueError, match="is the run directory of an experiment"):
        run_sweep(inside, folder, workers=1)


def test_progress_of_points_is_one_task() -> None:
    noted = Noted()
    together = Together(noted, ("a", "b"))
    for task, done in (("a", 1), ("b", 1), ("a", 2), ("b", 2)):
        together.update(task, done, 2)
    assert [done for _, done, _ in noted.updates] == [25, 50, 75, 100]
    assert [task for task, _, _ in noted.updates] == [
        f"sweep, {ended} of 2 points done" for ended in (0, 0, 1, 2)
    ]


def test_without_slurm_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="there is no sbatch and no srun here; run this on a login node"):
        require_slurm()
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ValueError, match="needs submitit; install it with"):
        require_slurm()


def test_an_option_submitit_does_not_know_is_named(tmp_path: Path) -> None:
    sweep = plan_sweep(write_experiment(tmp_path, **ONE_RUN), ["seed=0"])
    slurm = Slurm("long", {"timeout": 5})
    with pytest.raises(ValueError, match=r"--slurm-set: .*timeout"):
        run_on_slurm(sweep.points, tmp_path, slurm, None, Silent(), cluster="local")


@pytest.mark.slow
def test_points_are_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Submitted for real, to submitit's executor of this machine."""
    tests = Path(__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*sys.path, str(tests)]))
    file, noted = write_experiment(tmp_path, **ONE_RUN), Noted()
    sweep = plan_sweep(file, [f"supervision.labels=24,{MORE_LABELS_THAN_PAIRS}"])
    folder = tmp_path / "runs" / sweep.name
    run_on_slurm(sweep.points, folder, Slurm("any", {"timeout_min": 10}), 2, noted, "local", 0.2)
    done, failed = summarise(sweep, folder).points
    assert done.figures is not None
    assert failed.failure is not None and str(MORE_LABELS_THAN_PAIRS) in failed.failure
    assert sorted(noted.updates) == sorted((point.name, 1, 1) for point in sweep.points)
    assert noted.notes[0].startswith("submitted 2 jobs")


@pytest.mark.slow
def test_killed_half_way_it_goes_on_and_does_nothing_twice(tmp_path: Path) -> None:
    file = write_experiment(tmp_path, **ONE_RUN)
    arguments = ["sweep", str(file), "--vary", "seed=0..5", "--workers", "2", "--name", "kill"]
    command = [sys.executable, "-m", "coupling", *arguments, "--runs-dir", str(tmp_path / "runs"), "--json"]
    folder = tmp_path / "runs" / "kill"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + 300
        while len(list(folder.glob("*/report.html.made.json"))) < 2:
            assert process.poll() is None and time.monotonic() < give_up
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    time.sleep(1)  # Its workers end by themselves, and finish no artifact any more.
    before = made(folder)
    ended = [path.parent.name for path in folder.glob("*/report.html.made.json")]
    assert 2 <= len(ended) < 6 and not (folder / "sweep.json").exists()

    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert f"done before: {len(ended)} of 6 points" in again.stderr
    after = made(folder)
    assert {name: after[name] for name in before} == before
    results = from_json(SweepResults, json.loads(again.stdout), "stdout")
    assert len(results.points) == 6 and all(point.figures for point in results.points)
    assert results == read_sweep(folder / "sweep.json")
