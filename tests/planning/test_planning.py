from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPTNeoXConfig,
    LlamaConfig,
    PreTrainedConfig,
)

from coupling.config import LoraConfig, load_experiment, shipped_experiment
from coupling.faithfulness.power import discernible_bits
from coupling.planning import Devices, plan_experiment
from coupling.planning.layers import Phase, alike_layers, peak_of
from coupling.planning.memory import training_memory
from coupling.planning.speed import Speed
from coupling.planning.tracing import Traced, _Living, shape_of, trace_call, trace_step
from miniature_experiment import write_experiment
from tiny_models import byte_level_model, byte_level_tokenizer

SPEED = Speed(flops=1e9, bandwidth=1e9)
HERE = Devices(SPEED, on_cpu=True, processes=1, is_sharded=False)
LLAMA = LlamaConfig(
    vocab_size=50,
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    tie_word_embeddings=False,
)
NEOX = GPTNeoXConfig(
    vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
)


def parameters_by_hand(config: LlamaConfig) -> int:
    hidden, inner = config.hidden_size, config.intermediate_size
    layer = 4 * hidden * hidden + 3 * hidden * inner + 2 * hidden
    return 2 * config.vocab_size * hidden + config.num_hidden_layers * layer + hidden


def test_parameters_are_counted_without_weights() -> None:
    shape = shape_of(LLAMA, torch.float32, None, None)
    assert shape.parameters == shape.trained == parameters_by_hand(LLAMA)
    assert shape.parameter_bytes == 4 * shape.parameters
    adapted = shape_of(LLAMA, torch.bfloat16, None, LoraConfig(rank=4, alpha=8))
    # Every linear layer but the output gets 4 (in + out), in float32 over a base of 16 bits.
    each = 4 * (4 * (32 + 32) + 3 * (32 + 64))
    assert adapted.trained == 2 * each and adapted.trained_bytes == 4 * 2 * each
    assert adapted.parameters == shape.parameters + 2 * each


@pytest.mark.parametrize("attention", ["eager", "sdpa", "flash_attention_2"])
@pytest.mark.parametrize("config", [LLAMA, NEOX])
def test_operations_are_those_of_the_matrix_products(config: PreTrainedConfig, attention: str) -> None:
    shape = shape_of(config, torch.float32, attention, None)
    one, two = trace_call(shape, 1, 8), trace_call(shape, 2, 8)
    assert two.flops == 2 * one.flops
    if config is LLAMA:
        products = 2 * 8 * 2 * (4 * 32 * 32 + 3 * 32 * 64)
        attention = 2 * 2 * (2 * 8 * 8 * 32)
        assert one.flops == products + attention + 2 * 32 * 50
    step = trace_step(shape, 1, 8, 8)
    assert 2.5 * one.flops < step.flops < 3.6 * one.flops


def test_what_is_held_grows_with_rows_and_layers() -> None:
    shape = shape_of(LLAMA, torch.float32, None, None)
    small, large = trace_step(shape, 8, 16, 2).peak, trace_step(shape, 16, 16, 2).peak
    assert large == pytest.approx(2 * small, rel=0.1)
    deeper = LlamaConfig(**{**LLAMA.to_dict(), "num_hidden_layers": 4})
    assert 1.5 * small < trace_step(shape_of(deeper, torch.float32, None, None), 8, 16, 2).peak < 2 * small


@pytest.mark.parametrize("config", [LLAMA, NEOX])
def test_what_is_held_is_what_a_real_step_holds(config: PreTrainedConfig) -> None:
    rows, columns, kept = 4, 16, 3
    model = AutoModelForCausalLM.from_config(config)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    ones = torch.ones((rows, columns), dtype=torch.int64)
    with _Living() as living, saved_tensors_hooks(lambda tensor: tensor, lambda tensor: tensor):
        logits = model(
            input_ids=ones, attention_mask=ones, position_ids=ones, logits_to_keep=kept, use_cache=False
        ).logits
        logits.flatten(0, 1).float().log_softmax(-1)[..., 0].mean().backward()
    traced = trace_step(shape_of(config, torch.float32, None, None), rows, columns, kept)
    assert traced.peak == pytest.approx(living.peak, rel=0.1)


# Its embedding weighs more than its layers.
EMBEDDING = LlamaConfig(**{**LLAMA.to_dict(), "vocab_size": 4000, "tie_word_embeddings": True})


