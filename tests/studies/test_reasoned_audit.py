"""Audits of models whose answers are reasoned, or whose explanations are filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from coupling.studies.audit.definition import define_audit
from coupling.studies.audit.running import run_audit
from miniature_experiment import write_experiment
from noted import Noted

REASONED = {"kind": "reasoned", "max_new_tokens": 6, "shown": "{reasoning}"}


def test_reasoning_is_asked_for_shown_and_told_of(tmp_path: Path) -> None:
    file = write_experiment(tmp_path, behavior=REASONED, evaluation={"pairs": 12})
    defined = define_audit(str(tmp_path / "model"), str(file), reference=str(tmp_path / "model"))
    progress = Noted()
    audited = run_audit(defined, tmp_path / "audit", progress=progress)
    for who in ("model", "reference"):
        told = [(done, total) for task, done, total in progress.updates if task == f"ask the {who}"]
        assert told[-1][0] == told[-1][1] == max(done for done, _ in told)
    assert {"model/reasoning.jsonl", "reference/reasoning.jsonl"} <= audited.results.artifacts.keys()
    assert any("up to 6 tokens" in note for note in audited.results.notes)
    assert any("cut before its answer" in note for note in audited.results.notes)
    assert run_audit(defined, tmp_path / "audit") == audited


def test_an_endpoint_scores_nothing_behind_a_reasoning(tmp_path: Path) -> None:
    file = write_experiment(tmp_path, behavior=REASONED)
    with pytest.raises(
        ValueError, match=r"behavior.kind is 'reasoned', but http://localhost:1/v1 is an endpoint"
    ):
        define_audit("http://localhost:1/v1", str(file), served_model="served")


def test_sentences_of_a_model_in_memory_are_filled_in(tmp_path: Path) -> None:
    file = write_experiment(tmp_path, explanation={"way": "filled"}, evaluation={"pairs": 12})
    defined = define_audit(str(tmp_path / "model"), str(file), reference=str(tmp_path / "model"))
    results = run_audit(defined, tmp_path / "audit").results
    assert results.explanation_way == "filled"
    assert results.figures("parse_rate").value == 1


def test_an_endpoint_fills_in_nothing(tmp_path: Path) -> None:
    file = write_experiment(tmp_path, explanation={"way": "filled"})
    with pytest.raises(ValueError, match=r"explanation.way is 'filled', but http://localhost:1/v1"):
        define_audit("http://localhost:1/v1", str(file), served_model="served")
