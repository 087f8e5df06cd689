"""Two processes train as one does, be all weights in both or half of each; and go on where they were killed.

Tolerances: gradients and weights within 1e-5 of the largest, losses within 1e-5 nats (measured: 5e-7, 7e-7
and 1e-6); under autocast to bfloat16, whose last bit is 0.4 % of a figure, losses within 0.1 nats.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import shared_training
import torch
from safetensors.torch import load_file
from shared_training import CASES, Case, train_case

from coupling.models import weights_sha256
from coupling.training.checkpoints import CheckpointSlot
from tiny_models import tiny_model

pytestmark = pytest.mark.slow
BY_NAME = {case.name: case for case in CASES}
EQUAL_TO_ONE = [case.name for case in CASES if "dropout" not in case.name and case.autocast is None]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes left."""
    folder = tmp_path_factory.mktemp("two")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    ended = subprocess.run(
        [sys.executable, *command, str(shared_training.__file__), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return folder


def as_one(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "false")
    train_case(replace(case, sharded=False, micro=None, recomputed=False, killed_after=None), folder, None)


@pytest.mark.parametrize("name", EQUAL_TO_ONE)
def test_two_processes_train_as_one(
    name: str, two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_one(BY_NAME[name], tmp_path, monkeypatch)
    found, expected = (load_file(folder / f"{name}.gradient.safetensors") for folder in (two, tmp_path))
    assert found.keys() == expected.keys()
    longest = max(float(gradient.abs().max()) for gradient in expected.values())
    for parameter, gradient in expected.items():
        torch.testing.assert_close(found[parameter], gradient, atol=1e-5 * longest, rtol=0)
    theirs, ours = (CheckpointSlot(tiny_model("llama")).load(folder / name) for folder in (two, tmp_path))
    assert weights_sha256(theirs) != weights_sha256(tiny_model("llama"))
    for tensor, expected_tensor in zip(theirs.state_dict().values(), ours.state_dict().values(), strict=True):
        torch.testing.assert_close(tensor, expected_tensor, atol=1e-5, rtol=1e-5)
    last = [
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))[-1] for folder in (two, tmp_path)
    ]
    assert last[0] == pytest.approx(last[1], abs=1e-5)


@pytest.mark.parametrize("name", ["data-parallel-dropout", "sharded"])
def test_killed_and_begun_again_they_end_with_the_same_bits(name: str, two: Path) -> None:
    whole, resumed = (
        CheckpointSlot(tiny_model("llama")).load(two / each) for each in (name, f"{name}-resumed")
    )
    assert weights_sha256(resumed) == weights_sha256(whole)
    losses, again = (
        json.loads((two / f"{each}.json").read_text(encoding="utf-8")) for each in (name, f"{name}-resumed")
    )
    assert again[-1] == losses[-1]


@pytest.mark.parametrize("name", ["data-parallel", "sharded"])
def test_one_goes_on_where_two_stopped(
    name: str, two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of two processes, saved at step 2, is read by one; ends within rounding of theirs."""
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "false")
    (tmp_path / f"{name}-state").symlink_to(two / f"{name}-state")
    train_case(replace(BY_NAME[name], sharded=False), tmp_path, None)
    steps = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert [step["step"] for step in steps] == [3, 4]
    theirs, ours = (CheckpointSlot(tiny_model("llama")).load(folder / name) for folder in (two, tmp_path))
    for tensor, expected in zip(theirs.state_dict().values(), ours.state_dict().values(), strict=True):
        torch.testing.assert_close(tensor, expected, atol=1e-5, rtol=1e-5)


def test_sharded_in_bfloat16_they_learn_the_same(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "sharded-bfloat16"
    as_one(BY_NAME[name], tmp_path, monkeypatch)
    found, expected = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for folder in (two, tmp_path)
    )
    for theirs, ours in zip(found, expected, strict=True):
        assert theirs == pytest.approx(ours, abs=0.1)
    weights = CheckpointSlot(tiny_model("llama")).load(two / name).state_dict()
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
