"""A training step with the KL term against one without, at equal pairs a step; and trees against padded rows.

M0's distributions are cached once a run; that is not part of a step.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

from benchmarks.sampling import organism
from benchmarks.timing import Finding, paired
from coupling.config import KLConfig, SupervisionConfig, TrainingConfig
from coupling.explanations import formats
from coupling.models import LocalSampler, Renderer
from coupling.raising.architecture import build_tokenizer
from coupling.supervision import build_labels
from coupling.tasks import draw, world_hint
from coupling.training.dataset import build_training_data
from coupling.training.loop import train
from coupling.worlds import World

REPEATS, STEPS, LABELS = 5, 3, 512
QUICK_LABELS = 64


def findings(is_quick: bool) -> Iterator[Finding]:
    repeats, count = (1, QUICK_LABELS) if is_quick else (REPEATS, LABELS)
    model, renderer, form = organism(), Renderer(build_tokenizer()), formats.get("answer_pair")
    pairs = draw(world_hint.load(World.generate(100), 3, 0), count, 0)
    base = {each.pair_id: each for each in LocalSampler(model, renderer).behaviors(pairs)}
    effects = {pair_id: behavior.effect for pair_id, behavior in base.items()}
    labels = build_labels(pairs, effects, form, SupervisionConfig(), dict.fromkeys(effects, "base"))

    def steps(weight: float, state: Path) -> None:
        kl = KLConfig(weight=weight)
        config = TrainingConfig(steps=STEPS, warmup_steps=0, checkpoints=(0, STEPS), save_every=STEPS, kl=kl)
        train(model, data[weight], config, renderer.pad, 0, state, {}, lambda step: None, lambda losses: None)

    data = {
        weight: build_training_data(
            model, renderer, pairs, labels, base, form, None, KLConfig(weight=weight), 256, 32
        )
        for weight in (0.0, 1.0)
    }
    with tempfile.TemporaryDirectory() as folder:
        times = paired(lambda: steps(1.0, Path(folder)), lambda: steps(0.0, Path(folder)), repeats)
        of_trees = paired(
            lambda: padded(lambda: steps(1.0, Path(folder))), lambda: steps(1.0, Path(folder)), repeats
        )
    yield Finding(
        "training step, with KL against without",
        times.ratio,
        "x",
        at_most=1.8,
        detail=f"{times.seconds} for {STEPS} steps of {TrainingConfig().batch_size} pairs",
    )
    yield Finding(
        "training step with KL, rows padded against read as trees",
        of_trees.ratio,
        "x",
        at_least=1.3,
        detail=of_trees.seconds,
    )


def padded(work: Callable[[], None]) -> None:
    """With a model that reads no trees."""
    with (
        patch("coupling.models.reading.reads_trees", return_value=False),
        patch("coupling.training.explanation_loss.reads_trees", return_value=False),
    ):
        work()
