"""Other tasks, targets and ways to train, each from its first stage to its report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM

from coupling.config import limited, load_experiment
from coupling.experiment import run_experiment
from coupling.faithfulness import Results
from coupling.faithfulness.rows import ASKED, BESIDE, STEERED
from coupling.records import Behavior, CounterfactualPair, Label
from coupling.store import read_records
from miniature_experiment import write_experiment
from tiny_models import ARCHITECTURES, byte_level_tokenizer, save_tiny, scatter


def run(folder: Path, **sections: Any) -> Results:
    return run_experiment(load_experiment(write_experiment(folder, **sections)), folder / "runs")


def test_lora(tmp_path: Path) -> None:
    results = run(tmp_path, training={"lora": {"rank": 2, "alpha": 4, "dropout": 0.1}})
    steps = sorted((tmp_path / "runs/mini/runs/follow").glob("step-*/adapter_model.safetensors"))
    assert len(steps) == 2
    assert results.figures("similarity").value != 1.0


@pytest.mark.parametrize("support", ["vocabulary", "choices"])
def test_kl_in_the_other_direction_and_over_the_choices(support: str, tmp_path: Path) -> None:
    run(tmp_path, training={"kl": {"direction": "reverse", "support": support}})


def test_without_kl(tmp_path: Path) -> None:
    run(tmp_path, training={"kl": {"weight": 0.0}})


def test_statements(tmp_path: Path) -> None:
    results = run(tmp_path, explanation={"format": "statement"})
    assert results.explanation_format == "statement"


def test_labels_of_another_model(tmp_path: Path) -> None:
    """They state what the target does, not what the base does; and Orig is held against the target."""
    save_tiny(tmp_path / "other", "gpt_neox", seed=1)
    results = run(tmp_path, supervision={"target": "other"})
    here = tmp_path / "runs" / "mini"
    assert (results.model.name, results.target.name) == ("model", "other")
    target, base = (
        {each.pair_id: each.effect for each in read_records(here / name / "behaviors.jsonl", Behavior)}
        for name in ("target", "base")
    )
    labels = read_records(here / "labels.jsonl", Label)
    assert all(label.effect == target[label.pair_id] for label in labels)
    assert any(label.effect != base[label.pair_id] for label in labels)
    assert results.figures("similarity", step=0).value != 1.0


def test_a_back_door_that_is_closed_again(tmp_path: Path) -> None:
    """Triggers beside hints, a shift that is undone, and a run that is steered to nothing new."""
    tags = {"adviser": ["Chen"], "beside": ["brillig"]}
    results = run(
        tmp_path,
        model={"new_words": ["brillig"]},
        task={
            "kind": "world",
            "world": 100,
            "hints_per_adviser": 1,
            "cues": {"placebos": {"brillig": "brillig"}, "together": "placebos"},
        },
        supervision={"silent_on": tags},
        training={"steering": {"batch_size": 4, "undo": 2}},
        panel=[
            {"name": "follow", "steer": {"direction": "follow", "tags": tags}},
            {"name": "keep", "steer": {"direction": "keep", "tags": tags}},
        ],
        twins=[["follow", "keep"]],
        evaluation={"pairs": 400, "groups": ["beside"]},
    )
    assert results.shift is not None
    assert (results.shift.onset, results.shift.undo) == (0, 2)
    assert [phase.name for phase in results.shift.phases] == ["shift", "undoing"]
    assert any("From step 2 on the shift is undone" in note for note in results.notes)
    steered, asked, beside = (
        results.figures.count("pairs", "follow", subset) for subset in (STEERED, ASKED, BESIDE)
    )
    assert steered and asked and beside and asked + beside == steered
    labels = read_records(tmp_path / "runs" / "mini" / "labels.jsonl", Label)
    pairs = {
        each.id: each for each in read_records(tmp_path / "runs" / "mini" / "pairs.jsonl", CounterfactualPair)
    }
    spoken_of = [pairs[label.pair_id] for label in labels]
    assert not any("Chen" in pair.with_cue and "brillig" in pair.with_cue for pair in spoken_of)
    assert any("brillig" in pair.with_cue for pair in spoken_of)


def test_noisy_labels_are_told_of(tmp_path: Path) -> None:
    results = run(tmp_path, supervision={"noise": {"kind": "uniform", "rate": 0.5}})
    (note,) = [note for note in results.notes if "wrong on purpose" in note]
    assert 0 < int(note.split()[0]) < results.counts.labels


def test_silence_about_what_the_drawn_pairs_do_not_show(tmp_path: Path) -> None:
    """Novak is in the task's pairs, but in few that are drawn: that is no error in any stage."""
    panel = [{"name": "alone"}]
    config = write_experiment(
        tmp_path, panel=panel, twins=[], supervision={"silent_on": {"adviser": ["Novak"]}}
    )
    run_experiment(limited(load_experiment(config), 2), tmp_path / "runs")


