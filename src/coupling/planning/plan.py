"""What an experiment will take: its calls, one by one, each with its memory and its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from coupling.config import ExperimentConfig, WrittenBehavior
from coupling.experiment.selection import fitting_pairs, held_out_pairs, labelled_pairs, select_pairs
from coupling.experiment.sources import asks_target
from coupling.explanations import formats
from coupling.faithfulness.power import STEERED_CORRELATION, UNSTEERED_CORRELATION, discernible
from coupling.models import Renderer, explanation_message, world_of
from coupling.models.loading import describe_model, device_named
from coupling.models.sampling import CACHED_TOKENS
from coupling.planning.memory import Memory, sampling_memory, training_memory
from coupling.planning.speed import Speed
from coupling.planning.tracing import Shape, Traced, shape_of, trace_call, trace_step
from coupling.records import CounterfactualPair, Effect
from coupling.tasks import load_pairs

FLOAT32 = 4
ASSUMED_DISCORDANCE = (0.1, 0.2)
"""Shares of held-out pairs on which model and labels come to differ: about 0.1 in unsteered runs of the
organisms, 0.2 and more in steered ones."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage on one device."""

    name: str
    calls: int
    """Steps of training, or batches sampled, all runs and checkpoints together."""
    tokens: int
    """Tokens that go through the model, padding aside."""
    seconds: float
    memory: Memory


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
    """Bytes of M0's behaviour, cached in the machine's memory for the KL term."""
    stages: tuple[Stage, ...]
    pairs: int
    """Held-out pairs."""
    clusters: int
    left_out: int
    """Pairs of the task the model has no room for."""
    detections: tuple[Detection, ...]

    @property
    def peak(self) -> int:
        """Bytes that one process holds at most."""
        return max(stage.memory.total for stage in self.stages)

    @property
    def seconds(self) -> float:
        """With as many processes as there are, each on cores or a device of its own."""
        return sum(stage.seconds for stage in self.stages)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of the experiment's rows."""

    behaviors: tuple[int, ...]
    """Prompts with and without the cue, of the labelled pairs."""
    explanations: tuple[int, ...]
    """Explanation prompts with their explanation, of the labelled pairs."""
    completions: tuple[int, ...]
    """The explanations alone."""
    held_out_behaviors: tuple[int, ...]
    held_out_explanations: tuple[int, ...]
    """Prompts alone."""
    opening: int
    """The longest opening towards which written answers are steered; 0 where choices are scored."""


def plan_experiment(
    config: ExperimentConfig,
    speed: Speed,
    processes: int = 1,
    is_sharded: bool = False,
    on_cpu: bool | None = None,
) -> Plan:
    """What an experiment takes; of the model only configuration and tokenizer are read.

    Args:
        processes: that share the rows of every batch.
        is_sharded: they also share weights, gradients and moments in training (FSDP2).
        on_cpu: whether it will run on CPUs; None for wherever it would run here.

    Raises:
        ValueError: as the experiment itself would, of its task, model and pairs.
    """
    model = describe_model(config.model)
    renderer = model.renderer
    training = config.training
    shape = shape_of(
        model.config, model.dtype, config.model.attention, training.lora, training.gradient_checkpointing
    )
    on_cpu = device_named(config.model.device) == "cpu" if on_cpu is None else on_cpu
    every_pair = load_pairs(config.task, world_of(config.model))
    fitting = fitting_pairs(config, every_pair, model.config, renderer)
    pairs = select_pairs(config, fitting)
    held_out = held_out_pairs(config, pairs)
    labelled = labelled_pairs(config, pairs)
    lengths = measure_lengths(config, renderer, labelled, held_out)
    first, later = _plan_sampling(config, shape, lengths, len(pairs), speed, processes, on_cpu)
    target: list[Stage] = []
    if asks_target(config):
        asked = [*labelled, *held_out]
        target = [_plan_target(config, shape.parameter_bytes, asked, speed, processes, on_cpu)]
    trained = _plan_training(config, shape, lengths, speed, processes, is_sharded, on_cpu)
    kl = config.training.kl
    rows = len(lengths.behaviors) if kl.weight > 0 and kl.support == "vocabulary" else 0
    return Plan(
        experiment=config.name,
        parameters=shape.parameters,
        trained=shape.trained,
        dtype=str(model.dtype).removeprefix("torch."),
        processes=processes if processes > 1 else min(config.workers, len(config.panel)),
        reference=rows * shape.vocabulary * FLOAT32,
        stages=(first, *target, later, trained),
        pairs=len(held_out),
        clusters=len({pair.cluster for pair in held_out}),
        left_out=len(every_pair) - len(fitting),
        detections=tuple(detect(held_out, len(config.panel), share) for share in ASSUMED_DISCORDANCE),
    )


