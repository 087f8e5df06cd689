"""Patching a run directory: what is left there, what is passed over, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from coupling.config import load_experiment
from coupling.experiment import run_experiment, run_stage
from coupling.experiment.patching import patch_model, patch_run
from coupling.faithfulness.circuits import CircuitResults
from coupling.store import RunDir
from miniature_experiment import write_experiment

TWO_RUNS = {
    "panel": [
        {"name": "steered", "steer": {"direction": "follow", "tags": {"adviser": ["Chen"]}}},
        {"name": "free"},
    ],
    "twins": [],
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("patched")
    run_experiment(load_experiment(write_experiment(folder, **TWO_RUNS)), folder / "runs")
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def patched(folder: Path, member: str | None = None, pairs: int = 6) -> CircuitResults:
    return patch_run(folder / "runs/mini", member, pairs, experiment=load_experiment(folder / "mini.yaml"))


def test_before_and_after_training(folder: Path) -> None:
    plain = (folder / "runs/mini/report.html").read_text(encoding="utf-8")
    results = patched(folder)
    assert [each.name for each in results.models] == ["M0", "free, step 4"]
    assert results.split == "test" and "runs/free/step-000004" in results.artifacts
    written = folder / "runs/mini/mechanism.json"
    assert CircuitResults.from_json(json.loads(written.read_text(encoding="utf-8"))) == results
    page = (folder / "runs/mini/report.html").read_text(encoding="utf-8")
    assert 'id="mechanism"' in page and 'id="mechanism"' not in plain

    # Done is done; another run of the panel is not. A report made again is the same.
    before = written.stat().st_mtime_ns
    assert patched(folder) == results and written.stat().st_mtime_ns == before
    run_stage("report", load_experiment(folder / "mini.yaml"), folder / "runs")
    assert (folder / "runs/mini/report.html").read_text(encoding="utf-8") == page
    assert patched(folder, "steered").models[1].name == "steered, step 4"

    written.unlink()
    run_stage("report", load_experiment(folder / "mini.yaml"), folder / "runs")
    assert (folder / "runs/mini/report.html").read_text(encoding="utf-8") == plain


def test_what_was_patched_of_other_checkpoints_is_not_reported(folder: Path) -> None:
    patched(folder)
    written = folder / "runs/mini/mechanism.json"
    content = json.loads(written.read_text(encoding="utf-8"))
    content["artifacts"]["runs/free/step-000004"] = "0" * 64
    written.write_text(json.dumps(content), encoding="utf-8")
    beside = json.loads(written.with_name("mechanism.json.made.json").read_text(encoding="utf-8"))
    RunDir(folder / "runs/mini").record("mechanism.json", beside["made_from"])
    run_stage("report", load_experiment(folder / "mini.yaml"), folder / "runs")
    assert 'id="mechanism"' not in (folder / "runs/mini/report.html").read_text(encoding="utf-8")


def test_a_model_by_itself_is_what_the_run_directory_begins_with(folder: Path) -> None:
    config = load_experiment(folder / "mini.yaml")
    alone = patch_model(config, 6)
    assert len(alone.models) == 1 and alone.models[0].influence.behavior.n <= 6


def test_a_users_mistakes(folder: Path) -> None:
    with pytest.raises(
        ValueError, match="--member nobody: the panel of mini has no such run; there are steer"
    ):
        patched(folder, "nobody")
    with pytest.raises(ValueError, match="no run directory"):
        patch_run(folder)
    config = load_experiment(folder / "mini.yaml")
    with pytest.raises(ValueError, match="--split train: use dev or test"):
        patch_model(config, split="train")
    with pytest.raises(ValueError, match="no pair is in 'dev'"):
        patch_run(folder / "runs/mini", split="dev", experiment=config)
    shutil.rmtree(folder / "runs/mini/runs/free/step-000004")
    with pytest.raises(ValueError, match="step-000004: changed since it was made"):
        patched(folder)
