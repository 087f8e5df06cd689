"""Interpolating between the twins of a run directory: what is left there, what is passed over, refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from coupling.config import load_experiment
from coupling.experiment import interpolation as module
from coupling.experiment import run_stage
from coupling.experiment.artifacts import PAIRS, behaviors_of, explanations_of
from coupling.experiment.between import Between, blend
from coupling.experiment.interpolation import interpolate_run
from coupling.experiment.members import load_base, sample_run
from coupling.faithfulness.interpolation import Interpolation, point_name, read_interpolation
from coupling.models import LocalSampler
from coupling.progress import Silent
from coupling.records import Behavior, CounterfactualPair
from coupling.store import RunDir, read_records
from coupling.training.checkpoints import CheckpointSlot
from miniature_experiment import write_experiment

FIRST, SECOND = "runs/follow/step-000004", "runs/ignore/step-000004"


def trained(folder: Path, **sections: Any) -> Path:
    """A run directory of which nothing is evaluated yet."""
    config = load_experiment(write_experiment(folder, **sections))
    for stage in ("behaviors", "supervise", "train"):
        run_stage(stage, config, folder / "runs")
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained, and its twins asked."""
    folder = trained(tmp_path_factory.mktemp("interpolated"))
    interpolated(folder, pairs=6)
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def interpolated(folder: Path, **options: Any) -> Interpolation:
    experiment = load_experiment(folder / "mini.yaml")
    return interpolate_run(folder / "runs/mini", **{"points": 3, "experiment": experiment, **options})


def state(folder: Path, stem: str) -> dict[str, torch.Tensor]:
    config, run = load_experiment(folder / "mini.yaml"), RunDir(folder / "runs/mini")
    model = CheckpointSlot(load_base(config, run).model).load(run.file(stem))
    return dict(model.state_dict())


def test_the_ends_are_the_twins_bit_for_bit_and_the_middle_their_mean(finished: Path) -> None:
    config, run = load_experiment(finished / "mini.yaml"), RunDir(finished / "runs/mini")
    between = Between(config, run, FIRST, SECOND)
    first, second = state(finished, FIRST), state(finished, SECOND)
    assert any(not torch.equal(tensor, second[name]) for name, tensor in first.items())
    for point, end in ((0.5, None), (1.0, second), (0.0, first), (0.5, None)):
        model = between.load(point).model
        for name, tensor in model.state_dict().items():
            if end is None:
                torch.testing.assert_close(tensor, (first[name] + second[name]) / 2)
            else:
                assert torch.equal(tensor, end[name]), name


def test_the_ends_answer_as_the_twins_do(finished: Path) -> None:
    config, run = load_experiment(finished / "mini.yaml"), RunDir(finished / "runs/mini")
    between = Between(config, run, FIRST, SECOND)
    pairs = {pair.id: pair for pair in read_records(run.file(PAIRS), CounterfactualPair)}
    for point, stem in ((0.0, FIRST), (1.0, SECOND)):
        noted = read_records(run.file(behaviors_of(stem)), Behavior)
        loaded = between.load(point)
        sampler = LocalSampler(loaded.model, loaded.renderer, config.evaluation.batch_size)
        assert sampler.behaviors([pairs[each.pair_id] for each in noted]) == noted


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_twins_have_in_common_does_not_move(dtype: torch.dtype) -> None:
    shared = torch.randn(50, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert all(torch.equal(blend(shared, shared.clone(), point), shared) for point in (0.1, 0.3, 0.9))


def test_what_is_left_and_that_nothing_is_asked_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = read_interpolation(folder / "runs/mini/interpolation.json")
    (twins,) = results.twins
    assert (twins.first, twins.second) == ("follow", "ignore") and len(twins.turns) == min(6, twins.differing)
    assert results.points == (0.0, 0.5, 1.0) and {FIRST, behaviors_of(FIRST)} <= results.artifacts.keys()
    assert results.figures("answers_second", subset=point_name(0.0)).value == 0
    assert results.figures("answers_second", subset=point_name(1.0)).value == 1
    page = (folder / "runs/mini/interpolation.md").read_text(encoding="utf-8")
    assert "follow and ignore" in page and "None" not in page and "nan" not in page

    # Done is done; and what was sampled is read where only the figures are gone.
    def refuse(*arguments: object) -> None:
        raise AssertionError("a model is loaded")

    monkeypatch.setattr(module, "load_base", refuse)
    monkeypatch.setattr(Between, "load", refuse)
    assert interpolated(folder, pairs=6) == results
    (folder / "runs/mini/interpolation.json").unlink()
    assert interpolated(folder, pairs=6) == results
    with pytest.raises(AssertionError, match="a model is loaded"):
        interpolated(folder, pairs=6, points=4)


def test_evaluation_does_not_ask_again_what_twins_were_asked(folder: Path) -> None:
    config = load_experiment(folder / "mini.yaml")
    ends = [folder / "runs/mini" / name(FIRST) for name in (behaviors_of, explanations_of)]
    made = [file.stat().st_mtime_ns for file in ends]
    sample_run(config, folder / "runs/mini", config.panel[0], Silent())
    assert [file.stat().st_mtime_ns for file in ends] == made


def test_adapters_are_merged_first(tmp_path: Path) -> None:
    trained(tmp_path, training={"lora": {"rank": 2, "alpha": 4}, "checkpoints": [0, 4]})
    assert interpolated(tmp_path, pairs=4).twins[0].turns
    config, run = load_experiment(tmp_path / "mini.yaml"), RunDir(tmp_path / "runs/mini")
    between = Between(config, run, FIRST, SECOND)
    assert between.load(1.0).model.state_dict().keys() == load_base(config, run).model.state_dict().keys()
    pairs = {pair.id: pair for pair in read_records(run.file(PAIRS), CounterfactualPair)}
    loaded = between.load(0.0)
    noted = read_records(run.file(behaviors_of(FIRST)), Behavior)
    said = LocalSampler(loaded.model, loaded.renderer).behaviors([pairs[each.pair_id] for each in noted])
    for one, other in zip(said, noted, strict=True):
        assert one.logprobs_with == pytest.approx(other.logprobs_with, abs=1e-4)


def test_a_users_mistakes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run directory"):
        interpolate_run(folder)
    with pytest.raises(ValueError, match="--points 2: give 3 to 101"):
        interpolated(folder, points=2)
    shutil.rmtree(folder / "runs/mini" / SECOND)
    with pytest.raises(ValueError, match=r"twin 'ignore' is not trained yet; run `coupling train"):
        interpolated(folder)
    alone = tmp_path / "alone"
    alone.mkdir()
    run_stage("behaviors", load_experiment(write_experiment(alone, twins=[])), alone / "runs")
    with pytest.raises(ValueError, match="mini names no twins"):
        interpolated(alone)
