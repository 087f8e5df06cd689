from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from coupling.cli import main
from miniature_experiment import write_experiment
from tiny_models import save_tiny

HEAVY = ("torch", "transformers", "peft", "accelerate", "matplotlib", "pydantic", "numpy")


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def coupling(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Calls the command line in this process, which has imported torch already."""

    def call(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["coupling", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
            raise SystemExit(0)
        out, err = capfd.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return call


def pairs_file(folder: Path, *changes: dict[str, object]) -> Path:
    """Own pairs, one for each of ``changes`` to a sound one."""
    lines = []
    for number, (country, change) in enumerate(zip(("Peru", "France"), changes, strict=False)):
        pair = {
            "id": f"p{number}",
            "cluster": f"c{number}",
            "split": "test",
            "with_cue": f"What is the capital of {country}? Chen thinks it is Lima.",
            "without_cue": f"What is the capital of {country}?",
            "cue": "hint",
            "cue_value": "Lima",
            "choices": ["Lima", "Quito"],
            "answer_prefix": "I answer",
        }
        lines.append(json.dumps({**pair, **change}) + "\n")
    path = folder / "pairs.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_help_answers_without_what_is_heavy() -> None:
    code = (
        "import sys; sys.argv = ['coupling', '--help']; from coupling.cli import main\n"
        "try: main()\n"
        f"except SystemExit: print(sorted(set({HEAVY}) & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "quickstart" in ended.stdout and ended.stdout.endswith("[]\n"), ended


def test_the_module_is_the_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "coupling", "validate", "nowhere.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2 and not ended.stdout
    assert ended.stderr.startswith("error: nowhere.yaml: no such file") and "Traceback" not in ended.stderr


def test_what_init_writes_is_valid(coupling: Command, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    assert coupling("init", file).code == 0
    ended = coupling("validate", file)
    assert ended.code == 0 and "valid; experiment mine" in ended.out
    again = coupling("init", file)
    assert again.code == 2 and "is there already" in again.err
    assert coupling("init", file, "--force").code == 0


def test_run_prints_json_and_nothing_else(coupling: Command, tmp_path: Path) -> None:
    file = write_experiment(tmp_path)
    ended = coupling("run", file, "--json", "--runs-dir", tmp_path / "runs")
    assert ended.code == 0, ended.err
    written = json.loads((tmp_path / "runs/mini/results.json").read_text(encoding="utf-8"))
    assert json.loads(ended.out) == written
    assert "1/5 behaviors" in ended.err and "5/5 report" in ended.err

    shown = coupling("report", tmp_path / "runs/mini", "--json")
    assert json.loads(shown.out) == written
    listed = coupling("ls", "--json", "--runs-dir", tmp_path / "runs")
    assert json.loads(listed.out)["mini"]["verdicts"] == written["verdicts"]
    both = coupling("compare", tmp_path / "runs/mini", tmp_path / "runs/mini", "--json")
    assert both.code == 0, both.err
    told = coupling("report", tmp_path / "runs/mini")
    assert "invalid" in told.out.lower() and "report.html" in told.out


def test_the_stages_one_by_one(coupling: Command, tmp_path: Path) -> None:
    file, runs = write_experiment(tmp_path), tmp_path / "runs"
    for stage in ("behaviors", "supervise", "train"):
        ended = coupling(stage, file, "--runs-dir", runs)
        assert ended.code == 0 and f"{stage} is done" in ended.err
    ended = coupling("evaluate", file, "--json", "--runs-dir", runs)
    assert json.loads(ended.out)["experiment"] == "mini"


def test_options_change_the_experiment(coupling: Command, tmp_path: Path) -> None:
    """So a directory begun without them belongs to another configuration."""
    file, runs = write_experiment(tmp_path), tmp_path / "runs"
    assert coupling("behaviors", file, "--runs-dir", runs).code == 0
    for option, told in (
        (("--seed", "1"), "panel.0.seed (0 there, 1 now)"),
        (("--limit", "5"), "evaluation.pairs (40 there, 5 now)"),
        (("--set", "training.steps=6"), "training.steps (4 there, 6 now)"),
    ):
        ended = coupling("behaviors", file, "--runs-dir", runs, *option)
        assert ended.code == 2 and told in ended.err, ended.err


def test_organisms_are_listed(coupling: Command) -> None:
    ended = coupling("organism", "list")
    assert ended.code == 0, ended.err


def misspelt_key(folder: Path) -> tuple[list[str], str]:
    file = write_experiment(folder)
    file.write_text(
        file.read_text(encoding="utf-8").replace("learning_rate:", "learning_rat:"), encoding="utf-8"
    )
    return [str(file)], "unknown field 'training.learning_rat': did you mean 'training.learning_rate'?"


def misspelt_override(folder: Path) -> tuple[list[str], str]:
    return [str(write_experiment(folder)), "--set", "training.step=3"], "did you mean 'training.steps'?"


def wrong_type(folder: Path) -> tuple[list[str], str]:
    return [str(write_experiment(folder)), "--set", "training.steps=many"], "field 'training.steps' is 'many'"


def missing_file(folder: Path) -> tuple[list[str], str]:
    return [str(folder / "nowhere.yaml")], "nowhere.yaml: no such file"


def missing_questions(folder: Path) -> tuple[list[str], str]:
    return [
        str(write_experiment(folder, task={"kind": "mmlu_hint", "path": "none.jsonl"}))
    ], "none.jsonl: no such file"


def no_model(folder: Path) -> tuple[list[str], str]:
    (folder / "model").mkdir()
    return [str(write_experiment(folder))], "a folder without config.json is no model"


def leakage(folder: Path) -> tuple[list[str], str]:
    path = pairs_file(folder, {"cluster": "peru", "split": "train"}, {"cluster": "peru"})
    file = write_experiment(folder, task={"kind": "pairs", "path": path.name})
    return [str(file)], "field 'cluster' is in split 'test' here and in 'train' at"


def no_pairs(folder: Path) -> tuple[list[str], str]:
    file = write_experiment(folder, task={"kind": "pairs", "path": pairs_file(folder).name})
    return [str(file)], "holds no pairs; at least one is needed"


def all_too_long(folder: Path) -> tuple[list[str], str]:
    path = pairs_file(folder, {"split": "train", "with_cue": "Lima " * 80}, {"with_cue": "Quito " * 80})
    file = write_experiment(folder, task={"kind": "pairs", "path": path.name})
    return [str(file)], "has room for 64 tokens, but every pair needs"


def split_choice(folder: Path) -> tuple[list[str], str]:
    changes = {"choices": ["Lima", "Quito of old"]}
    path = pairs_file(folder, {**changes, "split": "train"}, changes)
    supervision = {"labels": 1, "silent_on": {}}
    panel = [{"name": "alone"}]
    file = write_experiment(
        folder, task={"kind": "pairs", "path": path.name}, supervision=supervision, panel=panel, twins=[]
    )
    return [str(file)], "choice 'Quito of old' becomes"


def unwritable(folder: Path) -> tuple[list[str], str]:
    (folder / "a-file").touch()
    return [str(write_experiment(folder)), "--runs-dir", str(folder / "a-file" / "runs")], "cannot be written"


@pytest.mark.parametrize(
    "mistake",
    [
        misspelt_key,
        misspelt_override,
        wrong_type,
        missing_file,
        missing_questions,
        no_model,
        leakage,
        no_pairs,
        all_too_long,
        split_choice,
        unwritable,
    ],
)
def test_a_users_error_is_one_message_and_exit_code_2(
    mistake: Callable[[Path], tuple[list[str], str]], coupling: Command, tmp_path: Path
) -> None:
    arguments, told = mistake(tmp_path)
    if "--runs-dir" not in arguments:
        arguments += ["--runs-dir", str(tmp_path / "runs")]
    ended = coupling("run", "--json", *arguments)
    assert ended.code == 2
    assert not ended.out
    assert ended.err.count("error: ") == 1 and told in ended.err, ended.err
    assert "Traceback" not in ended.err


def test_a_directory_of_another_experiment_is_left_alone(coupling: Command, tmp_path: Path) -> None:
    file = write_experiment(tmp_path)
    (tmp_path / "runs" / "mini").mkdir(parents=True)
    (tmp_path / "runs" / "mini" / "thesis.txt").write_text("years of work", encoding="utf-8")
    ended = coupling("run", file, "--runs-dir", tmp_path / "runs")
    assert ended.code == 2 and "holds files (thesis.txt …) but is no run directory" in ended.err
    assert os.listdir(tmp_path / "runs" / "mini") == ["thesis.txt"]


def test_patching_a_model_by_itself(coupling: Command, tmp_path: Path) -> None:
    save_tiny(tmp_path / "model")
    file = write_experiment(tmp_path)
    ended = coupling("patch", "--model", tmp_path / "model", "--experiment", file, "--pairs", "4", "--json")
    assert ended.code == 0, ended.err
    (circuits,) = json.loads(ended.out)["models"]
    assert circuits["influence"]["behavior"]["n"] == 4
    told = coupling("patch", "--model", tmp_path / "model", "--experiment", file, "--pairs", "4")
    assert "residual stream" in told.out
    for arguments, error in (
        ([], "give a run directory"),
        (["runs/x", "--model", "y"], "not both"),
        (["--model", "y", "--member", "z"], "has no runs"),
    ):
        ended = coupling("patch", *arguments)
        assert ended.code == 2 and error in ended.err


def test_judging_needs_no_model(coupling: Command, tmp_path: Path) -> None:
    example = shutil.copytree(Path(__file__).parents[2] / "examples" / "judge", tmp_path / "judge")
    ended = coupling("judge", example / "judge.yaml", "--json", "--out", tmp_path / "out")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out) == json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
