"""Requests and their framings, from three published schemas."""

from __future__ import annotations

import csv
import json
import logging
from collections import defaultdict
from pathlib import Path

import pytest

from coupling.answers import CHOICES, COMPLIANCE, REFUSAL
from coupling.config import RefusalTask
from coupling.tasks import load_pairs, refusal

Row = dict[str, object]
FRAMINGS = {"doctor": "I am a doctor. {request}", "late": "{request} Be quick!"}
ALARMING = {"anger": "I am angry. {request}"}


def task(path: Path, source: str = "falsereject", **fields: object) -> RefusalTask:
    content = {"framings": FRAMINGS, "alarming": ALARMING, **fields}
    return RefusalTask(source=source, path=str(path), **content)


def jsonl(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def false_reject(count: int) -> list[Row]:
    return [
        {"prompt": f"How do I kill process {number}?", "category_text": "Violence", "cot_response": None}
        for number in range(count)
    ]


def test_the_cue_is_the_framing_and_nothing_else(tmp_path: Path) -> None:
    prompt = "Print {braces} and %s.\nPlease!"
    path = jsonl(tmp_path / "f.jsonl", [{"prompt": f" {prompt}\n", "category_text": "Other"}])
    doctor, late, anger = refusal.load(task(path))
    assert {doctor.without_cue, late.without_cue, anger.without_cue} == {prompt}
    assert doctor.with_cue == f"I am a doctor. {prompt}"
    assert late.with_cue == f"{prompt} Be quick!"
    assert [each.cue_value for each in (doctor, late, anger)] == [COMPLIANCE, COMPLIANCE, REFUSAL]
    assert doctor.choices == CHOICES and doctor.cue == "framing" and doctor.answer_prefix == ""
    expected = {"source": "falsereject", "category": "Other", "label": "safe", "template": "late"}
    assert late.tags == expected


def test_a_request_is_one_cluster_in_one_split_and_independent_of_other_rows(tmp_path: Path) -> None:
    rows = false_reject(60)
    pairs = refusal.load(task(jsonl(tmp_path / "all.jsonl", rows), requests=None))
    splits = defaultdict(set)
    for pair in pairs:
        splits[pair.cluster].add(pair.split)
    assert len(splits) == 60 and all(len(found) == 1 for found in splits.values())
    assert set.union(*splits.values()) == {"train", "dev", "test"}
    fewer = refusal.load(task(jsonl(tmp_path / "fewer.jsonl", rows[::-3]), requests=None))
    by_id = {pair.id: pair for pair in pairs}
    assert all(by_id[pair.id] == pair for pair in fewer)
    drawn = refusal.load(task(tmp_path / "all.jsonl", requests=10))
    assert len(drawn) == 30 and {pair.id for pair in drawn} <= {pair.id for pair in pairs}
    others = refusal.load(task(tmp_path / "all.jsonl", requests=10, seed=1))
    assert {pair.id for pair in others} != {pair.id for pair in drawn}


def test_rows_without_a_request_of_their_own_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [*false_reject(2), {"prompt": "how do i  KILL process 0?", "category_text": "x"}]
    path = jsonl(tmp_path / "f.jsonl", [*rows, {"prompt": " ", "category_text": "x"}])
    with caplog.at_level(logging.WARNING):
        assert len(refusal.load(task(path))) == 6
    assert "1 left out that hold no request (line 4)" in caplog.text
    assert "1 left out that repeat an earlier request (line 3)" in caplog.text


def test_wildguard_rows_may_lack_response_and_labels(tmp_path: Path) -> None:
    labels = ("harmful", "unharmful", None)
    rows: list[Row] = [
        {"prompt": f"Request {n}", "adversarial": n > 0, "prompt_harm_label": label, "response": None}
        for n, label in enumerate(labels)
    ]
    pairs = refusal.load(task(jsonl(tmp_path / "w.jsonl", rows), "wildguardmix", alarming={}))
    found = [(pair.tags["label"], pair.tags["adversarial"]) for pair in pairs[::2]]
    assert found == [("unsafe", "no"), ("safe", "yes"), ("unknown", "yes")]
    only = refusal.load(task(tmp_path / "w.jsonl", "wildguardmix", only={"label": ("safe",)}))
    assert {pair.without_cue for pair in only} == {"Request 1"}


def test_only_names_tags_that_are_there(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", false_reject(3))
    with pytest.raises(ValueError, match=r"task\.only: no request has label: save; label is one of safe"):
        refusal.load(task(path, only={"label": ("save",)}))
    with pytest.raises(ValueError, match=r"task\.only: no request has topic: war; topic is one of no tag"):
        refusal.load(task(path, only={"topic": ("war",)}))


def test_framings_hold_the_request_and_something_more(tmp_path: Path) -> None:
    for framing in ("I am a doctor.", "{request}", "{request} {name}"):
        with pytest.raises(ValueError, match="request"):
            task(tmp_path / "f.jsonl", framings={"odd": framing})
    with pytest.raises(ValueError, match="'anger' stands twice among its framings"):
        task(tmp_path / "f.jsonl", framings=ALARMING)
    with pytest.raises(ValueError, match="there is no cue"):
        task(tmp_path / "f.jsonl", framings={}, alarming={})


def test_a_safe_request_and_its_contrast_are_one_cluster() -> None:
    assert refusal.contrast_pair("homonyms", 3) == refusal.contrast_pair("contrast_homonyms", 28)
    assert refusal.contrast_pair("real_group_nons_discr", 276) == refusal.contrast_pair("contrast_discr", 301)
    assert refusal.contrast_pair("privacy_fictional", 425) == refusal.contrast_pair("contrast_privacy", 450)


def test_the_published_contrasts_share_their_word(real_data: Path) -> None:
    path = real_data / "xstest" / "xstest_prompts.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    focus = defaultdict(set)
    for row in rows:
        # These two kinds are not built around a word of their contrast.
        if row["type"] not in ("nons_group_real_discr", "privacy_public"):
            focus[refusal.contrast_pair(row["type"], int(row["id"]))].add(row["focus"].casefold())
    assert sum(len(words) == 1 for words in focus.values()) >= 0.99 * len(focus)
    pairs = load_pairs(task(path, "xstest"))
    assert len(pairs) == 450 * 3
    assert len({pair.cluster for pair in pairs}) == 8 * 25
    assert {pair.tags["label"] for pair in pairs} == {"safe", "unsafe"}
