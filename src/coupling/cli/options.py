"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from coupling.cli.completion import experiments, runs

ExperimentFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.yaml|NAME",
        help="Experiment file, or the name of one here or shipped; `coupling init` writes one.",
        autocompletion=experiments,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Override a field of the experiment; may be repeated."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Added to the training seed of every run of the panel.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="At most so many labels and so many evaluated pairs.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the figures as JSON on stdout, and nothing else there.")
]
RunsDir = Annotated[
    Path, typer.Option("--runs-dir", help="Folder in which every experiment has a folder of its name.")
]
RunPath = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="Run directory, or its name in --runs-dir: quickstart is runs/quickstart.",
        autocompletion=runs,
    ),
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="VERDICT",
        help='End with exit code 1 where this is the verdict, as invalid or "not shown"; may be repeated.',
    ),
]

Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="A.B=V,V,…",
        help="A field and its values, or seed=0..4; may be repeated: every combination is run.",
    ),
]
SweepName = Annotated[
    str | None, typer.Option("--name", help="Folder of the sweep; by default after what is varied.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Experiments side by side; 2 on one machine.")
]
SlurmPartition = Annotated[
    str | None, typer.Option("--slurm", metavar="PARTITION", help="Run as jobs of a Slurm cluster.")
]
SlurmSet = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm-set", metavar="NAME=VALUE", help="Parameter of submitit, as timeout_min=240 or mem_gb=8."
    ),
]

DEFAULT_RUNS_DIR = Path("runs")


def known_verdicts(fail_on: list[str] | None, known: Collection[str]) -> frozenset[str]:
    """The verdicts of ``--fail-on``.

    Raises:
        ValueError: there is no such verdict.
    """
    for verdict in fail_on or ():
        if verdict not in known:
            raise ValueError(f"--fail-on {verdict!r}: there is no such verdict; there are {', '.join(known)}")
    return frozenset(fail_on or ())


def end_with(verdict: str, fail_on: frozenset[str]) -> None:
    """Ends the command with exit code 1 where its verdict is among those named."""
    if verdict in fail_on:
        raise typer.Exit(1)
