"""What an experiment will take: its calls, one by one, each with its memory and its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coupling.config import ExperimentConfig, ModelReader
from coupling.experiment.readers import readers_of, training_of
from coupling.experiment.selection import fitting_pairs, held_out_pairs, labelled_pairs, select_pairs
from coupling.experiment.sources import asks_target
from coupling.faithfulness.calibrated import HALF, NOT_CALIBRATED, OWN, PowerQuote, shipped_calibration
from coupling.faithfulness.power import (
    STEERED_CORRELATION,
    UNSTEERED_CORRELATION,
    discernible,
    discernible_bits,
)
from coupling.models import world_of
from coupling.models.loading import describe_model
from coupling.planning.lengths import behavior_lengths, choice_lengths, measure_lengths
from coupling.planning.stages import Devices, Stage, plan_reader, plan_sampling, plan_target, plan_training
from coupling.planning.tracing import shape_of
from coupling.records import CounterfactualPair
from coupling.tasks import load_pairs

FLOAT32 = 4
ASSUMED_DISCORDANCE = (0.1, 0.2)
"""Shares of held-out pairs on which model and labels come to differ: about 0.1 in unsteered runs of the
organisms, 0.2 and more in steered ones."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What a verdict could rest on, at one share of discordant pairs."""

    discordance: float
    pairs: int
    """Discordant pairs to be expected, all runs of the panel together."""
    clusters: int
    delta: float
    """The smallest Δ told from 0 in four of five experiments, where runs are steered."""
    delta_unsteered: float
    """The same where none is, and what drifts in a cluster drifts together."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The content of ``coupling plan --json``."""

    experiment: str
    parameters: int
    trained: int
    dtype: str
    processes: int
    """Side by side; each holds all that is listed."""
    reference: int
    """Bytes of M0's behaviour, which each process caches in the machine's memory for the KL term."""
    stages: tuple[Stage, ...]
    pairs: int
    """Held-out pairs."""
    clusters: int
    left_out: int
    """Pairs of the task the model has no room for."""
    bits: float | None
    """The smallest P, in bits a pair, told from 0 in four of five experiments; n/a over one cluster."""
    detections: tuple[Detection, ...]
    powers: tuple[PowerQuote, ...] = ()
    """What calibration found at the nearest smaller size; empty where that is not known."""
    no_powers: str | None = None
    """Why it is not known."""

    @property
    def peak(self) -> int:
        """Bytes that one process holds at most."""
        return max(stage.memory.total for stage in self.stages)

    @property
    def seconds(self) -> float:
        """With as many processes as there are, each on cores or a device of its own."""
        return sum(stage.seconds for stage in self.stages)


def plan_experiment(config: ExperimentConfig, devices: Devices) -> Plan:
    """What an experiment takes; of the model only configuration and tokenizer are read.

    Raises:
        ValueError: as the experiment itself would, of its task, model and pairs.
    """
    model, training = describe_model(config.model), config.training
    shape = shape_of(
        model.config, model.dtype, config.model.attention, training.lora, training.gradient_checkpointing
    )
    every_pair = load_pairs(config.task, world_of(config.model))
    fitting = fitting_pairs(config, every_pair, model.config, model.renderer)
    pairs = select_pairs(config, fitting)
    held_out = held_out_pairs(config, pairs)
    lengths = measure_lengths(config, model.renderer, labelled_pairs(config, fitting), held_out)
    target: list[Stage] = []
    if asks_target(config):
        another = describe_model(config.model.another(config.supervision.target))
        its_shape = shape_of(another.config, another.dtype, config.model.attention, None)
        prompts = behavior_lengths(another.renderer, pairs, config.behavior)
        choices = choice_lengths(another.renderer, pairs, config.behavior)
        target = [plan_target(config, its_shape, prompts, devices, shape.parameter_bytes, choices)]
    readers: list[Stage] = []
    for reader in readers_of(config):
        its_own, its_lengths = model, lengths
        if isinstance(reader, ModelReader):
            its_own = describe_model(config.model.another(reader.path))
            its_lengths = measure_lengths(config, its_own.renderer, labelled_pairs(config, fitting), held_out)
        its_shape = shape_of(
            its_own.config,
            its_own.dtype,
            config.model.attention,
            training_of(config, reader).lora,
            training.gradient_checkpointing,
        )
        beside = its_shape.parameter_bytes
        readers += plan_reader(config, reader, its_shape, its_lengths, devices, beside)
    first, later = plan_sampling(config, shape, lengths, len(pairs), devices)
    kl = training.kl
    rows = len(lengths.behaviors) if kl.weight > 0 and kl.support == "vocabulary" else 0
    powers, no_powers = _powers(held_out)
    clusters = len({pair.cluster for pair in held_out})
    return Plan(
        experiment=config.name,
        parameters=shape.parameters,
        trained=shape.trained,
        dtype=str(model.dtype).removeprefix("torch."),
        processes=devices.side_by_side(config),
        reference=rows * shape.vocabulary * FLOAT32,
        stages=(first, *target, later, plan_training(config, shape, lengths, devices), *readers),
        pairs=len(held_out),
        clusters=clusters,
        bits=discernible_bits(clusters) if clusters > 1 else None,
        left_out=len(every_pair) - len(fitting),
        detections=tuple(detect(held_out, len(config.panel), share) for share in ASSUMED_DISCORDANCE),
        powers=powers,
        no_powers=no_powers,
    )


def _powers(held_out: Sequence[CounterfactualPair]) -> tuple[tuple[PowerQuote, ...], str | None]:
    """What calibration found, or why that is not known."""
    found = shipped_calibration()
    if found is None:
        return (), NOT_CALIBRATED
    clusters = len({pair.cluster for pair in held_out})
    quotes = (found.quoted(emitter, clusters, len(held_out)) for emitter in (OWN, HALF))
    quoted = tuple(quote for quote in quotes if quote is not None)
    return quoted, None if quoted else "no size was calibrated that is so small"


def detect(held_out: Sequence[CounterfactualPair], runs: int, discordance: float) -> Detection:
    """What so many pairs and runs can tell, if that share of pairs comes out discordant in each run."""
    clusters = len({pair.cluster for pair in held_out})
    pairs = max(1, round(len(held_out) * discordance * runs))
    each = pairs / clusters
    return Detection(
        discordance,
        pairs,
        clusters,
        discernible(pairs, each, STEERED_CORRELATION),
        discernible(pairs, each, UNSTEERED_CORRELATION),
    )
