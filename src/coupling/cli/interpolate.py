"""``coupling interpolate``: do answers and claims turn at the same point between twins?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coupling.cli.console import OUTPUT, print_json, progress
from coupling.cli.options import DEFAULT_RUNS_DIR, AsJson, RunPath, RunsDir


def interpolate(
    path: RunPath,
    points: Annotated[
        int, typer.Option("--points", help="Points of the way from twin to twin, both ends counted.")
    ] = 11,
    pairs: Annotated[
        int, typer.Option("--pairs", min=1, help="At most so many pairs of each twin pair.")
    ] = 200,
    experiment: Annotated[
        str | None,
        typer.Option("--experiment", help="Experiment file of RUN, if its paths stand beside that."),
    ] = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Do answers and claims turn at the same point? Weights interpolated between twins."""
    from coupling.config import named_experiment
    from coupling.experiment.interpolation import INTERPOLATION_PAGE, interpolate_run
    from coupling.report.interpolation import print_interpolation
    from coupling.report.runs import find_run

    path = find_run(path, runs_dir)
    config = None if experiment is None else named_experiment(Path(experiment))
    with progress() as bars:
        results = interpolate_run(path, points, pairs, config, bars)
    if as_json:
        print_json(results.to_json())
        return
    print_interpolation(results, OUTPUT)
    OUTPUT.print(f"page: {path / INTERPOLATION_PAGE}", soft_wrap=True)
