"""What the stages of an experiment take: their calls, each with its memory and its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from math import ceil

from coupling.config import (
    ExperimentConfig,
    ModelReader,
    PreferenceObjective,
    RunConfig,
    ScoredBehavior,
    WrittenBehavior,
)
from coupling.experiment.readers import Reader, name_of, training_of
from coupling.models.packing import layout_of, pack
from coupling.models.sampling import CACHED_TOKENS
from coupling.planning.lengths import Lengths, longest_reasoning
from coupling.planning.memory import Memory, sampling_memory, training_memory
from coupling.planning.speed import Speed
from coupling.planning.tracing import Shape, Traced, trace_call, trace_step


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
class Devices:
    """What the work is done on."""

    speed: Speed
    on_cpu: bool
    processes: int
    """That share every batch; 1 where none was launched."""
    is_sharded: bool
    """They share weights, gradients and moments as well."""

    def side_by_side(self, config: ExperimentConfig) -> int:
        """Processes that are at work on runs at once."""
        if self.processes > 1:
            return self.processes
        return min(config.workers_on("cpu" if self.on_cpu else "cuda"), len(config.panel))


def plan_training(config: ExperimentConfig, shape: Shape, lengths: Lengths, devices: Devices) -> Stage:
    """Training of all runs of the panel."""
    runs, steps = len(config.panel), config.training.steps
    steered = sum(member.steer is not None for member in config.panel)
    terms = [(term, runs) for term in _terms(config, shape, lengths, devices)]
    if steered:
        terms += [(term, steered) for term in _steering_terms(config, shape, lengths, devices)]
    memory = training_memory(
        shape,
        max((term.traced.peak for term, _ in terms), default=0),
        devices.on_cpu,
        devices.processes if devices.is_sharded else 1,
    )
    operations = sum(term.operations * times for term, times in terms) * steps
    tokens = sum(term.mean * term.step_rows * times for term, times in terms) * steps
    seconds = devices.speed.computing(operations) / devices.side_by_side(config)
    return Stage("train", runs * steps, round(tokens), seconds, memory)


def plan_sampling(
    config: ExperimentConfig, shape: Shape, lengths: Lengths, pairs: int, devices: Devices
) -> tuple[Stage, Stage]:
    """Behaviours and explanations: of M0 on all pairs, of checkpoints on held-out ones.

    Where labels are shown as examples, M0 explains among the checkpoints, as labels come before.

    Args:
        pairs: that the experiment uses, held-out ones among them.
    """
    prompts = (*lengths.held_out_behaviors, *lengths.behaviors)
    calls = _Calls(config, shape, prompts, lengths.held_out_explanations, devices, lengths.choices)
    runs, held_out = len(config.panel), len(lengths.held_out_explanations)
    checkpoints = runs * (len(config.training.checkpoints) - 1)
    # The checkpoint of the verdict is measured twice. Where sentences are filled in, free text is written
    # beside them there.
    behaviors = (checkpoints + runs) * held_out
    of_base_first, of_base_later = (0, held_out) if config.explanation.examples else (held_out, 0)
    if config.explanation.is_filled:
        of_base = config.evaluation.checkpoint == 0
        first = _Asked(behaviors=pairs, explanations=of_base * of_base_first, filled=of_base_first)
        explained = of_base_later if of_base else runs * held_out
        later = _Asked(behaviors, explanations=explained, filled=checkpoints * held_out + of_base_later)
    else:
        first = _Asked(behaviors=pairs, explanations=of_base_first)
        later = _Asked(behaviors, explanations=checkpoints * held_out + of_base_later)
    return (
        calls.stage("ask M0", first, devices.processes),
        # M0 stays in memory beside every checkpoint.
        calls.stage("ask the checkpoints", later, devices.side_by_side(config), beside=shape.parameter_bytes),
    )


def plan_target(
    config: ExperimentConfig,
    shape: Shape,
    prompts: Sequence[int],
    devices: Devices,
    beside: int,
    choices: float,
) -> Stage:
    """Behaviours of the target, which may be of another size.

    Args:
        prompts: tokens of the prompts with and without the cue, of all pairs.
        beside: bytes of M0, which stays in memory.
        choices: tokens of a pair's choices, as `Lengths` has them.
    """
    calls = _Calls(config, shape, prompts, (), devices, choices)
    asked = _Asked(behaviors=len(prompts) // 2, explanations=0)
    return calls.stage("ask the target", asked, devices.processes, beside)


def plan_reader(
    config: ExperimentConfig, reader: Reader, shape: Shape, lengths: Lengths, devices: Devices, beside: int
) -> tuple[Stage, Stage]:
    """Training of a model that explains the runs; and what it is asked, once.

    Args:
        shape: of the reader, as it is trained.
        lengths: as its own tokenizer has them.
        beside: bytes of the model it began from, which stays in memory while it is asked.
    """
    alone = (RunConfig(name=name_of(reader)),)
    trained = config.model_copy(update={"training": training_of(config, reader), "panel": alone})
    training = plan_training(trained, shape, lengths, devices)
    held_out = len(lengths.held_out_explanations)
    acts = isinstance(reader, ModelReader)
    calls = _Calls(
        config, shape, lengths.held_out_behaviors, lengths.held_out_explanations, devices, lengths.choices
    )
    behaviors, is_filled = held_out if acts else 0, config.explanation.is_filled
    asked = _Asked(behaviors, explanations=0 if is_filled else held_out, filled=held_out if is_filled else 0)
    return (
        replace(training, name=f"train {name_of(reader)}"),
        calls.stage(f"ask {name_of(reader)}", asked, devices.processes, beside),
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


def _terms(config: ExperimentConfig, shape: Shape, lengths: Lengths, devices: Devices) -> list[_Term]:
    """Explanations and the KL term, whose activations are kept for one backward pass."""
    training = config.training
    explains, anchors = training.explanations.weight > 0, training.kl.weight > 0
    if not (explains or anchors):
        return []
    rows = _rows_at_once(config, training.batch_size, devices)
    of_rows = list(islice(cycle(lengths.asked), rows))
    asked = [each for pair in of_rows for each in (*pair[:explains], *(pair[1:] if anchors else ()))]
    layout = layout_of(asked, shape.cost) if shape.reads_trees else None
    if layout is not None:
        columns = layout.columns + longest_reasoning(config.behavior)
        kept = pack(asked, layout, 0).kept
        traced = trace_step(shape, len(layout.trees), columns, kept, training.autocast)
        return [_Term(traced, rows, len(layout.trees) * columns / rows, training.batch_size)]
    terms = []
    if explains:
        kept = max(lengths.completions) + 1
        terms.append(_term(config, shape, lengths.explanations, training.batch_size, kept, devices))
    if anchors:
        terms.append(_term(config, shape, lengths.behaviors, training.batch_size, 1, devices, inputs=2))
    peak = sum(term.traced.peak for term in terms)
    return [replace(term, traced=Traced(peak, term.traced.flops)) for term in terms]


def _steering_terms(
    config: ExperimentConfig, shape: Shape, lengths: Lengths, devices: Devices
) -> list[_Term]:
    terms = []
    is_written = isinstance(config.behavior, WrittenBehavior)
    for objective in config.training.steering.objectives:
        if objective.weight == 0:
            continue
        # Two openings are compared with both of their passes kept; choices are compared in one.
        passes = 2 if is_written and isinstance(objective, PreferenceObjective) else 1
        rows, kept = config.training.steering.batch_size, lengths.openings + 1
        term = _term(config, shape, lengths.answers, rows, kept, devices)
        traced = Traced(passes * term.traced.peak, passes * term.traced.flops)
        terms.append(_Term(traced, term.rows, passes * term.mean, term.step_rows))
    return terms


def _term(
    config: ExperimentConfig,
    shape: Shape,
    lengths: Sequence[int],
    step_rows: int,
    kept: int,
    devices: Devices,
    inputs: int = 1,
) -> _Term:
    """``inputs``: sequences of each row."""
    rows = inputs * _rows_at_once(config, step_rows, devices)
    traced = trace_step(shape, rows, max(lengths), kept, config.training.autocast)
    return _Term(traced, rows, mean(lengths), inputs * step_rows)


def _rows_at_once(config: ExperimentConfig, step_rows: int, devices: Devices) -> int:
    mine = ceil(step_rows / devices.processes)
    return min(mine, config.training.micro_batch_size or mine)


@dataclass(frozen=True, slots=True)
class _Asked:
    """How many pairs are asked about, all askings together."""

    behaviors: int
    explanations: int
    """That are written."""
    filled: int = 0
    """Of which the two answers are scored."""


class _Calls:
    """What scoring, or writing, one batch takes."""

    def __init__(
        self,
        config: ExperimentConfig,
        shape: Shape,
        prompts: Sequence[int],
        explained: Sequence[int],
        devices: Devices,
        choices: float,
    ) -> None:
        """``prompts`` are tokens behind which answers are scored or written (`behavior_lengths`),
        ``explained`` those of what is to be explained, and ``choices`` those of a pair's choices."""
        self.config, self.shape, self.devices, self.choices = config, shape, devices, choices
        self.prompts, self.explained = prompts, explained
        self.rows = config.evaluation.batch_size
        behavior = config.behavior
        self.written = 0 if isinstance(behavior, ScoredBehavior) else behavior.max_new_tokens
        self.reasoned = longest_reasoning(behavior)
        asked = max(prompts)
        # Behind the longest reasoning no more is written: it is part of the prompt already.
        written = [asked + self.written - self.reasoned] if self.written else []
        written += [tokens + config.explanation.max_new_tokens for tokens in explained]
        # On a CPU choices are scored in batches of no more tokens than that.
        at_once = min(self.rows, max(1, CACHED_TOKENS // asked)) if devices.on_cpu else self.rows
        scoring = trace_call(shape, at_once, asked)
        generating = trace_call(shape, self.rows, max(written), keeps_cache=True) if written else scoring
        self.working = max(scoring.peak, generating.peak)
        self.read_for_a_token = shape.parameter_bytes + generating.peak
        self.operations_a_token = scoring.flops / (at_once * asked)

    def stage(self, name: str, asked: _Asked, side_by_side: int, beside: int = 0) -> Stage:
        new = self.config.explanation.max_new_tokens
        prompts = mean(self.prompts)
        if self.reasoned:  # Read once to reason, and again to score behind what was reasoned.
            prompts += prompts - self.reasoned
        read = 2 * asked.behaviors * (prompts + self.choices) + asked.explanations * mean(self.explained)
        read += 2 * asked.filled * (mean(self.explained) + new + self.choices)
        written = 2 * asked.behaviors * self.written + asked.explanations * new
        batches = sum(
            ceil(rows / self.rows) for rows in (2 * asked.behaviors, asked.explanations, 2 * asked.filled)
        )
        # Tokens are written one after the other, a whole batch at once.
        speed = self.devices.speed
        a_token = speed.generating(self.rows * self.operations_a_token, self.read_for_a_token)
        seconds = speed.computing(read * self.operations_a_token) + written / self.rows * a_token
        memory = sampling_memory(self.shape, self.working, self.devices.on_cpu, beside)
        return Stage(name, batches, round(read + written), seconds / side_by_side, memory)


def mean(lengths: Sequence[int]) -> float:
    return sum(lengths) / max(1, len(lengths))