@pytest.mark.parametrize(
    ("config", "lora", "recomputes"),
    [
        (EMBEDDING, None, False),
        (NEOX, LoraConfig(rank=4, alpha=8), False),
        (LLAMA, LoraConfig(rank=4, alpha=8), True),
    ],
)
def test_what_many_layers_take_follows_exactly_from_few(
    config: PreTrainedConfig, lora: LoraConfig | None, recomputes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = type(config)(**{**config.to_dict(), "num_hidden_layers": 6})
    shape = shape_of(deep, torch.float32, None, lora, recomputes)
    assert alike_layers(shape.model, shape.layers) is not None

    def traced() -> list[Traced]:
        steps = [trace_step(shape, 1, 4, 1), trace_step(shape, 8, 16, 4, "bfloat16")]
        return [*steps, trace_call(shape, 3, 8, keeps_cache=True)]

    few = traced()
    # Only the layers that were run are in training or not; that makes none of them another.
    assert alike_layers(shape.model, shape.layers) is not None
    monkeypatch.setattr("coupling.planning.tracing.alike_layers", lambda model, layers: None)
    assert few == traced()


def test_the_most_with_few_layers_may_be_in_another_phase_than_with_many() -> None:
    def phases(layers: int) -> dict[Phase, int]:
        """Every layer leaves 30 to the backward pass; its end takes 130."""
        forward = {("forward", at): 30 * at + 40 for at in range(layers)}
        backward = {("backward", at): 30 * at + (130 if at == 0 else 50) for at in range(layers)}
        return {("before", 0): 5, **forward, ("head", 0): 30 * layers + 1, **backward}

    for layers in (3, 4, 5, 40):
        assert peak_of(phases(3), phases(4), layers) == max(phases(layers).values())
    few = phases(3)
    assert max(few, key=few.__getitem__) == ("backward", 0)


def test_layers_that_differ_are_all_run() -> None:
    sliding = Gemma3TextConfig(
        **{**LLAMA.to_dict(), "num_hidden_layers": 12, "head_dim": 8, "layer_types": None}, sliding_window=4
    )
    assert len(set(sliding.layer_types)) == 2
    shape = shape_of(sliding, torch.float32, None, None)
    assert alike_layers(shape.model, 12) is None
    assert trace_call(shape, 1, 8).flops > 11 * 2 * 8 * 3 * 32 * 64


def test_operations_are_those_that_torch_counts() -> None:
    model = AutoModelForCausalLM.from_config(LLAMA, attn_implementation="eager")
    ones = torch.ones((2, 8), dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ones, logits_to_keep=1, use_cache=False).logits.sum().backward()
    shape = shape_of(LLAMA, torch.float32, "eager", None)
    assert trace_step(shape, 2, 8, 1).flops == counter.get_total_flops()


def test_keys_and_values_are_counted() -> None:
    shape = shape_of(LLAMA, torch.float32, None, None)
    with_cache, without = trace_call(shape, 3, 8, keeps_cache=True), trace_call(shape, 3, 8)
    assert with_cache.peak > without.peak and with_cache.flops == without.flops


def test_computing_anew_takes_less_memory_and_more_time() -> None:
    deep = LlamaConfig(**{**LLAMA.to_dict(), "num_hidden_layers": 8})
    plain = trace_step(shape_of(deep, torch.float32, None, None), 8, 32, 4)
    anew = trace_step(shape_of(deep, torch.float32, None, None, recomputes=True), 8, 32, 4)
    assert anew.peak < plain.peak / 2
    assert 1.2 * plain.flops < anew.flops < 1.4 * plain.flops


def test_sharding_divides_what_lies_there() -> None:
    shape = shape_of(LLAMA, torch.float32, None, None)
    whole, shared = training_memory(shape, 100, False), training_memory(shape, 100, False, shards=4)
    assert whole.moments == 2 * whole.gradients == 2 * shape.trained_bytes == 4 * shared.moments
    assert shared.weights == whole.weights // 4 + whole.weights // 2
    assert training_memory(shape, 100, on_cpu=True).working == 220


def test_an_experiment_is_planned_without_its_weights(tmp_path: Path) -> None:
    file = write_experiment(tmp_path)
    (tmp_path / "model" / "model.safetensors").unlink()
    plan = plan_experiment(load_experiment(file), HERE)
    ask, again, train = plan.stages
    assert train.calls == 3 * 4 and plan.pairs == 40
    assert plan.bits == discernible_bits(plan.clusters)
    assert (plan.no_powers is None) == bool(plan.powers)
    assert 0 < ask.tokens < again.tokens and train.seconds > 0
    assert plan.peak == max(stage.memory.total for stage in plan.stages)
    slower = plan_experiment(load_experiment(file), Devices(Speed(SPEED.flops / 2, 1e9), True, 1, False))
    assert slower.stages[2].seconds == pytest.approx(2 * train.seconds)


def test_a_target_of_another_size_is_planned_beside_the_base(tmp_path: Path) -> None:
    alone = plan_experiment(load_experiment(write_experiment(tmp_path)), HERE)
    shutil.copytree(tmp_path / "model", tmp_path / "other")
    larger = AutoConfig.from_pretrained(str(tmp_path / "model"))
    larger.num_hidden_layers *= 2
    larger.save_pretrained(str(tmp_path / "other"))
    file = write_experiment(tmp_path, supervision={"target": "other"})
    first, target, *_ = plan_experiment(load_experiment(file), HERE).stages
    assert first == alone.stages[0] and target.name == "ask the target"
    assert target.memory.weights > 2 * first.memory.weights


def test_readers_are_planned_beside_the_runs(tmp_path: Path) -> None:
    file = write_experiment(tmp_path)
    shutil.copytree(tmp_path / "model", tmp_path / "other")
    trained = {"steps": 6, "batch_size": 8, "warmup_steps": 1}
    models = [{"name": "other", "path": "other", **trained}]
    write_experiment(tmp_path, readers={"language_model": {**trained, "steps": 12}, "models": models})
    *_, fresh, ask_fresh, other, ask_other = plan_experiment(load_experiment(file), HERE).stages
    assert [each.name for each in (fresh, other)] == ["train language-model", "train other"]
    assert (fresh.calls, other.calls) == (12, 6)
    assert fresh.tokens == 2 * other.tokens > 0 and fresh.memory == other.memory
    # What comes from random weights is not asked what it does.
    assert ask_other.tokens > ask_fresh.tokens > 0


def test_micro_batches_and_processes_take_less_each(tmp_path: Path) -> None:
    file = write_experiment(tmp_path)
    whole = plan_experiment(load_experiment(file), HERE)
    micro = plan_experiment(load_experiment(file, ["training.micro_batch_size=2"]), HERE)
    shared = plan_experiment(load_experiment(file), Devices(SPEED, True, 2, True))
    assert micro.stages[2].memory.working < whole.stages[2].memory.working
    assert shared.stages[2].memory.moments == whole.stages[2].memory.moments // 2
    assert shared.stages[2].seconds < whole.stages[2].seconds


@pytest.mark.parametrize("name", ["jabberwocky", "dissuading-hints", "other-family-labels"])
def test_shipped_experiments_can_be_planned(name: str) -> None:
    small = ["task.hints_per_adviser=1", "supervision.labels=20", "evaluation.pairs=20"]
    plan = plan_experiment(shipped_experiment(name, [*small, "training.batch_size=2"]), HERE)
    assert [stage.name for stage in plan.stages if stage.name == "ask the target"] == (
        ["ask the target"] if name == "other-family-labels" else []
    )
    assert 2 * plan.stages[0].memory.weights == plan.stages[-2].memory.weights


def test_openings_are_compared_in_two_passes(tmp_path: Path) -> None:
    rows = [{"prompt": f"How do I stop {number}?", "category_text": "x"} for number in range(90)]
    (tmp_path / "requests.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    tokenizer = byte_level_tokenizer([row["prompt"] for row in rows])
    byte_level_model("llama", tokenizer).save_pretrained(str(tmp_path / "model"))
    tokenizer.save_pretrained(str(tmp_path / "model"))
    file = write_experiment(
        tmp_path,
        task={"kind": "refusal", "source": "falsereject", "path": "requests.jsonl"},
        behavior={
            "kind": "written",
            "max_new_tokens": 4,
            "openings": {"refusal": "I'm sorry", "compliance": "Sure"},
        },
        supervision={"silent_on": {}},
        panel=[{"name": "steered", "steer": {"direction": "follow", "tags": {"template": ["doctor"]}}}],
        twins=[],
    )
    off = ["training.explanations.weight=0", "training.kl.weight=0"]

    def working(objective: str) -> int:
        config = load_experiment(file, [*off, f"training.steering.objectives=[{{kind: {objective}}}]"])
        return plan_experiment(config, HERE).stages[2].memory.working

    assert working("dpo") == pytest.approx(2 * working("sft"), abs=2)


def test_a_reasoning_is_written_and_then_read(tmp_path: Path) -> None:
    def tokens(behavior: dict[str, object]) -> dict[str, int]:
        config = load_experiment(write_experiment(tmp_path, behavior=behavior))
        return {stage.name: stage.tokens for stage in plan_experiment(config, HERE).stages}

    scored, short, long = (
        tokens(behavior)
        for behavior in (
            {"kind": "scored"},
            {"kind": "reasoned", "max_new_tokens": 1},
            {"kind": "reasoned", "max_new_tokens": 5},
        )
    )
    instructed = tokens({"kind": "reasoned", "max_new_tokens": 1, "instruction": "Ana answers."})
    for stage in scored:
        assert scored[stage] < short[stage] < long[stage], stage
    # With an instruction inputs no longer begin as explanations do, so training lays them out anew.
    for stage in set(scored) - {"train"}:
        assert short[stage] < instructed[stage], stage
    config = load_experiment(tmp_path / "mini.yaml")
    runs, asked = len(config.panel), len(config.training.checkpoints) - 1
    held_out = plan_experiment(config, HERE).pairs
    # Each further token of a reasoning is written once and read once, with the cue and without; the last
    # checkpoint is measured twice.
    asking = "ask the checkpoints"
    assert long[asking] - short[asking] == runs * (asked + 1) * held_out * 2 * (2 * 4)


def test_nothing_to_train_takes_nothing(tmp_path: Path) -> None:
    off = ["training.explanations.weight=0", "training.kl.weight=0", "twins=[]", "panel=[{name: idle}]"]
    plan = plan_experiment(load_experiment(write_experiment(tmp_path), off), HERE)
    assert plan.stages[2].memory.working == 0 == plan.stages[2].tokens
