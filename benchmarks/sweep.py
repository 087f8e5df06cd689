"""A sweep with two processes against the same sweep with one: points share the cores, and what M0 answers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import Finding, seconds
from coupling.studies.definition import plan_sweep
from coupling.studies.sweep import run_sweep

POINTS, QUICK_POINTS = 6, 2
SETTINGS = (
    "panel=[{name: alone}]",
    "twins=[]",
    "training.steps=30",
    "training.checkpoints=[0, 30]",
    "evaluation.checkpoint=30",
    "evaluation.pairs=400",
    "supervision.labels=600",
)
QUICK_SETTINGS = (
    "panel=[{name: alone}]",
    "twins=[]",
    "training.steps=1",
    "training.warmup_steps=0",
    "training.checkpoints=[0, 1]",
    "evaluation.checkpoint=1",
    "evaluation.pairs=16",
    "evaluation.resamples=100",
    "supervision.labels=16",
)


def findings(is_quick: bool) -> Iterator[Finding]:
    points, settings = (QUICK_POINTS, QUICK_SETTINGS) if is_quick else (POINTS, SETTINGS)
    sweep = plan_sweep(Path("quickstart"), [f"seed=0..{points - 1}"], settings)

    def run(folder: Path, workers: int) -> None:
        # A point that fails takes hardly any time.
        run_sweep(sweep, folder, workers).require_all()

    with tempfile.TemporaryDirectory() as folder:
        taken = {
            workers: seconds(lambda: run(Path(folder) / str(workers), workers))  # noqa: B023
            for workers in (1, 2)
        }
    yield Finding(
        "sweep, two processes against one",
        taken[1] / taken[2],
        "x",
        at_least=1.7,
        detail=f"{taken[1]:.0f} s against {taken[2]:.0f} s for {points} experiments, {os.cpu_count()} cores",
    )