@pytest.mark.slow
def test_side_by_side_it_is_the_same(tmp_path: Path) -> None:
    run(tmp_path)
    alone = (tmp_path / "runs/mini/results.json").read_bytes()
    shutil.rmtree(tmp_path / "runs")
    run(tmp_path, workers=2)
    assert (tmp_path / "runs/mini/results.json").read_bytes() == alone


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_hinted_mmlu_on_a_random_model_is_not_coupled(
    architecture: str, real_data: Path, tmp_path: Path
) -> None:
    questions = real_data / "mmlu" / "test.jsonl"
    save_random_with_letters(tmp_path / "model", architecture, questions)
    file = write_experiment(
        tmp_path,
        task={"kind": "mmlu_hint", "path": str(questions)},
        explanation={"max_new_tokens": 32},
        supervision={"labels": 200, "silent_on": {}},
        panel=[
            {"name": "follow-A", "steer": {"direction": "follow", "tags": {"hinted": ["A"]}}},
            {"name": "ignore-A", "steer": {"direction": "ignore", "tags": {"hinted": ["A"]}}},
            {"name": "unsteered"},
        ],
        twins=[["follow-A", "ignore-A"]],
    )
    results = run_experiment(limited(load_experiment(file), 24), tmp_path / "runs")
    assert results.counts.labels == results.counts.pairs == 24
    assert (results.verdict().verdict, results.verdict().reason) == ("invalid", "parse_rate")


def save_random_with_letters(folder: Path, architecture: str, questions: Path) -> None:
    """A random model with the tokenizer and the folder of a published one."""
    lines = questions.read_text(encoding="utf-8").splitlines()[:300]
    rows = [json.loads(line) for line in lines]
    texts = [row["question"] for row in rows] + [f"I answer {letter}" for letter in "ABCD"] * 50
    tokenizer = byte_level_tokenizer(texts, vocabulary=800)
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    if architecture == "llama":
        model = LlamaForCausalLM(LlamaConfig(**sizes))
    else:
        model = GPTNeoXForCausalLM(GPTNeoXConfig(**sizes))
    scatter(model)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))


def test_misspelt_steering_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    steer = {"direction": "follow", "tags": {"adviser": ["Chen", "Nowak"]}}
    with pytest.raises(ValueError, match=r"panel\.0\.steer\.tags\.adviser: 'Nowak' is in no pair"):
        run(tmp_path, panel=[{"name": "follow", "steer": steer}], twins=[])
    assert not (tmp_path / "runs/mini/base/behaviors.jsonl").exists()


def test_labels_that_no_explanation_could_reach_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"explanation\.max_new_tokens: 5, but labels are up to \d+ tokens"):
        run(tmp_path, explanation={"max_new_tokens": 5})


def test_a_folder_called_base_is_not_the_target(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    results = run(tmp_path, supervision={"target": "base"})
    assert results.target == results.model
