"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ExperimentFile = Annotated[
    Path, typer.Argument(metavar="FILE.yaml", help="Experiment file; `coupling init` writes one.")
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
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory, as runs/quickstart.")]

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