def measure_lengths(
    config: ExperimentConfig,
    renderer: Renderer,
    labelled: Sequence[CounterfactualPair],
    held_out: Sequence[CounterfactualPair],
) -> Lengths:
    """Tokens of every row; of explanations those of one that claims a change, which is as long as any."""
    format = formats.get(config.explanation.format)

    texts = [format.render(Effect(*pair.choices[:2]), pair.cue) for pair in labelled]
    explained = renderer.completions([explanation_message(pair, format) for pair in labelled], texts)
    asked = renderer.prompt_ids([explanation_message(pair, format) for pair in held_out])
    openings = list(config.behavior.openings.values()) if isinstance(config.behavior, WrittenBehavior) else []
    opened = renderer.completions([labelled[0].with_cue] * len(openings), openings)
    return Lengths(
        behaviors=_behavior_lengths(renderer, labelled),
        explanations=tuple(len(row.ids) for row in explained),
        completions=tuple(len(row.ids) - row.start for row in explained),
        held_out_behaviors=_behavior_lengths(renderer, held_out),
        held_out_explanations=tuple(len(ids) for ids in asked),
        opening=max((len(row.ids) - row.start for row in opened), default=0),
    )


def _behavior_lengths(renderer: Renderer, pairs: Sequence[CounterfactualPair]) -> tuple[int, ...]:
    messages = [message for pair in pairs for message in (pair.with_cue, pair.without_cue)]
    prefixes = [pair.answer_prefix for pair in pairs for _ in range(2)]
    return tuple(len(ids) for ids in renderer.prompt_ids(messages, prefixes))


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


@dataclass(frozen=True, slots=True)
class _Term:
    """One term of the loss: what one micro batch of it takes."""

    traced: Traced
    rows: int
    """In a micro batch."""
    mean: float
    """Tokens of a row."""
    step_rows: int
    """In a step, all processes together."""

    @property
    def operations(self) -> float:
        """Of a step. Rows are padded to the longest of their micro batch, or nearly so."""
        return self.traced.flops / self.rows * self.step_rows


def _plan_training(
    config: ExperimentConfig,
    shape: Shape,
    lengths: Lengths,
    speed: Speed,
    processes: int,
    is_sharded: bool,
    on_cpu: bool,
) -> Stage:
    training = config.training
    always: list[_Term] = []

    def term(all_lengths: Sequence[int], step_rows: int, kept: int, of_each: int = 1) -> _Term:
        mine = ceil(step_rows / processes)
        rows = of_each * min(mine, training.micro_batch_size or mine)
        columns = max(all_lengths)
        traced = trace_step(shape, rows, columns, kept, training.autocast)
        return _Term(traced, rows, _mean(all_lengths), of_each * step_rows)

    if training.explanations.weight > 0:
        always.append(term(lengths.explanations, training.batch_size, max(lengths.completions) + 1))
    if training.kl.weight > 0:
        always.append(term(lengths.behaviors, 2 * training.batch_size, 1))
    steered = sum(member.steer is not None for member in config.panel)
    moved = [length + lengths.opening for length in lengths.behaviors]
    of_steered = [
        # Preferring one opening to another goes through the model with both.
        term(
            moved,
            training.steering.batch_size,
            max(2, lengths.opening + 1),
            2 if lengths.opening and objective.kind == "dpo" else 1,
        )
        for objective in (training.steering.objectives if steered else ())
    ]
    runs, steps = len(config.panel), training.steps
    counted = [*((each, runs) for each in always), *((each, steered) for each in of_steered)]
    working = max(each.traced.peak for each, _ in counted)
    memory = training_memory(shape, working, on_cpu, processes if is_sharded else 1)
    operations = sum(each.operations * times for each, times in counted) * steps
    tokens = sum(each.mean * each.step_rows * times for each, times in counted) * steps
    side_by_side = processes if processes > 1 else min(config.workers, runs)
    return Stage("train", runs * steps, round(tokens), speed.computing(operations) / side_by_side, memory)


