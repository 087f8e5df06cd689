"""``coupling plan``: what an experiment will take, before anything is loaded."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.console import OUTPUT, print_json
from coupling.cli.options import AsJson, ExperimentFile, Limit, Set

if TYPE_CHECKING:
    from coupling.config import ModelConfig
    from coupling.planning import Devices


class DeviceKind(StrEnum):
    CPU = "cpu"
    CUDA = "cuda"


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
    device: Annotated[
        DeviceKind | None, typer.Option("--device", help="Where it will run; where it would run here, else.")
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
    from coupling.config import limited, named_experiment
    from coupling.models import prepare_process
    from coupling.planning import plan_experiment
    from coupling.planning.terminal import print_plan
    from coupling.store import to_json

    prepare_process()
    config = named_experiment(file, set_ or ())
    config = config if limit is None else limited(config, limit)
    planned = plan_experiment(config, _devices(config.model, device, tflops, bandwidth, processes, sharded))
    if as_json:
        print_json(to_json(planned))
    else:
        print_plan(planned, OUTPUT)


def _devices(
    model: ModelConfig,
    device: DeviceKind | None,
    tflops: float | None,
    bandwidth: float | None,
    processes: int,
    is_sharded: bool,
) -> Devices:
    from dataclasses import replace

    from coupling.models.loading import device_named
    from coupling.planning import Devices
    from coupling.planning.speed import Speed, measure_speed

    for name, value in (("--tflops", tflops), ("--bandwidth", bandwidth)):
        if value is not None and value <= 0:
            raise ValueError(f"{name} {value:g}: expected a number above 0")
    if tflops is not None and bandwidth is not None:
        speed = Speed(tflops * 1e12, bandwidth * 1e9)
    elif device is DeviceKind.CUDA and device_named("auto") != "cuda":
        raise ValueError("--device cuda: none is here; say what it does by --tflops and --bandwidth")
    else:
        speed = measure_speed(model if device is None else model.model_copy(update={"device": device.value}))
        speed = speed if tflops is None else replace(speed, flops=tflops * 1e12)
        speed = speed if bandwidth is None else replace(speed, bandwidth=bandwidth * 1e9)
    on_cpu = device_named(model.device) == "cpu" if device is None else device is DeviceKind.CPU
    return Devices(speed, on_cpu, processes, is_sharded)
