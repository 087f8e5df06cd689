"""``coupling plan``: what an experiment will take, before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.console import OUTPUT
from coupling.cli.options import AsJson, ExperimentFile, Limit, Set

if TYPE_CHECKING:
    from coupling.config import ModelConfig
    from coupling.planning.speed import Speed


def plan(
    file: ExperimentFile,
    set_: Set = None,
    limit: Limit = None,
    tflops: Annotated[
        float | None,
        typer.Option("--tflops", help="What the device computes, 10^12 operations a second; else measured."),
    ] = None,
    bandwidth: Annotated[
        float | None, typer.Option("--bandwidth", help="What it reads, in GB a second; else measured.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Processes that share every batch, as launched.")
    ] = 1,
    sharded: Annotated[
        bool, typer.Option("--sharded", help="They share weights, gradients and moments as well (FSDP2).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Memory, time and pairs that an experiment takes; reads configuration and data, loads no weights."""
    import json

    from coupling.config import limited, named_experiment
    from coupling.planning import plan_experiment
    from coupling.planning.terminal import print_plan
    from coupling.store import to_json

    config = named_experiment(file, set_ or ())
    config = config if limit is None else limited(config, limit)
    planned = plan_experiment(config, _speed(config.model, tflops, bandwidth), processes, sharded)
    if as_json:
        typer.echo(json.dumps(to_json(planned), sort_keys=True, ensure_ascii=False, indent=2))
    else:
        print_plan(planned, OUTPUT)


def _speed(model: ModelConfig, tflops: float | None, bandwidth: float | None) -> Speed:
    from dataclasses import replace

    from coupling.planning.speed import Speed, measure_speed

    for name, value in (("--tflops", tflops), ("--bandwidth", bandwidth)):
        if value is not None and value <= 0:
            raise ValueError(f"{name} {value:g}: expected a number above 0")
    if tflops is not None and bandwidth is not None:
        return Speed(tflops * 1e12, bandwidth * 1e9)
    measured = measure_speed(model)
    measured = measured if tflops is None else replace(measured, flops=tflops * 1e12)
    return measured if bandwidth is None else replace(measured, bandwidth=bandwidth * 1e9)
