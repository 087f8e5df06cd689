"""Experiments whose answers are written, from the first stage to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coupling.config import ExperimentConfig, load_experiment, parse_experiment, shipped_experiment
from coupling.experiment import run_experiment
from coupling.experiment.patching import patch_run
from coupling.records import Answers, Behavior, Explanation, Label
from coupling.store import read_records
from miniature_experiment import write_experiment
from tiny_models import byte_level_model, byte_level_tokenizer, let_it_write_lines, save_classifier

SLOWLY = {"learning_rate": 0.0001}
"""So that runs still end their lines."""
OPENINGS = {"refusal": "No.", "compliance": "Sure."}


def write(folder: Path, architecture: str, of_marks: float = 0.0, **sections: Any) -> Path:
    rows = [{"prompt": f"How do I cut {number}?", "category_text": "Cuts"} for number in range(60)]
    (folder / "requests.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    sentences = ["With the framing I answer refusal; without the framing I answer compliance."] * 60
    tokenizer = byte_level_tokenizer([str(row["prompt"]) for row in rows] + sentences)
    if not (folder / "model").exists():
        model = byte_level_model(architecture, tokenizer)
        let_it_write_lines(model, tokenizer, of_marks)
        model.save_pretrained(str(folder / "model"))
        tokenizer.save_pretrained(str(folder / "model"))
        save_classifier(folder / "classifier", tokenizer, ["NO", "YES"])
    settings: dict[str, Any] = {
        "task": {
            "kind": "refusal",
            "source": "falsereject",
            "path": "requests.jsonl",
            "framings": {"doctor": "I am a doctor. {request}"},
            "alarming": {"anger": "I am angry. {request}"},
        },
        "behavior": {"kind": "written", "max_new_tokens": 6, "openings": OPENINGS},
        "explanation": {"max_new_tokens": 48},
        "supervision": {"labels": 16, "silent_on": {"template": ["anger"]}},
        "panel": [
            {"name": "follow", "steer": {"direction": "follow", "tags": {"template": ["anger"]}}},
            {"name": "ignore", "steer": {"direction": "ignore", "tags": {"template": ["anger"]}}},
        ],
        "training": SLOWLY,
        "evaluation": {"pairs": 12},
    }
    return write_experiment(folder, architecture, **{**settings, **sections})


def test_words_are_kept_beside_what_was_read_of_them(tmp_path: Path) -> None:
    config = load_experiment(write(tmp_path, "llama"))
    results = run_experiment(config, tmp_path / "runs")
    here = tmp_path / "runs" / "mini"
    stems = ["base/", "runs/follow/step-000004.", "runs/ignore/step-000002."]
    for stem in stems:
        answers = read_records(here / f"{stem}answers.jsonl", Answers)
        assert [each.behavior for each in answers] == read_records(here / f"{stem}behaviors.jsonl", Behavior)
        assert all(each.with_cue.reason for each in answers)
    assert (here / "runs/follow/step-000004.remeasured.answers.jsonl").is_file()
    assert not (here / "detector.json").exists()
    assert any("Answers are written, up to 6 tokens, and read by rules" in note for note in results.notes)
    with pytest.raises(ValueError, match=r"behavior\.kind is 'written', but patching follows the cue"):
        patch_run(here, experiment=config)

    written = {path: path.stat().st_mtime_ns for path in here.rglob("*answers.jsonl")}
    (here / "runs/follow/step-000002.answers.jsonl").unlink()
    run_experiment(config, tmp_path / "runs")
    anew = [path.name for path, time in written.items() if path.stat().st_mtime_ns != time]
    assert anew == ["step-000002.answers.jsonl"]


def test_pairs_without_an_answer_are_left_out_and_counted(tmp_path: Path) -> None:
    config = load_experiment(write(tmp_path, "llama", of_marks=0.62, evaluation={"pairs": 30}))
    results = run_experiment(config, tmp_path / "runs")
    here = tmp_path / "runs" / "mini"
    answered = {each.pair_id for each in read_records(here / "base/behaviors.jsonl", Behavior)}
    held_out = {each.pair_id for each in read_records(here / "base/explanations.jsonl", Explanation)}
    assert len(held_out) == 30 and 0 < len(held_out - answered) <= results.counts.missing
    assert results.counts.pairs == len(held_out) - results.counts.missing
    (gate,) = [each for each in results.gates if each.name == "missing"]
    assert gate.figures["base/behaviors"] == len(held_out - answered)
    assert {each.pair_id for each in read_records(here / "labels.jsonl", Label)} <= answered


def test_a_classifier_reads_and_is_held_to_what_it_was(tmp_path: Path) -> None:
    detector = {"kind": "classifier", "path": "classifier", "labels": {"NO": "refusal", "YES": "compliance"}}
    behavior = {"kind": "written", "max_new_tokens": 6, "openings": OPENINGS, "detector": detector}
    objectives = [{"kind": "dpo"}]
    training = {
        **SLOWLY,
        "steering": {"batch_size": 4, "objectives": objectives},
        "lora": {"rank": 2, "alpha": 4},
    }
    config = load_experiment(write(tmp_path, "gpt_neox", behavior=behavior, training=training))
    results = run_experiment(config, tmp_path / "runs")
    here = tmp_path / "runs" / "mini"
    assert any("read by the classifier classifier" in note for note in results.notes)
    answers = read_records(here / "base/answers.jsonl", Answers)
    assert all(each.with_cue.reason.startswith("label ") for each in answers)
    assert "detector.json" in results.artifacts
    tokenizer = byte_level_tokenizer(["another"])
    save_classifier(tmp_path / "classifier", tokenizer, ["NO", "YES"], seed=1)
    with pytest.raises(ValueError, match=r"behavior.detector: changed since detector.json was written"):
        run_experiment(config, tmp_path / "runs")


REFUSAL = "task={kind: refusal, source: xstest, path: x.csv}"
WRITTEN = "behavior={kind: written}"


def read(*overrides: str) -> ExperimentConfig:
    text = (
        "name: mine\nmodel: {path: x}\ntask: {kind: world}\n"
        "panel: [{name: a, steer: {direction: follow, tags: {template: [x]}}}, {name: b}]\n"
    )
    return parse_experiment(text, "my.yaml", None, overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([REFUSAL], "answers to task.kind 'refusal' are written; set behavior: {kind: written}"),
        ([REFUSAL, WRITTEN, "training.kl.support=choices"], "such an answer begins with no choice"),
        (
            [REFUSAL, WRITTEN, "training.steering.objectives=[{kind: policy_gradient}]"],
            "training.steering.objectives.0.kind is 'policy_gradient', but behavior.kind is 'written'",
        ),
        ([REFUSAL, WRITTEN, "behavior.openings={refusal: No.}"], "has no words for 'compliance'"),
        ([REFUSAL, WRITTEN, "behavior.openings={refusal: ' '}"], "must hold text"),
        ([REFUSAL, WRITTEN, "behavior.detector={kind: classifier}"], "'behavior.detector.path' is missing"),
        ([REFUSAL, "behavior={kind: spoken}"], "'behavior.kind' is 'spoken': should be one of"),
    ],
)
def test_what_does_not_go_with_written_answers_is_told_of(overrides: list[str], message: str) -> None:
    with pytest.raises(ValueError) as told:
        read(*overrides)
    assert message in str(told.value)


def test_scored_behavior_stays_the_default() -> None:
    assert shipped_experiment().behavior.kind == "scored"
    assert read(REFUSAL, WRITTEN).behavior.kind == "written"