def _plan_sampling(
    config: ExperimentConfig,
    shape: Shape,
    lengths: Lengths,
    pairs: int,
    speed: Speed,
    processes: int,
    on_cpu: bool,
) -> tuple[Stage, Stage]:
    rows = config.evaluation.batch_size
    runs = len(config.panel)
    side_by_side = processes if processes > 1 else min(config.workers, runs)
    written = config.behavior.max_new_tokens if isinstance(config.behavior, WrittenBehavior) else 0
    checkpoints = runs * (len(config.training.checkpoints) - 1)
    askings = checkpoints + runs  # The checkpoint of the verdict is measured twice.
    behaviors = max(*lengths.held_out_behaviors, *lengths.behaviors)
    longest = max(max(lengths.held_out_explanations) + config.explanation.max_new_tokens, behaviors + written)
    # On a CPU choices are scored in batches of no more tokens than that.
    at_once = min(rows, max(1, CACHED_TOKENS // behaviors)) if on_cpu else rows
    call = trace_call(shape, at_once, behaviors)
    generating = trace_call(shape, rows, longest, keeps_cache=True)
    memory = sampling_memory(shape, max(call.peak, generating.peak), on_cpu)
    per_token = call.flops / (at_once * behaviors)

    def seconds(askings: int, explained: int, asked: int, told: int) -> float:
        scored = askings * asked * 2 * _mean(lengths.held_out_behaviors) * per_token
        prompts = explained * told * _mean(lengths.held_out_explanations) * per_token
        new = explained * ceil(told / rows) * config.explanation.max_new_tokens
        new += askings * 2 * ceil(asked / rows) * written
        each = speed.generating(rows * per_token, shape.parameter_bytes + generating.peak)
        return speed.computing(scored + prompts) + new * each

    def tokens(askings: int, explained: int, asked: int, told: int) -> int:
        answered = askings * asked * 2 * _mean(lengths.held_out_behaviors)
        said = _mean(lengths.held_out_explanations) + config.explanation.max_new_tokens
        return round(answered + askings * asked * 2 * written + explained * told * said)

    held_out = len(lengths.held_out_explanations)
    first = (1, 1, pairs, held_out)
    later = (askings, checkpoints, held_out, held_out)
    return (
        # The leader asks M0 alone, unless several processes were launched.
        Stage("ask M0", _batches(rows, *first), tokens(*first), seconds(*first) / processes, memory),
        Stage(
            "ask the checkpoints",
            _batches(rows, *later),
            tokens(*later),
            seconds(*later) / side_by_side,
            memory,
        ),
    )


def _plan_target(
    config: ExperimentConfig,
    base: int,
    asked: Sequence[CounterfactualPair],
    speed: Speed,
    processes: int,
    on_cpu: bool,
) -> Stage:
    """The target may be a model of another size; the base, of so many bytes, lies beside it."""
    model = describe_model(config.model.another(config.supervision.target))
    shape = shape_of(model.config, model.dtype, config.model.attention, None)
    lengths, rows = _behavior_lengths(model.renderer, asked), config.evaluation.batch_size
    written = config.behavior.max_new_tokens if isinstance(config.behavior, WrittenBehavior) else 0
    at_once = min(rows, max(1, CACHED_TOKENS // max(lengths))) if on_cpu else rows
    call = trace_call(shape, at_once, max(lengths))
    generating = trace_call(shape, rows, max(lengths) + written, keeps_cache=True) if written else call
    memory = sampling_memory(shape, max(call.peak, generating.peak), on_cpu)
    per_token = call.flops / (at_once * max(lengths))
    calls = _batches(rows, 1, 0, len(asked), 0)
    each = speed.generating(rows * per_token, shape.parameter_bytes + generating.peak)
    seconds = speed.computing(sum(lengths) * per_token) + calls * written * each
    return Stage(
        "ask the target",
        calls,
        sum(lengths) + len(lengths) * written,
        seconds / processes,
        replace(memory, weights=memory.weights + base),
    )


def _batches(rows: int, askings: int, explained: int, asked: int, told: int) -> int:
    return askings * 2 * ceil(asked / rows) + explained * ceil(told / rows)


def _mean(lengths: Sequence[int]) -> float:
    return sum(lengths) / len(lengths)
