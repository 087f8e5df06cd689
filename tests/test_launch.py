"""Whole experiments in several processes, held against one process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from coupling import ranks
from coupling.config import load_experiment
from coupling.experiment import run_experiment
from coupling.processes import side_by_side
from coupling.progress import Silent
from coupling.records import Behavior, Effect
from coupling.store import read_records
from miniature_experiment import write_experiment

LAUNCH_FILE = Path(__file__).parents[1] / "docs" / "launch" / "cpu.yaml"
SAMPLED_BEFORE_TRAINING = ("pairs.jsonl", "base/behaviors.jsonl", "base/explanations.jsonl", "labels.jsonl")
PATIENCE = 1800
"""Seconds; a busy machine may take minutes to start two processes."""


def launch(folder: Path, runs: str, log: Path, *options: str) -> subprocess.Popen[bytes]:
    """`coupling run` in two processes; every run of the experiment lies in ``folder / runs``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    accelerate = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(LAUNCH_FILE)]
    command = ["-m", "coupling", "run", str(folder / "mini.yaml"), "--runs-dir", str(folder / runs), "--json"]
    command += options
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    with log.open("wb") as output, log.with_suffix(".errors").open("wb") as errors:
        return subprocess.Popen(
            [*accelerate, "--main_process_port", str(port), *command],
            env=environment,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds an experiment, run by one process in ``one`` and by two in ``two``."""
    folder = tmp_path_factory.mktemp("launched")
    run_experiment(load_experiment(write_experiment(folder)), folder / "one")
    running = launch(folder, "two", folder / "two.log")
    assert end_of(running) == 0, (folder / "two.errors").read_text(encoding="utf-8")
    return folder


@pytest.mark.slow
def test_two_processes_write_what_one_writes(folder: Path) -> None:
    """What is sampled from equal weights is equal byte for byte. Trained weights are equal within 1e-5
    (measured: 1.1e-6), and no effect differs: less than the measurement floor."""
    one, two = folder / "one" / "mini", folder / "two" / "mini"
    names = [sorted(str(path.relative_to(run)) for path in run.rglob("*")) for run in (one, two)]
    assert names[0] == names[1]
    for name in SAMPLED_BEFORE_TRAINING:
        assert (one / name).read_bytes() == (two / name).read_bytes()
    for file in sorted(one.glob("runs/*/*.behaviors.jsonl")):
        ours, theirs = ((run / file.relative_to(one)) for run in (one, two))
        assert read_effects(ours) == read_effects(theirs)
    for file in sorted(one.glob("runs/*/step-*/model.safetensors")):
        weights = load_file(two / file.relative_to(one))
        for name, tensor in load_file(file).items():
            torch.testing.assert_close(weights[name], tensor, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_the_leader_alone_prints(folder: Path) -> None:
    printed = json.loads((folder / "two.log").read_text(encoding="utf-8"))
    assert printed == json.loads((folder / "two" / "mini" / "results.json").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_stops_all_and_the_same_command_goes_on(folder: Path, rank: int) -> None:
    runs = f"killed-{rank}"
    here = folder / runs / "mini"
    running = launch(folder, runs, folder / "killed.log")
    try:
        wait_until(lambda: (here / "runs" / "follow" / "step-000002" / "COMPLETE").is_file())
        workers = children_by_rank(running.pid)
        os.kill(workers[rank], signal.SIGKILL)
        assert end_of(running) != 0
        wait_until(lambda: not any(is_alive(pid) for pid in workers.values()))
    finally:
        end_of(running, patience=1)
    assert not (here / "results.json").exists()
    again = launch(folder, runs, folder / "again.log")
    assert end_of(again) == 0, (folder / "again.errors").read_text(encoding="utf-8")
    assert not list(here.rglob("*.partial"))
    uninterrupted = (folder / "two" / "mini" / "results.json").read_bytes()
    assert (here / "results.json").read_bytes() == uninterrupted


@pytest.mark.slow
def test_a_users_error_is_told_of_once_and_stops_all(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    running = launch(tmp_path, "refused", tmp_path / "refused.log", "--set", "model.device=cuda:1")
    assert end_of(running) != 0
    told = (tmp_path / "refused.errors").read_text(encoding="utf-8")
    assert told.count("rank 0: error: model.device: 'cuda:1' does not fit 2 processes on the CPU") == 1
    assert "rank 1: error" not in told


@pytest.mark.slow
def test_who_fail_alike_go_on_and_who_fails_alone_ends_all() -> None:
    """A point of a launched sweep that cannot be run does not end the sweep."""
    script = str(Path(__file__).with_name("failing_together.py"))
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", script, "0"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    ended = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    all_, after, one, advice = ended.stdout.splitlines()
    assert (all_, after, one) == ("all: no such thing", "after: 2", "one: no such thing"), ended.stderr
    assert advice.startswith("This befell not all of the launched processes")


def test_a_model_over_all_gpus_does_not_fit_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(ranks, "_is_led", True)
    config = load_experiment(write_experiment(tmp_path, model={"device_map": "auto"}))
    with pytest.raises(ValueError, match=r"model.device_map: 'auto' lays one model over all GPUs, but 2"):
        run_experiment(config, tmp_path / "runs")


def test_processes_that_nobody_leads_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    config = load_experiment(write_experiment(tmp_path))
    with pytest.raises(ValueError, match=r"2 processes were launched .* `accelerate launch -m coupling"):
        run_experiment(config, tmp_path / "runs")


def test_workers_beside_launched_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="workers is 3: 2 launched processes share each job already"):
        side_by_side(print, [(1,), (2,)], 3, Silent())


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"ACCELERATE_USE_DEEPSPEED": "true"}, "DeepSpeed is not supported"),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "1"}, "fsdp_version is 1; set it to 2"),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_OFFLOAD_PARAMS": "true"}, "offload"),
        ({"ACCELERATE_MIXED_PRECISION": "bf16"}, "training.autocast"),
    ],
)
def test_launches_that_are_not_supported_are_told_of(
    variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"WORLD_SIZE": "2", **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=told), ranks.led():
        pass


def end_of(running: subprocess.Popen[bytes], patience: float = PATIENCE) -> int:
    """The exit code of a launcher; one that does not end is killed with all that it started."""
    try:
        return running.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        return running.wait()


def read_effects(file: Path) -> dict[str, Effect]:
    return {behavior.pair_id: behavior.effect for behavior in read_records(file, Behavior)}


def children_by_rank(pid: int) -> dict[int, int]:
    """The processes that a launcher started, by their rank."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True
    )
    found = {}
    for child in map(int, listed.stdout.split()):
        environment = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        ours = [each for each in environment if each.startswith(b"RANK=")]
        if ours:
            found[int(ours[0].removeprefix(b"RANK="))] = child
    return found


def is_alive(pid: int) -> bool:
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(listed.stdout.strip()) and not listed.stdout.strip().startswith("Z")


def wait_until(condition: object, seconds: float = PATIENCE) -> None:
    assert callable(condition)
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.02)
