"""The target: a model by itself or a LoRA checkpoint of M0; and what is said of one that does not do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from coupling.config import LoraConfig, ModelConfig, load_experiment
from coupling.experiment import run_stage
from coupling.experiment.artifacts import MODEL, ModelIdentity, note_model, noted_model
from coupling.models import load_model
from coupling.store import RunDir
from coupling.training.checkpoints import add_adapter, save_checkpoint
from miniature_experiment import write_experiment
from tiny_models import scatter


def save_lora(folder: Path, name: str = "model") -> None:
    base = load_model(ModelConfig(path=str(folder / "model")))
    base.model.name_or_path = name
    trained = add_adapter(base.model, LoraConfig(rank=2), seed=0)
    scatter(trained, 3)
    save_checkpoint(folder / "step", trained, base.renderer.tokenizer, 1)


def test_a_lora_checkpoint_of_m0_is_a_target(tmp_path: Path) -> None:
    file = write_experiment(tmp_path, supervision={"target": "step"})
    save_lora(tmp_path)
    run_stage("behaviors", load_experiment(file), tmp_path / "runs")
    run = tmp_path / "runs" / "mini"
    answers = [
        {row["pair_id"]: row["logprobs_with"] for row in map(json.loads, file.read_text().splitlines())}
        for file in (run / "base" / "behaviors.jsonl", run / "target" / "behaviors.jsonl")
    ]
    assert answers[1] and all(answers[0][id_] != given for id_, given in answers[1].items())
    assert noted_model(run / "target" / "model.json").fingerprint != noted_model(run / MODEL).fingerprint


def test_an_adapter_of_another_model_is_no_target(tmp_path: Path) -> None:
    file = write_experiment(tmp_path, supervision={"target": "step"})
    save_lora(tmp_path, "stranger")
    with pytest.raises(
        ValueError, match=r"supervision.target: .*step' cannot .*trained from another model than"
    ):
        run_stage("behaviors", load_experiment(file), tmp_path / "runs")
    (tmp_path / "step" / "COMPLETE").unlink()
    with pytest.raises(
        ValueError, match=r"supervision.target: .*it is an adapter, and no checkpoint of a run"
    ):
        run_stage("behaviors", load_experiment(file), tmp_path / "runs")


def test_what_is_wrong_with_a_target_is_told_of_by_its_field(tmp_path: Path) -> None:
    file = write_experiment(tmp_path, supervision={"target": "nowhere/at/all"})
    with pytest.raises(
        ValueError, match=r"^supervision.target: 'nowhere/at/all' cannot be asked .*but for revision"
    ):
        run_stage("behaviors", load_experiment(file), tmp_path / "runs")


def test_a_commit_that_changes_nothing_of_the_model_leaves_what_was_noted(tmp_path: Path) -> None:
    noted = ModelIdentity("f", "cpu", "p", "float32", "sdpa", "off", None, None, "commit 1")
    with RunDir.open(tmp_path / "run", {}, "") as run:
        note_model(run, MODEL, "hub/id", noted)
        sha = run.sha(MODEL)
        note_model(run, MODEL, "hub/id", replace(noted, commit="commit 2"))
        assert run.sha(MODEL) == sha and noted_model(run.file(MODEL)) == noted
        with pytest.raises(ValueError, match="its weights, configuration or tokenizer changed since"):
            note_model(run, MODEL, "hub/id", replace(noted, fingerprint="g", commit="commit 2"))
