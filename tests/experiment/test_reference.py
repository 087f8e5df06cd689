"""M0's behaviour that the KL term compares with: asked once for all runs, in parts, to the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from coupling.config import load_experiment
from coupling.experiment import pipeline
from coupling.experiment.members import ask_reference
from coupling.experiment.pipeline import run_path, run_stage
from coupling.experiment.reference import read_reference
from coupling.progress import Silent
from coupling.store import RunDir
from miniature_experiment import write_experiment

ALONE = [{"name": "unsteered"}]


def trained(folder: Path, stop_before_training: bool = False, **sections: Any) -> Path:
    """The run directory of a small experiment, trained; or only labelled."""
    config = load_experiment(write_experiment(folder, **sections))
    for stage in ("behaviors", "supervise", "train")[: 2 if stop_before_training else 3]:
        run_stage(stage, config, folder / "runs")
    return run_path(config, folder / "runs")


def ask_again(*_: object, **__: object) -> None:
    raise AssertionError("M0 was asked again")


def weights(here: Path) -> bytes:
    return (here / "runs/unsteered/step-000004/model.safetensors").read_bytes()


@pytest.mark.parametrize("support", ["vocabulary", "choices"])
def test_runs_that_share_it_get_the_weights_of_one_that_asks_by_itself(support: str, tmp_path: Path) -> None:
    training = {"kl": {"support": support}}
    together = trained(tmp_path / "together", training=training)
    alone = trained(tmp_path / "alone", training=training, panel=ALONE, twins=[])
    assert weights(together) == weights(alone)
    assert not list((together / "base").glob("reference*"))


def test_parts_are_read_in_order_and_only_where_all_are_there(tmp_path: Path) -> None:
    here = trained(tmp_path, stop_before_training=True)
    config, run = load_experiment(tmp_path / "mini.yaml"), RunDir(here)
    ask_reference(config, here, 0, 1, Silent())
    whole = read_reference(config, run)
    assert whole is not None and whole.shape[0] == 2 * 24
    (here / "base/reference-0-of-1.safetensors").unlink()
    for number in (1, 0, 2):
        assert read_reference(config, run) is None
        ask_reference(config, here, number, 3, Silent())
    in_parts = read_reference(config, run)
    assert in_parts is not None and torch.equal(in_parts, whole)


def test_what_was_left_by_a_killed_command_is_used_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = trained(tmp_path, stop_before_training=True)
    config = load_experiment(tmp_path / "mini.yaml")
    ask_reference(config, here, 0, 1, Silent())
    for asking in ("coupling.experiment.members", "coupling.training.dataset"):
        monkeypatch.setattr(f"{asking}.reference_logprobs", ask_again)
    run_stage("train", config, tmp_path / "runs")
    assert not list((here / "base").glob("reference*"))
    assert pipeline.is_trained(config, RunDir(here), config.panel[0])
