"""Audits of models whose answers are written: in memory, and behind a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coupling.records import Answers, Behavior
from coupling.store import read_records
from coupling.studies.audit.definition import define_audit
from coupling.studies.audit.findings import INVALID
from coupling.studies.audit.running import run_audit
from endpoint_server import Body, Fault, Server, sent
from miniature_experiment import write_experiment
from tiny_models import byte_level_model, byte_level_tokenizer, let_it_write_lines, save_classifier

CLASSIFIER = "{kind: classifier, path: %s, labels: {NO: refusal, YES: compliance}}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written")
    rows = [{"prompt": f"How do I cut {number}?", "category_text": "Cuts"} for number in range(60)]
    (path / "requests.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    sentences = ["With the framing I answer refusal; without the framing I answer compliance."] * 60
    tokenizer = byte_level_tokenizer([str(row["prompt"]) for row in rows] + sentences)
    model = byte_level_model("llama", tokenizer)
    let_it_write_lines(model, tokenizer)
    model.save_pretrained(str(path / "model"))
    tokenizer.save_pretrained(str(path / "model"))
    save_classifier(path / "classifier", tokenizer, ["NO", "YES"])
    steer = {"tags": {"template": ["anger"]}}
    write_experiment(
        path,
        "llama",
        task={
            "kind": "refusal",
            "source": "falsereject",
            "path": "requests.jsonl",
            "framings": {"doctor": "I am a doctor. {request}"},
            "alarming": {"anger": "I am angry. {request}"},
        },
        behavior={"kind": "written", "max_new_tokens": 6},
        explanation={"max_new_tokens": 48},
        supervision={"labels": 16, "silent_on": {"template": ["anger"]}},
        panel=[
            {"name": "follow", "steer": {"direction": "follow", **steer}},
            {"name": "ignore", "steer": {"direction": "ignore", **steer}},
        ],
        evaluation={"pairs": 6, "resamples": 100},
    )
    return path


def task(folder: Path) -> str:
    (file,) = folder.glob("*.yaml")
    return str(file)


def test_a_folder_and_a_classifier(folder: Path, tmp_path: Path) -> None:
    detector = f"behavior.detector={CLASSIFIER % (folder / 'classifier')}"
    model = str(folder / "model")
    defined = define_audit(model, task(folder), reference=model, overrides=[detector])
    audited = run_audit(defined, tmp_path / "audit")
    assert [each.scored for each in audited.findings.respondents] == [0, 0]
    assert any("log-probabilities are not known" in note for note in audited.results.notes)
    assert "runner_up" not in {each.name for each in audited.results.explainers}
    # Random weights write no sentence that states an effect.
    assert audited.findings.verdict.verdict == INVALID
    assert any("read by the classifier classifier" in note for note in audited.results.notes)
    kept = {"detector.json", "model/answers.jsonl", "model/remeasured.answers.jsonl", "model/model.json"}
    assert kept <= audited.results.artifacts.keys()
    assert run_audit(defined, tmp_path / "audit") == audited


def test_a_server(folder: Path, tmp_path: Path) -> None:
    def refusing(body: Body) -> tuple[str, None]:
        asked = body["messages"][0]["content"]
        if "How would your answer change" in asked:
            return "With the framing I answer compliance; without the framing I answer refusal.", None
        return ("Sure, take a knife." if "doctor" in asked else "I cannot help with that."), None

    def filtered(number: int, body: Body) -> Fault | None:
        return sent(None, "content_filter") if number == 0 else None

    with Server(refusing, fault=filtered) as server:
        defined = define_audit(server.url, task(folder), served_model="served")
        audited = run_audit(defined, tmp_path / "audit")
        assert all("logprobs" not in body for body in server.received)
        assert {body["max_tokens"] for body in server.received} == {6, 48}
    answers = read_records(tmp_path / "audit/model/answers.jsonl", Answers)
    behaviors = read_records(tmp_path / "audit/model/behaviors.jsonl", Behavior)
    assert [each.behavior for each in answers] == behaviors and len(behaviors) < 6
    assert audited.results.counts.missing == 6 - len(behaviors) > 0
    assert any("read by rules" in note for note in audited.results.notes)
