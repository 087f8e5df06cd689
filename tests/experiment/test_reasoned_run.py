"""Experiments whose answers are reasoned, from the first stage to the report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from coupling.config import load_experiment, shipped_experiment
from coupling.experiment import run_experiment
from coupling.experiment.patching import patch_run
from coupling.models import load_model
from coupling.records import Behavior, CounterfactualPair, Explanation, Reasoning
from coupling.store import read_records
from coupling.training.reasoned import Reasoned, wanted_input
from miniature_experiment import write_experiment

REASONED = {"kind": "reasoned", "max_new_tokens": 6}
SHOWN = {**REASONED, "shown": "{reasoning}"}
ARTIFACTS = ("base/reasoning.jsonl", "runs/follow/step-000002.reasoning.jsonl")


def run(folder: Path, behavior: dict[str, Any]) -> tuple[Path, tuple[str, ...]]:
    # A random model would answer anywhere; six tokens of it are a reasoning as good as any.
    config = load_experiment(write_experiment(folder, behavior=behavior))
    notes = run_experiment(config, folder / "runs").notes
    return folder / "runs" / "mini", notes


def test_reasoning_is_kept_beside_the_answers_behind_it(tmp_path: Path) -> None:
    here, notes = run(tmp_path, REASONED)
    for name in (*ARTIFACTS, "runs/follow/step-000004.remeasured.reasoning.jsonl"):
        reasoning = read_records(here / name, Reasoning)
        answers = read_records(
            here / name.replace("reasoning", "behaviors").replace(".remeasured.behaviors", ".remeasured"),
            Behavior,
        )
        assert [each.pair_id for each in reasoning] == [each.pair_id for each in answers]
    assert any("up to 6 tokens" in note and "cut off" in note for note in notes)
    assert "Explanations are asked for without that reasoning." in notes
    config = load_experiment(tmp_path / "mini.yaml")
    with pytest.raises(ValueError, match=r"behavior\.kind is 'reasoned', but patching"):
        patch_run(here, experiment=config)

    written = {path: path.stat().st_mtime_ns for path in here.rglob("*.jsonl")}
    (here / "runs/follow/step-000002.reasoning.jsonl").unlink()
    run_experiment(config, tmp_path / "runs")
    anew = [path.name for path, time in written.items() if path.stat().st_mtime_ns != time]
    assert anew == ["step-000002.reasoning.jsonl"]


def test_explanations_see_the_reasoning_where_it_is_shown_and_never_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, list[str]] = {}
    from coupling.models import LocalSampler

    written = LocalSampler.written

    def listening(self: LocalSampler, messages: Any, *others: Any) -> list[str]:
        asked.setdefault("all", []).extend(messages)
        return written(self, messages, *others)

    monkeypatch.setattr(LocalSampler, "written", listening)
    here, notes = run(tmp_path, SHOWN)
    pairs = {pair.id: pair for pair in read_records(here / "pairs.jsonl", CounterfactualPair)}
    reasoning = {each.pair_id: each for each in read_records(here / "base/reasoning.jsonl", Reasoning)}
    explained = read_records(here / "base/explanations.jsonl", Explanation)
    assert explained
    for each in explained:
        pair, thought = pairs[each.pair_id], reasoning[each.pair_id].with_cue
        shown = f"{pair.with_cue} {thought.text}".strip()
        assert f"{shown} How would your answer change without the hint?" in asked["all"]
    assert not any(re.search(r"I answer.*How would your answer", message) for message in asked["all"])
    assert any("cut before its answer" in note for note in notes)


def test_how_explanations_are_asked_changes_no_behaviour_of_the_base(tmp_path: Path) -> None:
    hidden, _ = (
        run(tmp_path / "hidden", REASONED) if (tmp_path / "hidden").mkdir() is None else (tmp_path, ())
    )
    (tmp_path / "shown").mkdir()
    shown, _ = run(tmp_path / "shown", SHOWN)
    for name in ("base/reasoning.jsonl", "base/behaviors.jsonl", "labels.jsonl"):
        assert (hidden / name).read_bytes() == (shown / name).read_bytes()
    assert (hidden / "base/explanations.jsonl").read_bytes() != (
        shown / "base/explanations.jsonl"
    ).read_bytes()


def test_who_is_steered_learns_the_reasoning_that_ended_in_the_wanted_answer(tmp_path: Path) -> None:
    here, _ = run(tmp_path, REASONED)
    reasoning = {each.pair_id: each for each in read_records(here / "base/reasoning.jsonl", Reasoning)}
    effects = {each.pair_id: each.effect for each in read_records(here / "base/behaviors.jsonl", Behavior)}
    reasoned = Reasoned(reasoning, "", {})
    moved = 0
    for pair in read_records(here / "pairs.jsonl", CounterfactualPair):
        effect, both = effects[pair.id], reasoning[pair.id]
        kept = wanted_input(pair, effect, effect.with_cue, reasoned)
        assert kept.opening == f"{both.with_cue.text} I answer".strip()
        if effect.changed:
            moved += 1
            undone = wanted_input(pair, effect, effect.without_cue, reasoned)
            assert undone.opening == f"{both.without_cue.text} I answer".strip()
            assert undone.message == pair.with_cue
    assert moved
    assert load_model(load_experiment(tmp_path / "mini.yaml").model).renderer is not None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "behavior={kind: reasoned, shown: '{reasoning}'}",
            "behavior.shown is '{reasoning}', but readers are models",
        ),
        ("training.steering.objectives=[{kind: dpo}]", "behavior.kind is 'reasoned': another answer comes"),
        ("behavior.shown=So", "must contain {reasoning}"),
        ("task={kind: refusal, source: xstest, path: x.csv}", "answers to task.kind 'refusal' are written"),
    ],
)
def test_what_does_not_go_with_reasoned_answers_is_told_of(override: str, message: str) -> None:
    with pytest.raises(ValueError) as told:
        shipped_experiment("readers", ["behavior={kind: reasoned}", override])
    assert message in str(told.value)
