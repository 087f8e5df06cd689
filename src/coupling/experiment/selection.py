"""Which pairs are used for what: a function of the configuration and the pairs' ids alone."""

from __future__ import annotations

from collections.abc import Sequence

from coupling.config import ExperimentConfig
from coupling.records import CounterfactualPair
from coupling.supervision import candidate_pairs
from coupling.tasks import draw
from coupling.training.dataset import is_steered


def select_pairs(
    config: ExperimentConfig, pairs: Sequence[CounterfactualPair]
) -> tuple[CounterfactualPair, ...]:
    """The pairs an experiment needs: labelled ones, steered ones, and those it is evaluated on.

    Raises:
        ValueError: too few pairs to label, or none to evaluate on.
    """
    used = {pair.id for pair in (*labelled_pairs(config, pairs), *held_out_pairs(config, pairs))}
    steers = [member.steer for member in config.panel]
    return tuple(
        pair
        for pair in pairs
        if pair.id in used or (pair.split == "train" and any(is_steered(pair, steer) for steer in steers))
    )


def labelled_pairs(config: ExperimentConfig, pairs: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
    """The pairs the labels speak of, in the order of the dataset."""
    supervision = config.supervision
    candidates = candidate_pairs(pairs, supervision.silent_on)
    if supervision.labels > len(candidates):
        raise ValueError(
            f"supervision.labels: {supervision.labels} wanted, but only {len(candidates)} training pairs may "
            "be labelled; lower it, silence fewer tags, or give the task more pairs"
        )
    return draw(candidates, supervision.labels, supervision.seed)


def held_out_pairs(config: ExperimentConfig, pairs: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
    """The pairs of the evaluated split, or the number of them that is asked for."""
    evaluation = config.evaluation
    of_split = [pair for pair in pairs if pair.split == evaluation.split]
    if not of_split:
        found = ", ".join(sorted({pair.split for pair in pairs})) or "none"
        raise ValueError(f"evaluation.split: no pair is in {evaluation.split!r}; splits with pairs: {found}")
    count = len(of_split) if evaluation.pairs is None else min(evaluation.pairs, len(of_split))
    return draw(of_split, count, evaluation.seed)
