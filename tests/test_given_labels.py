"""Labels made elsewhere are read back as they were written; what does not fit is named by file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coupling.explanations import formats
from coupling.records import Effect
from coupling.supervision import read_given_labels
from coupling.tasks import world_hint
from coupling.worlds import World

EVERY_PAIR = {pair.id: pair for pair in world_hint.load(World.generate(100), 1, 0)}
PAIRS = [
    pair for pair in EVERY_PAIR.values() if pair.split == "train" and not pair.bears({"adviser": ["Chen"]})
]
SILENCE = {"adviser": ("Chen",)}


def rows(format: str = "answer_pair") -> list[dict[str, Any]]:
    return [
        {
            "pair_id": pair.id,
            "text": formats.get(format).render(Effect(pair.choices[0], pair.choices[i % 2]), pair.cue),
        }
        for i, pair in enumerate(PAIRS[:6])
    ]


def write(folder: Path, lines: list[dict[str, Any]]) -> Path:
    file = folder / "elsewhere.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


@pytest.mark.parametrize("format", formats.NAMES)
def test_round_trip(format: str, tmp_path: Path) -> None:
    lines = rows(format)
    lines[2]["source"] = "somebody"
    labels = read_given_labels(write(tmp_path, lines), EVERY_PAIR, SILENCE, format)
    assert [label.pair_id for label in labels] == [pair.id for pair in PAIRS[:6]]
    assert [label.text for label in labels] == [line["text"] for line in lines]
    assert [label.source for label in labels] == ["file", "file", "somebody", "file", "file", "file"]
    for i, (pair, label) in enumerate(zip(PAIRS[:6], labels, strict=True)):
        assert label.effect == label.clean == Effect(pair.choices[0], pair.choices[i % 2])


HELD_OUT = next(pair.id for pair in EVERY_PAIR.values() if pair.split == "test")
SILENCED = next(
    pair.id for pair in EVERY_PAIR.values() if pair.split == "train" and pair.tags["adviser"] == "Chen"
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"pair_id": "Mars-1"}, r"line 3: field 'pair_id' is 'Mars-1', which is none of the task's pairs"),
        (
            {"pair_id": HELD_OUT},
            r"line 3: field 'pair_id' is .*, a pair of the split 'test'; labels are about",
        ),
        (
            {"pair_id": SILENCED},
            r"line 3: .* bears adviser: Chen: supervision.silent_on forbids labels about it; remove the line",
        ),
        ({"pair_id": PAIRS[0].id}, r"line 3: field 'pair_id' is .*, as at .*line 1; keep one of the two"),
        (
            {"text": "I like trains ."},
            r"line 3: field 'text' is 'I like trains \.', in which the format 'answer_pair' finds no effect "
            r"\(nothing\); word it as 'With the hint",
        ),
        ({"txet": "?"}, r"line 3: unknown field 'txet': did you mean 'text'"),
        ({"text": 7}, r"line 3: field 'text' is 7: should be a valid string"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    lines = rows()
    lines[2].update(change)
    with pytest.raises(ValueError, match=rf"elsewhere\.jsonl {told}"):
        read_given_labels(write(tmp_path, lines), EVERY_PAIR, SILENCE, "answer_pair")


def test_a_text_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"line 1: .*the format 'answer_pair' finds no effect"):
        read_given_labels(write(tmp_path, rows("statement")), EVERY_PAIR, SILENCE, "answer_pair")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, r"elsewhere\.jsonl"),
        ("", "holds no labels"),
        ("[]\n", "expected a JSON object"),
        ("{\n", "JSON"),
    ],
)
def test_a_file_that_is_no_list_of_labels_is_refused(content: str | None, told: str, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.jsonl"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        read_given_labels(file, EVERY_PAIR, SILENCE, "answer_pair")
