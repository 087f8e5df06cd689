"""``coupling sweep``: many experiments that differ in the fields named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coupling.cli.console import OUTPUT, print_json, progress
from coupling.cli.options import (
    DEFAULT_RUNS_DIR,
    AsJson,
    RunsDir,
    Set,
    SlurmPartition,
    SlurmSet,
    SweepName,
    Vary,
    Workers,
)

if TYPE_CHECKING:
    from coupling.studies.cluster import Slurm


def sweep(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Experiment or sweep, shipped or a file; none lists the shipped."
        ),
    ] = None,
    vary: Vary = None,
    set_: Set = None,
    name: SweepName = None,
    workers: Workers = None,
    slurm: SlurmPartition = None,
    slurm_set: SlurmSet = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Run an experiment at every combination of some fields' values; what is done is passed over."""
    from coupling.studies.definition import plan_sweep

    if file is None:
        _list_shipped()
        return
    planned = plan_sweep(file, vary or (), set_ or (), name)
    cluster = _slurm(slurm, slurm_set or [])

    from coupling.report.runs import SWEEP_PAGE
    from coupling.store import to_json
    from coupling.studies.sweep import SWEEP_FILE, run_sweep
    from coupling.studies.table import print_sweep

    with progress() as bars:
        results = run_sweep(planned, runs_dir, workers, cluster, bars)
    if as_json:
        print_json(to_json(results))
    else:
        print_sweep(results, OUTPUT)
        folder = runs_dir / planned.name
        OUTPUT.print(f"figures: {folder / SWEEP_FILE}, page: {folder / SWEEP_PAGE}", soft_wrap=True)
    results.require_all()


def _slurm(partition: str | None, options: list[str]) -> Slurm | None:
    from coupling.config.yaml_text import parse_yaml
    from coupling.studies.cluster import Slurm

    if partition is None:
        if options:
            raise ValueError(f"--slurm-set {options[0]}: says nothing without --slurm PARTITION")
        return None
    read = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not name or not equals:
            raise ValueError(
                f"--slurm-set {option}: expected a parameter, '=' and a value, as timeout_min=240"
            )
        read[name] = parse_yaml(value, f"--slurm-set {option}")
    return Slurm(partition, read)


def _list_shipped() -> None:
    from rich.table import Table

    from coupling.studies.definition import shipped_sweeps

    table = Table("sweep", "experiment", "varies", box=None, pad_edge=False)
    for name, shipped in shipped_sweeps().items():
        table.add_row(name, shipped.experiment, "\n".join(shipped.vary))
    OUTPUT.print(table)
