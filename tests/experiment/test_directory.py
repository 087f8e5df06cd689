"""What experiments of one study take over from each other, and what a failed one leaves behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from coupling.config import ExperimentConfig, load_experiment, shipped_experiment
from coupling.experiment import run_stage
from coupling.experiment.artifacts import BASE, MODEL, PAIRS, behaviors_of, explanations_of
from coupling.experiment.directory import open_run
from coupling.progress import Silent
from coupling.store import RunDir
from coupling.studies.points import failure_file, run_point
from miniature_experiment import write_experiment
from noted import Noted

ANSWERED = (MODEL, behaviors_of(BASE), explanations_of(BASE))
FEW: dict[str, dict[str, Any]] = {
    "explanation": {"max_new_tokens": 4},
    "supervision": {"labels": 8},
    "evaluation": {"pairs": 8, "batch_size": 16},
    "training": {},
    "model": {},
}


def ask(folder: Path, name: str, shares: bool = True, **changes: dict[str, Any]) -> int:
    """Runs the first stage of an experiment; returns how many rows M0 was asked."""
    sections = {section: {**few, **changes.get(section, {})} for section, few in FEW.items()}
    config = load_experiment(write_experiment(folder, name=name, **sections))
    progress = Noted()
    run_stage("behaviors", config, folder / "runs", progress, shares)
    return max((done for task, done, _ in progress.updates if task == "ask M0"), default=0)


def without_training(folder: Path, name: str) -> ExperimentConfig:
    """An experiment that fails behind M0's answers: there is no such target."""
    supervision = {**FEW["supervision"], "target": "nowhere"}
    return load_experiment(write_experiment(folder, name=name, **{**FEW, "supervision": supervision}))


def files(run: Path) -> dict[str, bytes]:
    """What M0 answered, and from what it was made."""
    names = [each for name in (PAIRS, *ANSWERED) for each in (name, f"{name}.made.json")]
    return {name: (run / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A folder with one experiment, and how many rows it asked."""
    folder = tmp_path_factory.mktemp("study")
    return folder, ask(folder, "first")


@pytest.fixture
def study(first: tuple[Path, int], tmp_path: Path) -> tuple[Path, int]:
    """A copy of it."""
    folder, asked = first
    return shutil.copytree(folder, tmp_path / "study"), asked


def test_who_asks_the_same_asks_nothing_and_has_the_same_bytes(study: tuple[Path, int]) -> None:
    folder, asked = study
    other_training = {"learning_rate": 0.5, "kl": {"weight": 0}}
    assert ask(folder, "second", training=other_training) == 0
    taken_over = files(folder / "runs/second")
    shutil.rmtree(folder / "runs/second")
    assert ask(folder, "second", shares=False, training=other_training) == asked > 0
    assert files(folder / "runs/second") == taken_over


def test_points_of_a_study_share(study: tuple[Path, int]) -> None:
    runs, name = study[0] / "runs", explanations_of(BASE)
    lender, sidecar = RunDir(runs / "first"), json.loads((runs / f"first/{name}.made.json").read_text())
    marked = b"".join(sorted(lender.file(name).read_bytes().splitlines(keepends=True), reverse=True))
    assert marked != lender.file(name).read_bytes()
    lender.file(name).write_bytes(marked)
    lender.record(name, sidecar["made_from"])
    run_point(without_training(study[0], "second"), runs, Silent())
    assert "supervision.target" in failure_file(runs, "second").read_text(encoding="utf-8")
    assert (runs / "second" / name).read_bytes() == marked


@pytest.mark.parametrize(
    ("changes", "asks_all"),
    [
        ({"evaluation": {"batch_size": 8}}, True),
        ({"model": {"system_prompt": "Peru"}}, True),
        ({"explanation": {"max_new_tokens": 5}}, False),
    ],
    ids=["batches", "prompts", "explanations alone"],
)
def test_what_was_asked_otherwise_is_asked_anew(
    study: tuple[Path, int], changes: dict[str, dict[str, Any]], asks_all: bool
) -> None:
    folder, asked = study
    anew = ask(folder, "second", **changes)
    assert 0 < anew <= asked and (anew == asked) == asks_all


@pytest.mark.parametrize("spoilt", [explanations_of(BASE), f"{explanations_of(BASE)}.made.json"])
def test_what_is_spoilt_or_of_another_version_is_not_taken_over(study: tuple[Path, int], spoilt: str) -> None:
    folder, asked = study
    (folder / "runs/first" / spoilt).write_text(json.dumps({"of": "another version"}), encoding="utf-8")
    assert 0 < ask(folder, "second") < asked


@pytest.mark.parametrize("end", [KeyboardInterrupt, MemoryError, OSError])
def test_however_it_ends_before_anything_was_made_no_directory_is_left(
    end: type[BaseException], tmp_path: Path
) -> None:
    path, config = tmp_path / "run", shipped_experiment()
    with pytest.raises(end), open_run(path, config, shares=False):
        raise end
    assert not path.exists()
    with pytest.raises(end), open_run(path, config, shares=False) as run:
        run.make("pairs.jsonl", {}, lambda file: file.write_bytes(b""))
        raise end
    assert path.exists()


def test_what_fails_before_anything_was_made_leaves_no_directory(study: tuple[Path, int]) -> None:
    folder, _ = study
    too_many = {"labels": 100_000}
    with pytest.raises(ValueError, match=r"supervision\.labels: 100000 wanted"):
        ask(folder, "second", supervision=too_many)
    assert not (folder / "runs/second").exists()
    before = files(folder / "runs/first")
    with pytest.raises(ValueError, match="belongs to another configuration"):
        ask(folder, "first", supervision=too_many)
    assert files(folder / "runs/first") == before
    (folder / "runs/second").mkdir()
    (folder / "runs/second/experiment.yaml").write_text("name: mine\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"supervision\.labels: 100000 wanted"):
        ask(folder, "second", supervision=too_many)
    assert (folder / "runs/second/experiment.yaml").is_file()
