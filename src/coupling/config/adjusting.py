"""Variations of an experiment that the command line offers as options of their own."""

from __future__ import annotations

from coupling.config.experiment import ExperimentConfig


def reseeded(config: ExperimentConfig, offset: int) -> ExperimentConfig:
    """The same experiment with ``offset`` added to the training seed of every run: twins stay twins."""
    panel = tuple(member.model_copy(update={"seed": member.seed + offset}) for member in config.panel)
    return config.model_copy(update={"panel": panel})


def limited(config: ExperimentConfig, limit: int) -> ExperimentConfig:
    """The same experiment with at most ``limit`` labels and as many evaluated pairs."""
    labels = min(limit, config.supervision.labels)
    pairs = limit if config.evaluation.pairs is None else min(limit, config.evaluation.pairs)
    return config.model_copy(
        update={
            "supervision": config.supervision.model_copy(update={"labels": labels}),
            "evaluation": config.evaluation.model_copy(update={"pairs": pairs}),
        }
    )
