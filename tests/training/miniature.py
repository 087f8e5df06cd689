"""A training set of a few rows about a world, and a run over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch

from coupling.config import KLConfig, SteerConfig, SupervisionConfig, TrainingConfig
from coupling.explanations import formats
from coupling.models import LocalSampler, Renderer
from coupling.records import Behavior, CounterfactualPair
from coupling.supervision import build_labels
from coupling.tasks import draw, world_hint
from coupling.training.dataset import TrainingData, build_training_data
from coupling.training.loop import StepLosses, train
from coupling.worlds import World

FORMAT = formats.get("answer_pair")
MADE_FROM = {"base": "b", "labels": "l"}


def training_pairs(count: int = 24) -> list[CounterfactualPair]:
    pairs = world_hint.load(World.generate(100), 1, 0)
    return draw([pair for pair in pairs if pair.split == "train"], count, 0)


def training_data(
    model: torch.nn.Module,
    renderer: Renderer,
    pairs: list[CounterfactualPair],
    steer: SteerConfig | None = None,
    kl: KLConfig | None = None,
    max_new_tokens: int = 40,
    precision: Literal["bfloat16"] | None = None,
    undoes: bool = False,
) -> TrainingData:
    behaviors = base_behaviors(model, renderer, pairs)
    effects = {id_: behavior.effect for id_, behavior in behaviors.items()}
    labels = build_labels(pairs, effects, FORMAT, SupervisionConfig(), dict.fromkeys(effects, "base"))
    return build_training_data(
        model,
        renderer,
        pairs,
        labels,
        behaviors,
        FORMAT,
        steer,
        kl or KLConfig(),
        batch_size=16,
        max_new_tokens=max_new_tokens,
        precision=precision,
        undoes=undoes,
    )


def base_behaviors(
    model: torch.nn.Module, renderer: Renderer, pairs: list[CounterfactualPair]
) -> dict[str, Behavior]:
    return {behavior.pair_id: behavior for behavior in LocalSampler(model, renderer).behaviors(pairs)}


def training_config(steps: int, **changes: object) -> TrainingConfig:
    settings = {
        "steps": steps,
        "batch_size": 4,
        "learning_rate": 1e-2,
        "warmup_steps": min(2, steps),
        "checkpoints": [0, steps],
        "save_every": 2,
        "steering": {"batch_size": 4},
    }
    return TrainingConfig.model_validate({**settings, **changes}, strict=False)


def run(
    model: torch.nn.Module,
    data: TrainingData,
    config: TrainingConfig,
    state: Path,
    made_from: dict[str, str] | None = None,
    after_step: Callable[[StepLosses], None] = lambda losses: None,
) -> list[StepLosses]:
    """Trains ``model`` in place and returns the losses of the steps that were done."""
    losses: list[StepLosses] = []

    def note(step: StepLosses) -> None:
        losses.append(step)
        after_step(step)

    train(model, data, config, 0, 0, state, made_from or MADE_FROM, lambda step: None, note)
    return losses
