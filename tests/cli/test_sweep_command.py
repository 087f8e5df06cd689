from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from coupling.cli import main
from miniature_experiment import write_experiment


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["coupling", "sweep", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
        raise SystemExit(0)
    return int(end.value.code or 0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--vary", "training.kl.wieght=0,1"], "did you mean 'training.kl.weight'?"),
        (["--vary", "training.checkpoints=[0,2],[0,4]"], "(at the point training.checkpoints=[0, 2])"),
        (["--vary", "seed=0,1", "--slurm-set", "mem_gb=4"], "says nothing without --slurm"),
        ([], "nothing is varied"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(
    options: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    file = write_experiment(tmp_path)
    assert ended(monkeypatch, file, *options, "--runs-dir", tmp_path / "runs", "--json") == 2
    out, err = capfd.readouterr()
    assert not out and told in err and "Traceback" not in err
    assert not (tmp_path / "runs").exists()


def test_figures_come_with_the_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write_experiment(tmp_path)
    vary = "supervision.labels=1000000"
    assert ended(monkeypatch, file, "--vary", vary, "--runs-dir", tmp_path / "runs", "--json") == 2
    out, err = capfd.readouterr()
    (row,) = json.loads(out)["rows"]
    assert row["points"][0]["figures"] is None and "1000000" in row["points"][0]["failure"]
    assert "1 of 1 points failed" in err


def test_without_a_file_the_shipped_sweeps_are_listed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch) == 0
    listed = capfd.readouterr().out
    assert "kl-weight" in listed and "lora-rank" in listed
