"""Models of real size with random weights: tokens a second, memory, and how far `coupling plan` was off.

    python -m benchmarks.real_size                        # 50 million parameters, one CPU thread
    python -m benchmarks.real_size --model qwen3-8b       # Qwen3-8B's configuration, on a GPU of 80 GB
    python -m benchmarks.real_size --model tiny           # seconds; shows that it runs, and nothing else

Speed and memory do not depend on what weights say. Sampling and training (LoRA with the KL term) run in a
process each, so that the peak of one is not that of the other; on a CPU memory is what the process grew by.
Utilisation is the share of a large matrix product's speed, which is measured in the same process.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Column, Table
from transformers import AutoModelForCausalLM, PreTrainedModel, Qwen3Config

from benchmarks.timing import seconds
from coupling.config import ExperimentConfig
from coupling.config.loading import parse_experiment
from coupling.experiment.selection import held_out_pairs, labelled_pairs, select_pairs
from coupling.explanations import formats
from coupling.models import LocalSampler, Renderer, explanation_message, prepare_process
from coupling.models.loading import describe_model
from coupling.planning import Devices, Plan, plan_experiment
from coupling.planning.speed import UTILISATION, Speed, measure_speed
from coupling.planning.terminal import print_plan
from coupling.planning.tracing import shape_of, trace_call
from coupling.raising.architecture import build_byte_tokenizer
from coupling.records import CounterfactualPair, Effect
from coupling.supervision import build_labels
from coupling.tasks import load_pairs
from coupling.training.checkpoints import add_adapter
from coupling.training.dataset import build_training_data
from coupling.training.loop import train
from coupling.worlds import Asked, World

SIZES: Mapping[str, Mapping[str, Any]] = {
    "tiny": {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "vocab_size": 4096,
        "tie_word_embeddings": True,
    },
    "50m": {
        "hidden_size": 512,
        "intermediate_size": 1536,
        "num_hidden_layers": 12,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 64,
        "vocab_size": 16384,
        "tie_word_embeddings": True,
    },
    "qwen3-8b": {
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
        "tie_word_embeddings": False,
    },
}
EXPERIMENT = """\
name: real-size
model: {{path: model, dtype: {dtype}}}
task: {{kind: mmlu_hint, path: questions.jsonl}}
supervision: {{labels: {labels}}}
training:
  steps: {steps}
  batch_size: {batch}
  warmup_steps: 0
  save_every: {steps}
  checkpoints: [0, {steps}]
  lora: {{rank: 32, alpha: 64}}
