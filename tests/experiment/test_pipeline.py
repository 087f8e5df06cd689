from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from coupling.config import load_experiment
from coupling.experiment import STAGES, run_experiment, run_stage
from coupling.faithfulness import Figures, Results
from coupling.faithfulness.rows import ASKED, STEERED
from coupling.records import Behavior, CounterfactualPair, Explanation, Label
from coupling.store import read_json, read_records
from miniature_experiment import write_experiment
from tiny_models import ARCHITECTURES


class Noted:
    """What an experiment tells of itself."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done: set[str] = set()

    def note(self, text: str) -> None:
        self.notes.append(text)

    def update(self, task: str, done: int, total: int) -> None:
        assert 0 <= done <= total, task
        if done == total:
            self.done.add(task)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished experiment; not to be changed."""
    folder = tmp_path_factory.mktemp(request.param)
    file = write_experiment(folder, request.param, evaluation={"groups": ["adviser"]})
    noted = Noted()
    results = run_experiment(load_experiment(file), folder / "runs", noted)
    assert results.verdict().verdict != "coupled"
    members = ("follow", "ignore", "unsteered")
    asked = {"ask M0", *(f"{done} {name}" for done in ("train", "evaluate") for name in members)}
    assert asked <= noted.done
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of it; the experiment file is ``run / "mini.yaml"``."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def results_of(run: Path) -> Results:
    return Results.from_json(read_json(run / "runs" / "mini" / "results.json"))


def figures_of(run: Path) -> Figures:
    return results_of(run).figures


def artifacts(run: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted((run / "runs").rglob("*"))
        if path.is_file() and "lock" not in path.name
    }


def test_every_artifact_is_there(finished: Path) -> None:
    here = finished / "runs" / "mini"
    pairs = {pair.id: pair for pair in read_records(here / "pairs.jsonl", CounterfactualPair)}
    held_out = {pair.id for pair in pairs.values() if pair.split == "test"}
    assert len(held_out) == 40
    labels = read_records(here / "labels.jsonl", Label)
    assert len(labels) == 24
    assert {pairs[label.pair_id].split for label in labels} == {"train"}
    assert "Chen" not in {pairs[label.pair_id].tags["adviser"] for label in labels}
    assert {each.pair_id for each in read_records(here / "base/behaviors.jsonl", Behavior)} == set(pairs)
    for name in ("follow", "ignore", "unsteered"):
        for step in ("000002", "000004"):
            stem = here / "runs" / name / f"step-{step}"
            assert (stem / "COMPLETE").is_file()
            assert {b.pair_id for b in read_records(Path(f"{stem}.behaviors.jsonl"), Behavior)} == held_out
            assert {
                e.pair_id for e in read_records(Path(f"{stem}.explanations.jsonl"), Explanation)
            } == held_out
        assert (here / "runs" / name / "step-000004.remeasured.jsonl").is_file()
        assert not (here / "runs" / name / "state").exists()
    assert (here / "report.html").stat().st_size > 1000


def test_the_results_tell_of_the_base_first_and_of_no_path_and_time(finished: Path) -> None:
    text = (finished / "runs" / "mini" / "results.json").read_text(encoding="utf-8")
    results = json.loads(text)
    assert results["steps"] == [0, 2, 4] == sorted({row["step"] for row in results["rows"]})
    assert results["step"] == 4 and results["model"]["name"] == "model"
    assert str(finished) not in text and "tmp" not in text


def test_at_step_0_every_run_is_the_base(finished: Path) -> None:
    """So the target, which is the base, has no discordant pair there, and Self equals Orig."""
    found = figures_of(finished)
    runs = ("all runs", "follow", "ignore", "unsteered")
    for run in runs:
        assert found("similarity", run, step=0).value == 1.0
        assert found("delta", run, step=0).value is None
        assert found("self", run, step=0) == found("orig", run, step=0)
        assert found("shift", run, step=0).value == 0
    assert len({found("followed", run, step=0).value for run in runs}) == 1
    follow, ignore = (found("followed", run, ASKED, step=0) for run in ("follow", "ignore"))
    assert follow == ignore and follow.value is not None
    assert found("followed", "unsteered", ASKED, step=0).value is None


