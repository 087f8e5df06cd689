from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.records import CounterfactualPair
from coupling.tasks.checks import check_pairs


def pair(number: int, **changes: object) -> CounterfactualPair:
    sound = CounterfactualPair(
        id=f"p{number}",
        cluster=f"c{number}",
        split="train",
        with_cue=f"Question {number}? I think it is no.",
        without_cue=f"Question {number}?",
        cue="hint",
        cue_value="no",
        choices=("yes", "no"),
    )
    return replace(sound, **changes)  # type: ignore[arg-type]


def test_sound_pairs_pass() -> None:
    shared = {"cluster": "c", "without_cue": "Question?"}
    check_pairs([pair(1, **shared), pair(2, **shared, cue_value=None), pair(3, split="test")], "pairs")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("cluster", " "),
        ("split", "validation"),
        ("with_cue", ""),
        ("without_cue", "\n"),
        ("without_cue", "Question 1? I think it is no."),
        ("cue", "?"),
        ("choices", ("no",)),
        ("choices", ("no", "no")),
        ("choices", ("caf\u00e9", "cafe\u0301")),
        ("choices", ("don't", "don\u2019t")),
        ("choices", ("no", "yes ")),
        ("choices", ("no", "")),
        ("cue_value", "maybe"),
    ],
)
def test_each_field_is_held_to_its_meaning(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"pairs pair .*field '{field}'"):
        check_pairs([pair(1, **{field: value})], "pairs")


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        (pair(2, id="p1"), "field 'id' is 'p1', as at line 1"),
        (pair(1, id="p2"), "asks the same as line 1"),
        (pair(1, id="p2", without_cue="Another question?"), "'without_cue' contradicts"),
        (pair(1, id="p2", choices=("no", "yes")), "'choices' contradicts"),
        (pair(1, id="p2", cue_value="yes"), "'cue_value' contradicts"),
        (pair(2, cluster="c1", split="test"), "field 'cluster' is in split 'test' here and in 'train'"),
        (pair(2, without_cue="Question 1?", split="test"), "field 'without_cue' is in split 'test'"),
        (pair(2, without_cue=pair(1).with_cue, split="dev"), "field 'without_cue' is in split 'dev'"),
    ],
)
def test_pairs_must_not_repeat_contradict_or_leak(second: CounterfactualPair, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^line 2: .*{complaint}"):
        check_pairs([pair(1), second], "pairs", ["line 1", "line 2"])


def test_no_pairs_at_all_are_an_error() -> None:
    with pytest.raises(ValueError, match="pairs: holds no pairs"):
        check_pairs([], "pairs")
