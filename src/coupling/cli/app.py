"""The commands: those that make an experiment's stages, and all of them by panels of the help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from coupling import __version__
from coupling.cli.audit import audit
from coupling.cli.calibrate import calibrate
from coupling.cli.claims import claims
from coupling.cli.console import ERRORS, OUTPUT, progress
from coupling.cli.fetch import fetch
from coupling.cli.interpolate import interpolate
from coupling.cli.options import (
    DEFAULT_RUNS_DIR,
    AsJson,
    ExperimentFile,
    FailOn,
    Limit,
    RunsDir,
    Seed,
    Set,
    end_with,
    known_verdicts,
)
from coupling.cli.organism import organism
from coupling.cli.patch import patch
from coupling.cli.plan import plan
from coupling.cli.results import compare, judge, list_runs, report, show_results
from coupling.cli.stress import stress
from coupling.cli.sweep import sweep

if TYPE_CHECKING:
    from coupling.config import ExperimentConfig


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


def run(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="A quick look: 240 labels, 20 steps, 240 held-out pairs, in a folder NAME-quick."
        ),
    ] = False,
    as_json: AsJson = False,
    fail_on: FailOn = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Run an experiment from its first stage to its report; what is done already is passed over."""
    from coupling.config import quickened
    from coupling.faithfulness.results import VERDICTS

    failing = known_verdicts(fail_on, VERDICTS)
    config = _load(file, set_, seed, limit)
    verdict = _run(quickened(config) if quick else config, runs_dir, as_json)
    end_with(verdict, failing)


def behaviors(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Stage 1: the pairs, and what the base and the target answer to them."""
    _stage("behaviors", _load(file, set_, seed, limit), runs_dir)


def supervise(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Stage 2: the fixed dataset of explanations."""
    _stage("supervise", _load(file, set_, seed, limit), runs_dir)


def train(
    file: ExperimentFile,
    set_: Set = None,
    seed: Seed = None,
    limit: Limit = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Stage 3: the runs of the panel, side by side."""
    _stage("train", _load(file, set_, seed, limit), runs_dir)


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
    show_results(read_results(run_path(config, runs_dir)), as_json)


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


def validate(
    file: ExperimentFile,
    set_: Set = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Leave out what only the Hugging Face hub has.")
    ] = False,
) -> None:
    """Check an experiment, its data and its models without running it; loads no weights."""
    from coupling.config import config_sha256

    config = _load(file, set_, None, None)

    from coupling.experiment.checking import check_experiment
    from coupling.models import prepare_process

    prepare_process()
    checked = check_experiment(config, offline)
    for note in checked.notes:
        ERRORS.print(f"note: {note}", soft_wrap=True)
    summary = f"experiment {config.name}, configuration {config_sha256(config)[:12]}"
    if checked.pairs is not None:
        summary += (
            f"; {checked.labels} labels, {checked.held_out} held-out pairs in {checked.clusters} clusters"
        )
    OUTPUT.print(f"{file}: valid; {summary}", soft_wrap=True)


def _load(file: Path, overrides: list[str] | None, seed: int | None, limit: int | None) -> ExperimentConfig:
    from coupling.config import named_experiment

    return _adjusted(named_experiment(file, overrides or ()), seed, limit)


def _adjusted(config: ExperimentConfig, seed: int | None, limit: int | None) -> ExperimentConfig:
    from coupling.config import limited, reseeded

    config = config if seed is None else reseeded(config, seed)
    return config if limit is None else limited(config, limit)


def _run(config: ExperimentConfig, runs_dir: Path, as_json: bool) -> str:
    """Runs it, shows what was found, and returns the verdict."""
    from coupling.experiment import run_experiment, run_path

    with progress() as bars:
        results = run_experiment(config, runs_dir, bars)
    show_results(results, as_json, run_path(config, runs_dir) / "report.html")
    return results.verdict().verdict


def _stage(stage: str, config: ExperimentConfig, runs_dir: Path) -> None:
    from coupling.experiment import run_path, run_stage

    with progress() as bars:
        run_stage(stage, config, runs_dir, bars)
    ERRORS.print(f"{stage} is done: {run_path(config, runs_dir)}", soft_wrap=True)


class _ByPanels(TyperGroup):
    """Lists commands in the order of `PANELS`; of its own accord typer lists groups before commands."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return [name for commands in PANELS.values() for name in commands]


PANELS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "First steps": {
        "quickstart": quickstart,
        "init": init,
        "validate": validate,
        "run": run,
        "report": report,
        "ls": list_runs,
        "compare": compare,
    },
    "Models and artifacts made elsewhere": {"audit": audit, "judge": judge, "stress": stress, "fetch": fetch},
    "Many experiments": {"sweep": sweep, "plan": plan, "claims": claims, "calibrate": calibrate},
    "Inside the model": {"patch": patch, "interpolate": interpolate},
    "An experiment, stage by stage": {
        "behaviors": behaviors,
        "supervise": supervise,
        "train": train,
        "evaluate": evaluate,
    },
    "Organisms": {"organism": organism},
}
"""Command by its name, by the panel of the help it stands in; common ones come first."""

app = typer.Typer(
    help="Do a language model's explanations of itself follow its behaviour?",
    cls=_ByPanels,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for panel, commands in PANELS.items():
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        OUTPUT.print(f"coupling {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    pass
