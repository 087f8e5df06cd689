"""The commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.audit import audit
from coupling.cli.calibrate import calibrate
from coupling.cli.claims import claims
from coupling.cli.console import ERRORS, OUTPUT, print_json, progress
from coupling.cli.fetch import fetch
from coupling.cli.interpolate import interpolate
from coupling.cli.options import DEFAULT_RUNS_DIR, AsJson, ExperimentFile, Limit, RunPath, RunsDir, Seed, Set
from coupling.cli.organism import organism
from coupling.cli.patch import patch
from coupling.cli.plan import plan
from coupling.cli.stress import stress
from coupling.cli.sweep import sweep

if TYPE_CHECKING:
    from coupling.config import ExperimentConfig
    from coupling.faithfulness import Results

app = typer.Typer(
    help="Do a language model's explanations of itself follow its behaviour?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(organism, name="organism")
app.command()(sweep)
app.command()(claims)
app.command()(calibrate)
app.command()(plan)
app.command()(patch)
app.command()(interpolate)
app.command()(audit)
app.command()(stress)
app.command()(fetch)


@app.command()
def quickstart(
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Run the shipped experiment: does a tiny model's self-explanation follow its behaviour?"""
    from coupling.config import shipped_experiment

    _run(_adjusted(shipped_experiment("quickstart", set_ or ()), seed, limit), runs_dir, as_json)


@app.command()
def run(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Run an experiment from its first stage to its report; what is done already is passed over."""
    _run(_load(file, set_, seed, limit), runs_dir, as_json)


@app.command()
def behaviors(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Stage 1: the pairs, and what the base and the target answer to them."""
    _stage("behaviors", _load(file, set_, seed, limit), runs_dir)


@app.command()
def supervise(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Stage 2: the fixed dataset of explanations."""
    _stage("supervise", _load(file, set_, seed, limit), runs_dir)


@app.command()
def train(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Stage 3: the runs of the panel, side by side."""
    _stage("train", _load(file, set_, seed, limit), runs_dir)


@app.command()
def evaluate(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Stage 4: behaviours and explanations of every checkpoint, the figures and the verdict."""
    from coupling.experiment import run_path
    from coupling.report.runs import read_results

    config = _load(file, set_, seed, limit)
    _stage("evaluate", config, runs_dir)
    _show(read_results(run_path(config, runs_dir)), as_json)


@app.command()
def report(path: RunPath, as_json: AsJson = False) -> None:
    """Stage 5: write the page of a run directory again, from its figures alone."""
    from coupling.report.page import render_page
    from coupling.report.runs import STRESS_PAGE, is_stressed, read_circuits, read_results
    from coupling.store import write_text
    from coupling.studies.audit.findings import read_judged

    results = read_results(path)
    stress_page = STRESS_PAGE if is_stressed(path) else None
    page = _audit_page(path, results) or render_page(results, read_circuits(path), stress_page)
    write_text(path / "report.html", page)
    _show(read_judged(path), as_json, path / "report.html")


@app.command()
def compare(
    paths: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN …", help="Run directories to set side by side.")
    ],
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write an HTML page there as well.")] = None,
) -> None:
    """Set the figures of two or more runs side by side."""
    from coupling.report.compare import print_comparison, render_comparison
    from coupling.store import write_text
    from coupling.studies.audit.findings import read_judged

    if len(paths) < 2:
        raise ValueError(f"compare: {len(paths)} run directory given; name two or more")
    results = [read_judged(path) for path in paths]
    if out is not None:
        write_text(out, render_comparison(results))
    if as_json:
        print_json([one.to_json() for one in results])
    else:
        print_comparison(results, OUTPUT)


@app.command()
def judge(
    file: Annotated[
        Path, typer.Argument(metavar="JUDGE.yaml", help="Names the files to judge; see docs/judging.md.")
    ],
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write results.json and report.html there.")
    ] = None,
) -> None:
    """Judge behaviours and explanations made elsewhere; no model is loaded."""
    from coupling.judging import judge_file
    from coupling.report.page import render_page
    from coupling.store import write_json, write_text

    results = judge_file(file)
    page = None
    if out is not None:
        page = out / "report.html"
        write_json(out / "results.json", results.to_json())
        write_text(page, render_page(results))
    _show(results, as_json, page)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml")] = Path("experiment.yaml"),
    start: Annotated[
        str, typer.Option("--from", help="Shipped experiment to start from, as label-noise.")
    ] = "quickstart",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented experiment file to start from; the experiment is called as the file."""
    import json

    from coupling.config import commented_experiment, shipped_experiment
    from coupling.store import write_text

    if file.exists() and not force:
        raise ValueError(f"{file}: is there already; choose another name, or replace it with --force")
    experiment = shipped_experiment(start, [f"name={json.dumps(file.stem)}"])
    write_text(file, commented_experiment(experiment))
    OUTPUT.print(f"{file} is written; run it with: coupling run {file}", soft_wrap=True)


@app.command()
def validate(file: ExperimentFile, set_: Set = None) -> None:
    """Check an experiment file without running it."""
    from coupling.config import config_sha256

    config = _load(file, set_, None, None)
    summary = f"experiment {config.name}, configuration {config_sha256(config)[:12]}"
    OUTPUT.print(f"{file}: valid; {summary}", soft_wrap=True)


@app.command("ls")
def list_runs(runs_dir: RunsDir = DEFAULT_RUNS_DIR, as_json: AsJson = False) -> None:
    """List the run directories and their verdicts."""
    from coupling.report.runs import list_results
    from coupling.report.terminal import print_runs
    from coupling.studies.audit.findings import read_judged

    found = list_results(runs_dir, read_judged)
    if as_json:
        print_json({name: one if isinstance(one, str) else one.to_json() for name, one in found.items()})
    else:
        print_runs(found, OUTPUT)


def _load(file: Path, overrides: list[str] | None, seed: int | None, limit: int | None) -> ExperimentConfig:
    from coupling.config import named_experiment

    return _adjusted(named_experiment(file, overrides or ()), seed, limit)


def _adjusted(config: ExperimentConfig, seed: int | None, limit: int | None) -> ExperimentConfig:
    from coupling.config import limited, reseeded

    config = config if seed is None else reseeded(config, seed)
    return config if limit is None else limited(config, limit)


def _run(config: ExperimentConfig, runs_dir: Path, as_json: bool) -> None:
    from coupling.experiment import run_experiment, run_path

    with progress() as bars:
        results = run_experiment(config, runs_dir, bars)
    _show(results, as_json, run_path(config, runs_dir) / "report.html")


def _stage(stage: str, config: ExperimentConfig, runs_dir: Path) -> None:
    from coupling.experiment import run_path, run_stage

    with progress() as bars:
        run_stage(stage, config, runs_dir, bars)
    ERRORS.print(f"{stage} is done: {run_path(config, runs_dir)}", soft_wrap=True)


def _show(results: Results, as_json: bool, page: Path | None = None) -> None:
    from coupling.report.terminal import print_summary

    if as_json:
        print_json(results.to_json())
        return
    print_summary(results, OUTPUT)
    if page is not None:
        OUTPUT.print(f"report: {page}", soft_wrap=True)


def _audit_page(path: Path, results: Results) -> str | None:
    """The page of an audit; None where the directory is another's."""
    from coupling.studies.audit.findings import is_audit, read_findings
    from coupling.studies.audit.page import render_audit

    return render_audit(results, read_findings(path)) if is_audit(path) else None
