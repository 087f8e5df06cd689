"""What commands call a run, how they end, and what they list."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from coupling import __version__
from coupling.cli import main
from coupling.cli.app import PANELS, app
from coupling.cli.completion import experiments, runs
from coupling.config import load_experiment, named_experiment
from coupling.faithfulness import Results, judge
from coupling.report.runs import SWEEP_PAGE, find_run, pages_beside
from coupling.report.terminal import print_runs, print_summary
from coupling.store import RunDir, write_json
from coupling.studies.audit.definition import define_audit
from synthetic_results import evidence_at

EXAMPLE = Path(__file__).parents[2] / "examples" / "judge" / "judge.yaml"


@pytest.fixture(scope="module")
def judged() -> Results:
    """One run that never moved."""
    still = evidence_at(0)
    return judge(replace(still, base_explanations={}, runs=still.runs[:1], twins=()), resamples=50)


@pytest.fixture
def here(tmp_path: Path, judged: Results, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the runs my and your, a sweep of two, and an audit."""
    for place in ("runs/my", "runs/your", "runs/grid/a", "runs/grid/b", "audits/theirs"):
        with RunDir.open(tmp_path / place, {"name": place}, "") as run:
            run.make("results.json", {}, lambda path: write_json(path, judged.to_json()))
    (tmp_path / "runs/grid" / SWEEP_PAGE).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["coupling", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
        raise SystemExit(0)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("my", "runs/my"),
        ("my.yaml", "runs/my"),
        ("runs/my", "runs/my"),
        ("runs/my/", "runs/my"),
        ("theirs", "audits/theirs"),
        ("runs/grid/a", "runs/grid/a"),
    ],
)
def test_a_run_is_found_by_name_or_path(named: str, found: str, here: Path) -> None:
    (here / "my").mkdir()  # Somebody's data: no run.
    assert find_run(Path(named), Path("runs")) == Path(found)


def test_a_name_that_is_unknown_is_told_with_those_near(here: Path) -> None:
    with pytest.raises(ValueError, match=r"^yuor: .* did you mean 'your'\?"):
        find_run(Path("yuor"), Path("runs"))
    with pytest.raises(ValueError, match=r"there are my, theirs, your"):
        find_run(Path("qqqqqq"), Path("runs"))
    with pytest.raises(ValueError, match=r"^quikstart: .* did you mean 'quickstart'"):
        named_experiment(Path("quikstart"))


def test_an_experiment_file_may_go_by_its_name_alone(here: Path) -> None:
    Path("my.yaml").write_text("name: my\nmodel: organism:coupled\ntask: {kind: world}\npanel: [{name: a}]\n")
    assert named_experiment(Path("my")) == load_experiment(Path("my.yaml"))
    # A folder of that name is in nobody's way.
    Path("quickstart").mkdir()
    assert named_experiment(Path("quickstart")).name == "quickstart"
    assert "my.yaml" in experiments("my") and "quickstart" in experiments("quick")
    assert runs("m") == ["my"] and runs("runs/y") == ["runs/your"]


def test_commands_take_names(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "report", "my", "--json") == 0
    assert json.loads(capfd.readouterr().out)["experiment"]
    assert (here / "runs/my/report.html").is_file()
    assert call(monkeypatch, "compare", "my", "your", "--json") == 0
    assert len(json.loads(capfd.readouterr().out)) == 2


def test_fail_on_a_verdict(
    here: Path, judged: Results, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    verdict = judged.verdict().verdict
    other = "collapsed" if verdict != "collapsed" else "invalid"
    failing = ("--fail-on", other, "--fail-on", verdict)
    assert call(monkeypatch, "report", "my", *failing, "--json") == 1
    assert json.loads(capfd.readouterr().out)  # The figures are told all the same.
    assert call(monkeypatch, "report", "my", "--fail-on", other) == 0
    for command in (("report", "my"), ("judge", EXAMPLE), ("run", "quickstart")):
        assert call(monkeypatch, *command, "--fail-on", "bad") == 2
        assert "there is no such verdict" in capfd.readouterr().err


def test_ls_lists_dates_audits_and_sweeps(
    here: Path, judged: Results, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "ls", "--json") == 0
    listed = json.loads(capfd.readouterr().out)
    assert listed.keys() == {"my", "your", "audits/theirs", "grid"}
    assert listed["grid"] == "sweep of 2 experiments, 2 evaluated"
    assert call(monkeypatch, "ls") == 0
    shown = capfd.readouterr().out
    assert "audits/theirs" in shown and "grid/" in shown and shown.count("-") >= 6


def test_reports_of_a_sweep_lead_to_its_page(here: Path) -> None:
    assert list(pages_beside(here / "runs/grid/a")) == [f"../{SWEEP_PAGE}"]
    assert pages_beside(here / "runs/my") == {}


def test_tables_fit_80_columns_without_cutting_a_figure(judged: Results) -> None:
    for show in (print_summary, lambda results, on: print_runs({"a-rather-long-name-of-a-run": results}, on)):
        console = Console(file=io.StringIO(), width=80)
        show(judged, console)
        assert isinstance(console.file, io.StringIO)
        shown = console.file.getvalue()
        assert max(map(len, shown.splitlines())) <= 80 and "…" not in shown


def test_the_version_and_every_command() -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["--version"]).output == f"coupling {__version__}\n"
    shown = runner.invoke(app, ["--help"]).output
    places = [shown.index(f"│ {name} ") for commands in PANELS.values() for name in commands]
    assert places == sorted(places) and "--install-completion" in shown


TASK = "task: {kind: world}\n"


def test_an_audit_needs_no_panel(here: Path) -> None:
    Path("task.yaml").write_text(TASK)
    audit = define_audit("organism:coupled", "task.yaml")
    Path("whole.yaml").write_text(f"name: whole\nmodel: organism:plain\npanel: [{{name: a}}]\n{TASK}")
    assert define_audit("organism:coupled", "whole.yaml").experiment.task == audit.experiment.task
    with pytest.raises(ValueError, match=r"field 'task'"):
        Path("empty.yaml").write_text("evaluation: {pairs: 20}\n")
        define_audit("organism:coupled", "empty.yaml")


@pytest.mark.parametrize(
    "typed",
    ["sk-secret", "sk-secret=", "=sk-secret", "key=sk-secret", "api_key_env=sk-secret", "model=[sk-secret"],
)
def test_what_is_typed_as_an_endpoints_field_is_not_shown(typed: str) -> None:
    with pytest.raises(ValueError, match="--endpoint") as error:
        define_audit("http://localhost:1/v1", "quickstart", served_model="m", endpoint=[typed])
    assert "secret" not in str(error.value)
