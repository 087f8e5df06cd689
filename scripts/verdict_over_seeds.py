"""One verdict, whatever the bootstrap's seed? Judges an evaluated run again with other seeds.

    python scripts/verdict_over_seeds.py runs/quickstart --seeds 100

Observers do not depend on the seed, so they are fitted once. Prints every verdict with its count, and how
near the deciding bounds came to their thresholds, in Monte-Carlo errors.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from coupling.config import load_experiment
from coupling.experiment.evidence import evidence_at
from coupling.faithfulness.judge import encoded_baselines, headline_rows
from coupling.faithfulness.privilege import observed
from coupling.faithfulness.rows import ALL_RUNS, STEERED_RUNS
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.store import RunDir


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path, help="run directory")
    parser.add_argument("--seeds", type=int, default=100)
    options = parser.parse_args()
    config = load_experiment(options.run / "experiment.yaml")
    evidence = evidence_at(config.evaluation.checkpoint, config, RunDir(options.run))
    table = tabulate(evidence)
    outside, baselines = observed(table), encoded_baselines(evidence, table)
    steered = {run.name: run.steered for run in evidence.runs}
    verdicts: Counter[str] = Counter()
    nearest = float("inf")
    for seed in range(options.seeds):
        bootstrap = ClusterBootstrap(table.clusters, config.evaluation.resamples, seed)
        figures, verdict = headline_rows(table, baselines, evidence.twins, steered, bootstrap, outside)
        verdicts[f"{verdict.verdict} ({verdict.reason})"] += 1
        judged = STEERED_RUNS if any(steered.values()) else ALL_RUNS
        errors = [figures(name, judged).value for name in ("p_errors", "delta_errors")]
        nearest = min([nearest, *(each for each in errors if each is not None)])
    for told, count in verdicts.most_common():
        print(f"{count:4} of {options.seeds}  {told}")
    print(f"nearest to a threshold: {nearest:.1f} Monte-Carlo errors")


if __name__ == "__main__":
    main()
