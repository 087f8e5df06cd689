"""Variations of an experiment that the command line offers as options of their own."""

from __future__ import annotations

from collections.abc import Mapping

import pydantic_core
from pydantic import ValidationError

from coupling.config.experiment import ExperimentConfig
from coupling.config.training import TrainingConfig
from coupling.store import Json
from coupling.store.complaints import complaint

QUICK_LABELS, QUICK_STEPS, QUICK_PAIRS = 240, 20, 240
"""Of a quick look: what it finds is no finding."""
_STEPS_BEGUN = ("start",)
_STEPS_ENDED = ("stop", "undo", "renew_every")


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


def quickened(config: ExperimentConfig) -> ExperimentConfig:
    """A quick look at the experiment, under a name and so in a folder of its own: few labels, steps and
    pairs, and whatever is counted in steps moved with them.

    Raises:
        ValueError: its terms are too close together to be told apart in so few steps.
    """
    training = config.training
    steps = min(QUICK_STEPS, training.steps)

    def at(step: int) -> int:
        return step * steps // training.steps

    def after(step: int) -> int:
        return -(-step * steps // training.steps)

    def moved(value: Json, name: str = "") -> Json:
        if isinstance(value, Mapping):
            return {field: moved(inner, field) for field, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        if isinstance(value, int) and name in _STEPS_BEGUN:
            return at(value)
        return after(value) if isinstance(value, int) and name in _STEPS_ENDED else value

    fields: dict[str, Json] = {
        **{name: moved(value, name) for name, value in training.model_dump(mode="json").items()},
        "steps": steps,
        "warmup_steps": at(training.warmup_steps),
        "checkpoints": sorted({at(step) for step in training.checkpoints}),
    }
    try:
        shorter = TrainingConfig.model_validate_json(pydantic_core.to_json(fields))
    except ValidationError as error:
        raise ValueError(complaint(error, TrainingConfig, f"{config.name} --quick")) from error
    evaluation = config.evaluation.model_copy(update={"checkpoint": at(config.evaluation.checkpoint)})
    quick = config.model_copy(
        update={"name": f"{config.name[:58]}-quick", "training": shorter, "evaluation": evaluation}
    )
    labels = min(QUICK_LABELS, config.supervision.labels)
    return limited(
        quick.model_copy(update={"supervision": config.supervision.model_copy(update={"labels": labels})}),
        QUICK_PAIRS,
    )
