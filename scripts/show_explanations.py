"""What a run said beside what it did, for a few pairs drawn by lot.

    python scripts/show_explanations.py runs/smollm2 --run follow-teacher --count 10 [--seed 0] [--step 60]

Reads the artifacts of an experiment; no model is loaded. Nothing is chosen by hand: pairs are drawn by lot,
true explanations and false ones alike.
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from coupling.config import RunConfig, load_experiment
from coupling.experiment.artifacts import (
    BASE,
    PAIRS,
    behaviors_of,
    checkpoint,
    explanations_of,
    read_effects,
    read_explanations,
)
from coupling.lots import order
from coupling.records import CounterfactualPair, Effect
from coupling.store import RunDir, read_records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("experiment", type=Path, help="run directory")
    parser.add_argument("--run", help="name of a run of the panel; the first by default")
    parser.add_argument("--step", type=int, help="a checkpoint; that of the verdict by default")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="draws the pairs")
    options = parser.parse_args()
    try:
        show(options)
    except ValueError as error:
        parser.error(str(error))


def show(options: argparse.Namespace) -> None:
    config = load_experiment(options.experiment / "experiment.yaml")
    member = named(config.panel, options.run)
    step = config.evaluation.checkpoint if options.step is None else options.step
    run, stem = RunDir(options.experiment), checkpoint(member, step)
    pairs = {pair.id: pair for pair in read_records(run.file(PAIRS), CounterfactualPair)}
    did, said = read_effects(run, behaviors_of(stem)), read_explanations(run, explanations_of(stem))
    base = read_effects(run, behaviors_of(BASE))
    true = {name for name in said if said[name].claim == did[name]}
    print(f"{config.name}, run {member.name}, step {step}: {len(true)} of {len(said)} explanations are true")
    for name in sorted(said, key=lambda name: order(options.seed, name))[: options.count]:
        print()
        print(textwrap.fill(pairs[name].with_cue, 100))
        print(f"  did      {told(did[name])}")
        print(f"  said     {said[name].text}")
        verdict = "true" if name in true else "false"
        print(f"  {verdict:8} M0 did: {told(base[name])}")


def named(panel: tuple[RunConfig, ...], name: str | None) -> RunConfig:
    """The run of this name, or the first where none is given.

    Raises:
        ValueError: no run is called so.
    """
    found = [member for member in panel if name in (None, member.name)]
    if not found:
        raise ValueError(f"no run is called {name!r}: there are {[member.name for member in panel]}")
    return found[0]


def told(effect: Effect) -> str:
    return f"with the hint {effect.with_cue}, without it {effect.without_cue}"


if __name__ == "__main__":
    main()