def test_the_group_of_the_silent_adviser_is_the_steered_pairs(finished: Path) -> None:
    found, counts = figures_of(finished), results_of(finished).counts
    groups = {row.subset for row in found if row.figure == "pairs" and row.subset.startswith("adviser=")}
    assert found.count("pairs", subset="adviser=Chen") == found.count("pairs", "follow", STEERED)
    assert found("t", subset="adviser=Chen") == found("t", subset=STEERED)
    assert sum(found.count("pairs", subset=group) or 0 for group in groups) == counts.pairs


def test_run_again_it_passes_over_what_is_done(run: Path) -> None:
    before, noted = artifacts(run), Noted()
    run_experiment(load_experiment(run / "mini.yaml"), run / "runs", noted)
    assert artifacts(run) == before
    assert {"trained before: 3 of 3 runs", "judged before"} <= set(noted.notes)
    assert not noted.done


@pytest.mark.parametrize(
    "lost",
    [
        "results.json",
        "labels.jsonl",
        "base/behaviors.jsonl",
        "runs/follow/step-000004.explanations.jsonl",
        "runs/follow/step-000002",
        "runs/ignore/step-000004/COMPLETE",
    ],
)
def test_what_is_lost_is_made_again_the_same(run: Path, lost: str) -> None:
    before = artifacts(run)
    path = run / "runs" / "mini" / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    run_experiment(load_experiment(run / "mini.yaml"), run / "runs")
    assert artifacts(run) == before


def test_stage_by_stage_it_is_the_same(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "model", tmp_path / "model")
    config = load_experiment(Path(shutil.copy(finished / "mini.yaml", tmp_path)))
    for stage in STAGES:
        run_stage(stage, config, tmp_path / "runs")
    assert artifacts(tmp_path) == artifacts(finished)


@pytest.mark.parametrize("stage", STAGES[1:])
def test_a_stage_before_its_time_is_refused(stage: str, tmp_path: Path) -> None:
    config = load_experiment(write_experiment(tmp_path))
    with pytest.raises(ValueError, match=r"not made yet; run the stage before it|no figures in it yet"):
        run_stage(stage, config, tmp_path / "runs")


def test_a_changed_configuration_is_refused(run: Path) -> None:
    config = load_experiment(run / "mini.yaml", ["training.learning_rate=0.02"])
    with pytest.raises(ValueError, match=r"training.learning_rate \(0.01 there, 0.02 now\)"):
        run_experiment(config, run / "runs")


def test_the_number_of_workers_may_change(run: Path) -> None:
    run_experiment(load_experiment(run / "mini.yaml", ["workers=3"]), run / "runs")


def test_labels_that_were_tampered_with_are_refused(run: Path) -> None:
    path = run / "runs" / "mini" / "labels.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("I answer", "I reply", 1), encoding="utf-8")
    with pytest.raises(ValueError, match=r"labels.jsonl: changed since it was made"):
        run_stage("train", load_experiment(run / "mini.yaml"), run / "runs")


@pytest.mark.parametrize("stage", ["behaviors", "train"])
def test_a_base_whose_weights_changed_is_refused(run: Path, stage: str) -> None:
    path = run / "model" / "model.safetensors"
    tensors = load_file(path)
    name = next(iter(tensors))
    tensors[name] = tensors[name] + 1e-3
    save_file(tensors, path, metadata={"format": "pt"})
    shutil.rmtree(run / "runs" / "mini" / "runs" / "follow")
    with pytest.raises(ValueError, match=r"configuration or tokenizer changed since .*model.json was"):
        run_stage(stage, load_experiment(run / "mini.yaml"), run / "runs")


def test_pairs_that_changed_are_refused(run: Path) -> None:
    path = run / "runs" / "mini" / "pairs.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("Chen", "Silva", 1), encoding="utf-8")
    with pytest.raises(ValueError, match=r"pairs.jsonl: holds other pairs than the task gives now"):
        run_experiment(load_experiment(run / "mini.yaml"), run / "runs")
