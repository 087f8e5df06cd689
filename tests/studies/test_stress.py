"""Stress end to end on tiny random models: a run of a panel, and a model by itself."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from coupling.cli import main
from coupling.config import ModelConfig, load_experiment, shipped_experiment
from coupling.experiment import run_experiment
from coupling.models import Way
from coupling.records import Behavior, CounterfactualPair, Explanation
from coupling.store import read_records, write_json
from coupling.studies.stress import shifts
from coupling.studies.stress.definition import Extent, stress_of_model, stress_of_run
from coupling.studies.stress.findings import read_stress
from coupling.studies.stress.page import render_stress
from coupling.studies.stress.running import run_stress
from miniature_experiment import write_experiment
from noted import Noted
from tiny_models import save_byte_level

PROBES_ONLY = Extent(("probes", "stakes"), pairs=20)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stress")
    run_experiment(load_experiment(write_experiment(folder)), folder / "runs")
    return folder / "runs" / "mini"


def times(path: Path) -> dict[str, int]:
    return {
        str(file): file.stat().st_mtime_ns
        for file in path.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


def test_a_run_under_stress_goes_on_where_it_was(finished: Path) -> None:
    experiment = str(finished.parents[1] / "mini.yaml")
    stress = stress_of_run(finished, PROBES_ONLY, experiment=experiment)
    assert stress.checkpoint is not None and stress.checkpoint.member.name == "unsteered"
    progress = Noted()
    found = run_stress(stress, progress)
    assert read_stress(finished) == found and found.pairs == 20 and found.split == "test"
    assert found.probes is not None and found.stakes is not None and found.shifts is None
    assert set(found.probes.plain) == {Way.FREE, Way.OPENED, Way.FILLED}
    assert found.probes.plain[Way.FILLED].parse_rate.value == 1
    task, done, total = progress.updates[-1]
    assert task == "ask under probes" and done == total
    page = (finished / "stress.html").read_text(encoding="utf-8")
    assert page == render_stress(found) and "://" not in page and str(finished) not in page

    report = (finished / "report.html").read_text(encoding="utf-8")
    assert '<a href="stress.html">' in report

    before = times(finished)
    again = Noted()
    assert run_stress(stress, again) == found and times(finished) == before
    assert any(note.startswith("asked before: ") for note in again.notes) and not again.updates

    # Of a question alone behaviour is not measured again, and of pairs that change it is.
    folder = finished / "stress" / "unsteered-000004"
    assert not (folder / "pressed-to-say-unchanged.behaviors.jsonl").exists()
    unprobed = read_records(folder / "unprobed.behaviors.jsonl", Behavior)
    second = read_records(folder / "second-cue.behaviors.jsonl", Behavior)
    assert [each.pair_id for each in unprobed] == [each.pair_id for each in second]
    probed = read_records(folder / "second-cue.pairs.jsonl", CounterfactualPair)
    assert all("Ana thinks it is" in pair.without_cue for pair in probed)
    opened = read_records(folder / "unprobed.opened.jsonl", Explanation)
    assert all(each.text.startswith("With the hint I answer") for each in opened)

    # What another version found is not read, and made anew from what was answered.
    written = json.loads((finished / "stress.json").read_text(encoding="utf-8"))
    write_json(finished / "stress.json", {**written, "schema": 1})
    with pytest.raises(ValueError, match="this version reads"):
        read_stress(finished)
    again = Noted()
    assert run_stress(stress, again) == found and not again.updates


def test_another_section_stays_as_it_was_found(finished: Path) -> None:
    experiment = str(finished.parents[1] / "mini.yaml")
    few = Extent(("probes",), ("second-cue",), pairs=12)
    probes = run_stress(stress_of_run(finished, few, "follow", 2, experiment)).probes
    found = run_stress(stress_of_run(finished, Extent(("stakes",), pairs=12), "follow", 2, experiment))
    assert probes is not None and found.probes == probes and found.stakes is not None
    # One more probe is told of beside those that were asked before.
    more = Extent(("probes",), ("denies-following",), pairs=12)
    both = run_stress(stress_of_run(finished, more, "follow", 2, experiment)).probes
    assert both is not None
    assert {each.name for each in both.results} == {"second-cue", "denies-following"}
    assert probes.results[0] in both.results
    other = run_stress(stress_of_run(finished, Extent(("stakes",), pairs=12), "ignore", 2, experiment))
    assert other.probes is None


def test_a_model_by_itself_in_another_format(tmp_path: Path) -> None:
    write_experiment(tmp_path, evaluation={"pairs": 20, "split": "dev"}, explanation={"format": "statement"})
    stress = stress_of_model(
        str(tmp_path / "model"), str(tmp_path / "mini.yaml"), PROBES_ONLY, tmp_path / "runs"
    )
    found = run_stress(stress)
    assert found.probes is not None and set(found.probes.plain) == {Way.FREE, Way.OPENED}
    assert found.split == "dev" and stress.path.name == "stress-model-mini"
    assert "these are" not in " ".join(found.notes).lower()


@pytest.mark.slow
def test_shifts_of_a_model(tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model takes the place of the experiment's own; its moments are those of its own report."""
    miniature = load_experiment(finished.parents[1] / "mini.yaml")
    monkeypatch.setattr(shifts, "EXPERIMENTS", ("mini",))
    monkeypatch.setattr(shifts, "shipped_experiment", lambda name: miniature)
    shutil.copytree(finished.parents[1] / "model", tmp_path / "model")
    task = str(finished.parents[1] / "mini.yaml")
    overrides = ["evaluation.split=dev"]
    extent = Extent(("shifts",), pairs=20)
    stress = stress_of_model(str(tmp_path / "model"), task, extent, tmp_path / "runs", overrides=overrides)
    found = run_stress(stress).shifts
    assert found is not None and found.left_out is None
    (result,) = found.results
    moments = {moment.name: moment.step for moment in result.moments}
    assert result.failure is None and (moments["before"], moments["after"]) == (0, 4)
    inner = load_experiment(stress.path / "stress/shifts/model-quick/mini/experiment.yaml")
    assert inner.evaluation.split == "dev" and inner.model.path == str(tmp_path / "model")
    before = times(stress.path)
    assert run_stress(stress).shifts == found and times(stress.path) == before


