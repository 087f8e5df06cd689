"""A sweep with two processes against the same sweep with one: points share nothing but the cores."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import Finding, seconds
from coupling.studies.definition import plan_sweep
from coupling.studies.sweep import run_sweep

POINTS = 6
SETTINGS = (
    "panel=[{name: alone}]",
    "twins=[]",
    "training.steps=30",
    "training.checkpoints=[0, 30]",
    "evaluation.checkpoint=30",
    "evaluation.pairs=400",
    "supervision.labels=600",
)


def findings() -> Iterator[Finding]:
    sweep = plan_sweep(Path("quickstart"), [f"seed=0..{POINTS - 1}"], SETTINGS)
    with tempfile.TemporaryDirectory() as folder:
        taken = {
            workers: seconds(lambda: run_sweep(sweep, Path(folder) / str(workers), workers))  # noqa: B023
            for workers in (1, 2)
        }
    yield Finding(
        "sweep, two processes against one",
        taken[1] / taken[2],
        "x",
        at_least=1.7,
        detail=f"{taken[1]:.0f} s against {taken[2]:.0f} s for {POINTS} experiments, {os.cpu_count()} cores",
    )