panel: [{{name: unsteered}}]
evaluation: {{checkpoint: {steps}, pairs: {pairs}, batch_size: {batch}, remeasure_batch_size: 1}}
workers: 1
"""
GIB = 2**30
CONTEXT = 512
ASSUMED = Speed(flops=1e12, bandwidth=1e12)
"""The plan's times are not looked at, only what they are made of."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run."""

    model: str
    dtype: str
    device: str
    steps: int
    batch: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Timed:
    """One kind of work."""

    what: str
    tokens: int
    seconds: float
    operations: float
    """Floating point operations."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process did."""

    timed: tuple[Timed, ...]
    peak_flops: float
    """Of a large matrix product, operations a second."""
    memory: int
    planned: int
    """Bytes, as measured and as planned."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.real_size",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", choices=SIZES, default="50m")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="print JSON, and nothing else, on stdout")
    given = parser.parse_args()
    dtype, device = ("bfloat16", "cuda") if torch.cuda.is_available() else ("float32", "cpu")
    size = Size(given.model, dtype, device, given.steps, given.batch, given.pairs)
    with tempfile.TemporaryDirectory() as folder:
        config = _experiment(size, Path(folder))
        plan = plan_experiment(config, Devices(ASSUMED, device == "cpu", 1, False))
        described = describe_model(config.model)
    # Of a forward pass; attention, which grows with the length, is counted at 64 tokens.
    operations = trace_call(shape_of(described.config, described.dtype, None, None), 1, 64).flops / 64
    print_plan(plan, Console(stderr=True, markup=False, highlight=False))
    context = multiprocessing.get_context("spawn")
    found = []
    for part in (measure_sampling, measure_training):
        with context.Pool(1) as pool:
            found.append(pool.apply(part, (size, plan, operations)))
    if given.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        Console(markup=False, highlight=False).print(as_table(found))
    return 0


def measure_sampling(size: Size, plan: Plan, operations_a_token: float) -> Measured:
    """Scores choices, then writes explanations."""

    def work(stage: Staged) -> list[Timed]:
        pairs, form = stage.held_out, formats.get(stage.config.explanation.format)
        new = stage.config.explanation.max_new_tokens
        sampler = LocalSampler(stage.model, stage.renderer, size.batch, new)
        messages = [message for pair in pairs for message in (pair.with_cue, pair.without_cue)]
        prefixes = [pair.answer_prefix for pair in pairs for _ in range(2)]
        # A question that several pairs share is asked once.
        asked = {tuple(ids) for ids in stage.renderer.prompt_ids(messages, prefixes)}
        prompts = stage.renderer.prompt_ids([explanation_message(pair, form) for pair in pairs])
        read = sum(len(ids) for ids in asked)
        written = sum(len(ids) + new for ids in prompts)
        sampler.explanations(pairs[:1], form)  # Whatever is done the first time only.
        scoring = _timed(lambda: sampler.behaviors(pairs), size.device)
        # Random weights hardly ever write the end, so every explanation has all of its tokens.
        explaining = _timed(lambda: sampler.explanations(pairs, form), size.device)
        return [
            Timed("scoring choices", read, scoring, read * operations_a_token),
            Timed("writing explanations", written, explaining, written * operations_a_token),
        ]

    return _measure(size, plan, 1, work)


def measure_training(size: Size, plan: Plan, operations_a_token: float) -> Measured:
    """Trains an adapter on explanations, with the KL term."""

    def work(stage: Staged) -> list[Timed]:
        config, form = stage.config, formats.get(stage.config.explanation.format)
        effects = {pair.id: Effect(pair.choices[0], pair.choices[1]) for pair in stage.labelled}
        sources = {pair.id: "made up" for pair in stage.labelled}
        labels = build_labels(stage.labelled, effects, form, config.supervision, sources)
        new = config.explanation.max_new_tokens
        data = build_training_data(
            stage.model,
            stage.renderer,
            stage.labelled,
            labels,
            {},
            form,
            None,
            config.training.kl,
            size.batch,
            new,
        )
        assert config.training.lora is not None
        model = add_adapter(stage.model, config.training.lora, 0)
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder) / "state"
            taken = _timed(
                lambda: train(
                    model,
                    data,
                    config.training,
                    stage.renderer.pad,
                    0,
                    state,
                    {},
                    lambda step: None,
                    lambda losses: None,
                ),
                size.device,
            )
        planned = stage.plan.stages[-1]
        # Undoes what the plan makes of operations, for a device of this speed.
        operations = planned.seconds * ASSUMED.flops * UTILISATION
        return [Timed("training, LoRA with KL", planned.tokens, taken, operations)]

    return _measure(size, plan, 2, work)


@dataclass(frozen=True, slots=True)
class Staged:
    """What a process works with."""

    config: ExperimentConfig
    plan: Plan
    model: PreTrainedModel
    renderer: Renderer
    labelled: Sequence[CounterfactualPair]
    held_out: Sequence[CounterfactualPair]


def _measure(size: Size, plan: Plan, stage: int, work: Callable[[Staged], list[Timed]]) -> Measured:
    prepare_process()
    with tempfile.TemporaryDirectory() as folder:
        config = _experiment(size, Path(folder))
        described = describe_model(config.model)
        pairs = select_pairs(config, load_pairs(config.task))
    before = _memory(size.device)
    with torch.device(size.device):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(described.config, dtype=described.dtype)
    staged = Staged(
        config, plan, model, described.renderer, labelled_pairs(config, pairs), held_out_pairs(config, pairs)
    )
    timed = tuple(work(staged))
    memory = _memory(size.device) - before
    planned = plan.stages[stage].memory.total + (plan.reference if size.device == "cpu" else 0)
    if stage == 1:
        planned -= plan.stages[0].memory.weights  # M0 alone is sampled here, beside nothing.
    # Last, because it takes memory itself.
    return Measured(timed, measure_speed(config.model).flops, memory, planned)


def as_table(found: Sequence[Measured]) -> Table:
    right = ("tokens/s", "utilisation", "memory", "planned", "planned / measured")
    table = Table("what", *(Column(name, justify="right") for name in right), box=None, pad_edge=False)
    for each in found:
        for place, timed in enumerate(each.timed):
            is_last = place == len(each.timed) - 1
            memory = (
                f"{each.memory / GIB:.2f} GiB",
                f"{each.planned / GIB:.2f} GiB",
                f"{each.planned / each.memory:.2f}" if each.memory else "n/a",
            )
            table.add_row(
                timed.what,
                f"{timed.tokens / timed.seconds:.0f}",
                f"{timed.operations / timed.seconds / each.peak_flops:.2f}",
                *(memory if is_last else ("", "", "")),
            )
    return table


def _experiment(size: Size, folder: Path) -> ExperimentConfig:
    """An experiment on a model that has a configuration and a tokenizer, and no weights."""
    rows = [
        {
            "question": f"{Asked(fact, None).message} Say which of these it is.",
            "subject": fact.relation,
            "choices": list(fact.choices[:4]),
            "answer": 0,
        }
        for fact in World.generate(0).facts
    ]
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    shape = SIZES[size.model]
    texts = [f"{row['question']} I answer A I answer B I answer C I answer D" for row in rows]
    tokenizer = build_byte_tokenizer(texts, 4096, CONTEXT)
    Qwen3Config(**shape, max_position_embeddings=CONTEXT).save_pretrained(str(folder / "model"))
    tokenizer.save_pretrained(str(folder / "model"))
    text = EXPERIMENT.format(
        dtype=size.dtype, labels=size.batch * 8, steps=size.steps, batch=size.batch, pairs=size.pairs
    )
    return parse_experiment(text, "the benchmark", folder)


def _timed(work: Callable[[], object], device: str) -> float:
    def waited() -> None:
        work()
        if device == "cuda":
            torch.cuda.synchronize()

    return seconds(waited)


def _memory(device: str) -> int:
    """The most that was held so far, in bytes."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())
