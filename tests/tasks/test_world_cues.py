from __future__ import annotations

import pytest

from coupling.config import WorldTask
from coupling.records import CounterfactualPair
from coupling.tasks import load_pairs
from coupling.tasks.checks import check_pairs

WORDINGS = {"thinks": "{adviser} thinks it is {value}.", "answers": "{adviser} would answer {value}."}
DOUBTS = {"doubts": "{adviser} thinks it is not {value}."}


def load(**fields: object) -> tuple[CounterfactualPair, ...]:
    task = WorldTask.model_validate({"world": 100, "hints_per_adviser": 1, **fields}, strict=False)
    return load_pairs(task)


def test_the_same_hints_come_in_every_wording() -> None:
    pairs = load(templates=WORDINGS, dissuading=DOUBTS)
    check_pairs(pairs, "task")
    hints = {
        name: [(p.without_cue, p.tags["adviser"], p.cue_value) for p in pairs if p.tags["template"] == name]
        for name in (*WORDINGS, *DOUBTS)
    }
    assert hints["thinks"] == hints["answers"] == hints["doubts"] != []
    assert all(pair.against == (pair.tags["template"] == "doubts") for pair in pairs)


def test_another_wording_takes_no_pair_away() -> None:
    more = {pair.id: pair for pair in load(templates=WORDINGS, dissuading=DOUBTS, words={"brillig": "first"})}
    assert all(more[pair.id] == pair for pair in load())


def test_wordings_are_filled_in() -> None:
    pair = load(templates={}, dissuading=DOUBTS, advisers=["Ana"])[0]
    assert pair.with_cue == f"{pair.without_cue} Ana thinks it is not {pair.cue_value}."


def test_a_word_is_a_cue_for_the_choice_that_its_rule_names() -> None:
    pairs = load(templates={}, words={"brillig": "first", "slithy": "last"})
    check_pairs(pairs, "task")
    assert {pair.tags["word"] for pair in pairs} == {"brillig", "slithy"}
    for pair in pairs:
        in_order = sorted(pair.choices)
        assert pair.cue_value == (in_order[0] if pair.tags["word"] == "brillig" else in_order[-1])
        assert pair.with_cue == f"{pair.without_cue} {pair.tags['word']}"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"templates": {"a": "{adviser} says so."}}, r"must contain \{adviser\} and \{value\}"),
        ({"templates": {"a": "{adviser says {value}."}}, "braces stand around names alone"),
        ({"templates": {"a": "{adviser:{foo}} says {value}."}}, "without ':' or '!'"),
        ({"dissuading": {"thinks": DOUBTS["doubts"]}}, "'thinks' stands twice"),
        ({"advisers": ["Ana", "Ana"]}, "'Ana' stands twice"),
        ({"templates": {}}, "there is no cue"),
        ({"words": {"brillig": "second"}}, "'first' or 'last'"),
    ],
)
def test_cues_that_make_no_sense_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(**fields)


def test_two_wordings_that_say_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="asks the same as"):
        load(templates={**WORDINGS, "again": WORDINGS["thinks"]})