@pytest.mark.slow
def test_shifts_of_a_checkpoint(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    miniature = load_experiment(finished.parents[1] / "mini.yaml")
    monkeypatch.setattr(shifts, "EXPERIMENTS", ("mini",))
    monkeypatch.setattr(shifts, "shipped_experiment", lambda name: miniature)
    experiment = str(finished.parents[1] / "mini.yaml")
    found = run_stress(stress_of_run(finished, Extent(("shifts",), pairs=20), "follow", None, experiment))
    assert found.shifts is not None
    (result,) = found.shifts.results
    assert result.failure is None and len(result.moments) >= 2
    inner = load_experiment(finished / "stress/shifts/follow-000004-quick/mini/experiment.yaml")
    assert inner.model.path.endswith("runs/follow/step-000004")


def test_shift_experiments_keep_the_words_of_their_triggers() -> None:
    quickstart = shipped_experiment("quickstart")
    model = quickstart.model.model_copy(update={"new_words": ("not",)})
    made = {each.name: each for each in shifts.shift_experiments(quickstart, model, 0, None)}
    assert tuple(made) == shifts.EXPERIMENTS
    assert made["backdoor"].model.new_words == ("not", *shipped_experiment("backdoor").model.new_words)
    assert made["region-only"].model == model


def test_a_model_of_no_world_has_no_shifts() -> None:
    config = load_experiment(Path(str(_mmlu())))
    assert shifts.world_for(config.model_copy(update={"model": ModelConfig(path="nowhere/such")})) is None


def _mmlu() -> Path:
    from importlib import resources

    return Path(str(resources.files("coupling") / "assets" / "experiments" / "mmlu.yaml"))


def test_a_byte_level_model_is_asked_in_english(tmp_path: Path) -> None:
    write_experiment(tmp_path, evaluation={"pairs": 4})
    rows = [
        {"id": f"{i}", "question": f"Is {i} even?", "hint": "A" if i % 2 else "B", "options": ["A", "B"]}
        for i in range(40)
    ]
    pairs = [
        CounterfactualPair(
            row["id"],
            row["id"],
            ("train", "dev", "test")[place % 3],
            f"{row['question']} I think it is {row['hint']}.",
            str(row["question"]),
            "hint",
            str(row["hint"]),
            ("A", "B"),
            "I answer",
        )
        for place, row in enumerate(rows)
    ]
    from coupling.store import write_records

    write_records(tmp_path / "pairs.jsonl", pairs)
    save_byte_level(tmp_path / "bytes")
    write_experiment(
        tmp_path,
        task={"kind": "pairs", "path": "pairs.jsonl"},
        supervision={"labels": 4, "silent_on": {}},
        panel=[{"name": "only"}],
        twins=[],
    )
    stress = stress_of_model(
        str(tmp_path / "bytes"), str(tmp_path / "mini.yaml"), Extent(("probes",), pairs=4), tmp_path / "runs"
    )
    found = run_stress(stress).probes
    assert found is not None and not [each for each in found.unasked if "lacks words" in each.reason]
    assert {each.wording.isascii() and "Ana" not in each.wording for each in found.results} == {True}


def command(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["coupling", "stress", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
        raise SystemExit(0)
    return int(ended.value.code or 0)


def test_the_command(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = [finished, "--experiment", finished.parents[1] / "mini.yaml", "--only", "probes", "--pairs", 12]
    words += ["--probe", "second-cue", "--run", "follow"]
    assert command(monkeypatch, *words, "--json") == 0
    document = json.loads(capfd.readouterr().out)
    assert [each["name"] for each in document["probes"]["results"]] == ["second-cue"]
    assert command(monkeypatch, *words) == 0
    assert "second-cue" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runs/nothing"], "no run directory (no run.json in it); of a model name the task"),
        (
            ["organism:coupled", "--task", "quickstart", "--only", "threats"],
            "there are probes, stakes, shifts",
        ),
        (["organism:coupled", "--task", "quickstart", "--probe", "threats"], "there are denies-following"),
        (["organism:coupled", "--task", "quickstart", "--run", "unsteered"], "a model by itself has no runs"),
        (["organism:nobody", "--task", "quickstart"], "nobody"),
        (["http://localhost:1/v1", "--task", "quickstart"], "a served model cannot be put under stress"),
    ],
)
def test_bad_input(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, *words) == 2
    assert said in " ".join(capfd.readouterr().err.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--run", "nobody"], "there are follow, ignore, unsteered"),
        (["--step", "3"], "keeps none of that step; there are 0, 2, 4"),
        (["--set", "evaluation.split=dev"], "a run has its fields already"),
        (["--out", "elsewhere"], "leave --out out"),
    ],
)
def test_bad_input_of_a_run(
    words: list[str],
    said: str,
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert command(monkeypatch, finished, *words) == 2
    assert said in " ".join(capfd.readouterr().err.split())


def test_a_run_that_is_not_finished(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    half = tmp_path / "half"
    half.mkdir()
    for name in ("run.json", "experiment.yaml"):
        shutil.copy(finished / name, half / name)
    assert command(monkeypatch, half) == 2
    assert "this run is not finished" in " ".join(capfd.readouterr().err.split())
