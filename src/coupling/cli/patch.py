"""``coupling patch``: through which components the cue reaches answers and explanations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.completion import runs
from coupling.cli.console import OUTPUT, print_json, progress
from coupling.cli.options import DEFAULT_RUNS_DIR, AsJson, RunsDir

if TYPE_CHECKING:
    from coupling.faithfulness.circuits import CircuitResults


def patch(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN",
            help="Run directory, or its name in --runs-dir; or give --model alone.",
            autocompletion=runs,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="A model by itself, as organism:third-person.")
    ] = None,
    member: Annotated[
        str | None, typer.Option("--member", help="Run of the panel; the unsteered one by default.")
    ] = None,
    pairs: Annotated[int, typer.Option("--pairs", min=1, help="At most so many changed pairs.")] = 200,
    split: Annotated[
        str | None, typer.Option("--split", help="dev or test; by default as evaluated.")
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option(
            "--experiment", help="Experiment file: of RUN, if its paths stand beside that; task of --model."
        ),
    ] = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Do behaviour and explanation use the same circuits? Activation patching, before training and after."""
    from coupling.report.circuits import print_circuits
    from coupling.report.runs import find_run

    if (path is None) == (model is None):
        raise ValueError("patch: give a run directory, as runs/quickstart, or --model, and not both")
    path = None if path is None else find_run(path, runs_dir)
    results = _patch(path, model, member, pairs, split, experiment)
    if as_json:
        print_json(results.to_json())
        return
    print_circuits(results, OUTPUT)
    if path is not None:
        OUTPUT.print(f"report: {path / 'report.html'}", soft_wrap=True)


def _patch(
    path: Path | None,
    model: str | None,
    member: str | None,
    pairs: int,
    split: str | None,
    experiment: str | None,
) -> CircuitResults:
    import json

    from coupling.config import named_experiment
    from coupling.experiment.patching import patch_model, patch_run

    if path is not None:
        config = None if experiment is None else named_experiment(Path(experiment))
        with progress() as bars:
            return patch_run(path, member, pairs, split, config, bars)
    if member is not None:
        raise ValueError(f"--member {member}: a model by itself has no runs; give a run directory")
    task = named_experiment(Path(experiment or "quickstart"), [f"model.path={json.dumps(model)}"])
    with progress() as bars:
        return patch_model(task, pairs, split, bars)
