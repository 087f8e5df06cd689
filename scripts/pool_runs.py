"""The figures of some runs of an experiment, pooled: of its unsteered runs alone, for instance.

    python scripts/pool_runs.py runs/smollm2 unsteered unsteered-1 unsteered-2 [--step 60] [--json]

Reads artifacts and loads no model. Pairs of all runs are pooled, and clusters of questions resampled, as in
an evaluation.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from coupling.config import load_experiment
from coupling.experiment.evidence import evidence_at
from coupling.faithfulness.figures import over_quoting_rows, shares
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.rows import ALL_RUNS
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.store import RunDir

FIGURES = ("self", "orig", "gap", "delta", "similarity", "parse_rate", "changed", "followed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("experiment", type=Path, help="run directory")
    parser.add_argument("runs", nargs="+", help="names of runs of its panel")
    parser.add_argument("--step", type=int, help="a checkpoint; that of the verdict by default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        config = load_experiment(options.experiment / "experiment.yaml")
        step = config.evaluation.checkpoint if options.step is None else options.step
        table = tabulate(evidence_at(step, config, RunDir(options.experiment), is_whole=False))
    except ValueError as error:
        parser.error(str(error))
    unknown = sorted(set(options.runs) - set(table.runs))
    if unknown:
        parser.error(f"no run is called {unknown[0]!r}: there are {', '.join(table.runs)}")
    table = table.part([table.runs.index(name) for name in options.runs], np.arange(len(table.pairs)))
    bootstrap = ClusterBootstrap(table.clusters, config.evaluation.resamples, config.evaluation.seed)
    panel = Panel(table, bootstrap, step)
    rows = shares(panel, FIGURES, panel.every_run)
    rows += [row for row in over_quoting_rows(panel) if row.run == ALL_RUNS]
    found = {row.figure: row.estimate for row in rows}
    if options.json:
        print(json.dumps({name: [each.value, each.low, each.high] for name, each in found.items()}))
        return
    clusters = len(set(table.clusters.tolist()))
    print(
        f"{config.name}, step {step}: {len(table.runs)} runs, {len(table.pairs)} pairs in {clusters} clusters"
    )
    for name, each in found.items():
        print(f"  {name:13} {each.value:+.3f} [{each.low:+.3f}, {each.high:+.3f}]")


if __name__ == "__main__":
    main()
