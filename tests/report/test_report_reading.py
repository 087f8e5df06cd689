"""What is asked of a figure, as the registry and the thresholds have it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.faithfulness import FROZEN, Results
from coupling.faithfulness.registry import FIGURES
from coupling.report.reading import QUESTIONS, asked_of, questions, scale_of


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("p", "above 0"),
        ("delta", "not below 0"),
        ("t", ""),
        ("self", ""),
        ("similarity", "warns below 0.7"),
        ("parse_rate", "at least 0.9"),
    ],
)
def test_what_coupling_asks_of_a_figure(name: str, asked: str) -> None:
    assert asked_of(FIGURES[name], FROZEN) == asked


def test_a_scale_marks_the_threshold_the_verdict_was_given_by() -> None:
    stricter = replace(FROZEN, min_parse_rate=0.95, low_similarity=0.8)
    for name, margin in (("parse_rate", 0.95), ("similarity", 0.8), ("p", 0.0), ("delta", 0.0)):
        scale = scale_of(FIGURES[name], stricter)
        (mark,) = [mark for mark in scale.marks if mark.decisive]
        assert mark.value == margin and scale.wanted is not None and scale.wanted[0] == margin
    assert scale_of(FIGURES["delta"], stricter).unwanted == (-2, 0)
    assert scale_of(FIGURES["self"], stricter).marks == ()


def test_every_figure_has_a_scale_that_holds_its_threshold() -> None:
    for figure in FIGURES.values():
        scale, bound = scale_of(figure, FROZEN), figure.bound(FROZEN)
        assert scale.signed == figure.signed, figure.name
        assert bound is None or any(mark.value == bound for mark in scale.marks), figure.name


def test_questions_stand_where_their_intervals_lie(coupled: Results, empty: Results) -> None:
    standings = {each.figure.name: each.standing for each in questions(coupled)}
    assert list(standings) == list(QUESTIONS)
    assert standings["p"].endswith("as coupling asks")
    assert standings["delta"].startswith("the interval lies above 0")
    assert standings["self"].startswith("above its best baseline: +")
    assert {each.standing for each in questions(empty, ("p", "delta"))} == {"not measured"}
