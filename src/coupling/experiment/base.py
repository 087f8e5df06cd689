"""M0's explanations: asked for with its behaviour, or behind the labels where these are shown as examples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from coupling.config import ExperimentConfig
from coupling.experiment.artifacts import BASE, MODEL, PAIRS, explanations_of, noted_model, written_of
from coupling.experiment.asking import Asking, Tally, rows_of_an_explanation
from coupling.experiment.members import load_base
from coupling.experiment.origin import Origin
from coupling.experiment.selection import held_out_pairs
from coupling.models import Way
from coupling.progress import Progress
from coupling.records import CounterfactualPair
from coupling.store import RunDir, read_records


def explain_base(config: ExperimentConfig, run: RunDir, progress: Progress) -> None:
    """Asks M0 for its explanations; loads it only where one is missing.

    Raises:
        ValueError: a stage before is missing, or M0 is no longer the model whose behaviour was sampled.
    """
    run.sha(PAIRS)
    run.sha(MODEL)
    held_out = held_out_pairs(config, read_records(run.file(PAIRS), CounterfactualPair))
    fingerprint = noted_model(run.file(MODEL)).fingerprint
    advance = Tally(progress, "ask M0", rows_of_explanations(config, held_out))
    load = cache(partial(load_base, config, run))
    make_explanations(
        Asking(config, run, fingerprint, Origin(config.model, fingerprint), load, held_out, advance)
    )


def make_explanations(asking: Asking) -> None:
    """What M0 says of its answers; and what it writes freely, where that is asked for (`writes_freely`)."""
    asking.explanations(explanations_of(BASE)).make(asking.run)
    if writes_freely(asking.config):
        asking.explanations(written_of(BASE), Way.FREE).make(asking.run)


def writes_freely(config: ExperimentConfig) -> bool:
    """Whether M0's free text stands beside filled-in explanations: only where the verdict is on M0."""
    return config.explanation.is_filled and config.evaluation.checkpoint == 0


def rows_of_explanations(config: ExperimentConfig, held_out: Sequence[CounterfactualPair]) -> int:
    """Rows that M0 is asked."""
    return (rows_of_an_explanation(config) + writes_freely(config)) * len(held_out)
