"""Labels made anew while a run is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from coupling.config import ExperimentConfig, load_experiment
from coupling.experiment import run_stage
from coupling.experiment.members import train_run
from coupling.models import LocalSampler, load_model
from coupling.progress import Silent
from coupling.records import CounterfactualPair, Label
from coupling.store import read_records
from coupling.training.checkpoints import CheckpointSlot
from miniature_experiment import write_experiment
from tiny_models import world_renderer

EVERY_TWO = {"explanations": {"renew_every": 2}, "steps": 5, "checkpoints": [0, 2, 5]}


class Killed(BaseException):
    pass


class KilledAt(Silent):
    """Ends a training when so many steps are behind it."""

    def __init__(self, step: int) -> None:
        self.step = step

    def update(self, task: str, done: int, total: int) -> None:
        if task.startswith("train") and done == self.step:
            raise Killed


def begun(folder: Path) -> tuple[ExperimentConfig, Path]:
    folder.mkdir(exist_ok=True)
    file = write_experiment(folder, training=EVERY_TWO, evaluation={"checkpoint": 5})
    config = load_experiment(file)
    for stage in ("behaviors", "supervise"):
        run_stage(stage, config, folder / "runs")
    return config, folder / "runs" / "mini"


def test_they_state_what_the_run_does_at_the_time(tmp_path: Path) -> None:
    config, here = begun(tmp_path)
    follow = config.panel[0]
    train_run(config, here, follow, Silent())
    first = read_records(here / "labels.jsonl", Label)
    renewed = read_records(here / "runs/follow/step-000002.labels.jsonl", Label)
    assert [label.pair_id for label in renewed] == [label.pair_id for label in first]
    assert renewed != first
    assert {label.source for label in renewed} == {"follow"}
    assert (here / "runs/follow/step-000004.labels.jsonl").is_file()
    assert not (here / "runs/follow/step-000005.labels.jsonl").exists()

    # Step 2 is a checkpoint, and answers as its labels say.
    model = CheckpointSlot(load_model(config.model).model).load(here / "runs/follow/step-000002")
    pairs = {pair.id: pair for pair in read_records(here / "pairs.jsonl", CounterfactualPair)}
    asked = [pairs[label.pair_id] for label in renewed]
    behaviors = LocalSampler(model, world_renderer()).behaviors(asked)
    assert [each.effect for each in behaviors] == [label.effect for label in renewed]


@pytest.mark.parametrize("at", [2, 3])
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path: Path, at: int) -> None:
    config, whole = begun(tmp_path / "whole")
    _, parted = begun(tmp_path / "parted")
    member = config.panel[0]
    train_run(config, whole, member, Silent())
    with pytest.raises(Killed):
        train_run(config, parted, member, KilledAt(at))
    train_run(config, parted, member, Silent())
    for name in ("step-000004.labels.jsonl", "step-000005/model.safetensors"):
        assert (parted / "runs/follow" / name).read_bytes() == (whole / "runs/follow" / name).read_bytes()


def test_labels_that_were_lost_are_not_made_up(tmp_path: Path) -> None:
    config, here = begun(tmp_path)
    member = config.panel[0]
    with pytest.raises(Killed):
        train_run(config, here, member, KilledAt(4))
    (here / "runs/follow/step-000002.labels.jsonl").unlink()
    with pytest.raises(ValueError, match=r"step-000002\.labels\.jsonl: is missing or was changed"):
        train_run(config, here, member, Silent())


def test_reasoned_answers_cannot_renew_labels(tmp_path: Path) -> None:
    behavior = {"kind": "reasoned"}
    file = write_experiment(tmp_path, training=EVERY_TWO, evaluation={"checkpoint": 5}, behavior=behavior)
    with pytest.raises(ValueError, match=r"training\.explanations\.renew_every is 2, but behavior\.kind"):
        load_experiment(file)
