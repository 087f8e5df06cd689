"""``coupling plan``: what an experiment will take, before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.console import OUTPUT
from coupling.cli.options import AsJson, ExperimentFile, Limit, Set

if TYPE_CHECKING:
    from coupling.planning import Plan
    from coupling.planning.speed import Speed


def plan(
    file: ExperimentFile,
    set_: Set = None,
    limit: Limit = None,
    tflops: Annotated[
        float | None,
        typer.Option("--tflops", min=0, help="What the device does, in 10^12 operations a second; else measured."),
    ] = None,
    bandwidth: Annotated[
        float | None, typer.Option("--bandwidth", min=0, help="What it reads, in GB a second; else measured.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Processes that share one run's batches, as launched.")
    ] = 1,
    sharded: Annotated[
        bool, typer.Option("--sharded", help="They share weights, gradients and moments as well (FSDP2).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Memory, time and pairs of an experiment. Reads configuration, tokenizer and data; loads no weights."""
    import json

    from coupling.cli.loading import load_experiment
    from coupling.planning import plan_experiment
    from coupling.planning.terminal import print_plan
    from coupling.store import to_json

    config = load_experiment(file, set_, None, limit)
    planned = plan_experiment(config, _speed(config.model.device, config.model.dtype, tflops, bandwidth), processes, sharded)
    if as_json:
        typer.echo(json.dumps(to_json(planned), sort_keys=True, ensure_ascii=False, indent=2))
    else:
        print_plan(planned, OUTPUT)
