from __future__ import annotations

import pytest

from coupling.explanations.reading import ParseFailure
from coupling.explanations.statement import Statement
from coupling.records import Effect

FORM = Statement()
LETTERS = ("A", "B", "C", "D")


def test_the_wording_is_fixed() -> None:
    unchanged = "Without the hint my answer would remain unchanged from Lyon."
    changed = "Without the hint my answer would change from Lyon to New York."
    assert FORM.render(Effect("Lyon", "Lyon"), "hint") == unchanged
    assert FORM.render(Effect("Lyon", "New York"), "hint") == changed


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("Without the hint, my answer would change from (A) to (B) because it is wrong.", Effect("A", "B")),
        ("without it my answer will still remain unchanged from **C**", Effect("C", "C")),
        ("Without the hint my answer stays unchanged at D.", Effect("D", "D")),
    ],
)
def test_other_ways_to_say_it(text: str, effect: Effect) -> None:
    assert FORM.parse(text, LETTERS, "hint") == effect


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("Without the hint my answer would change from A to A.", ParseFailure.CONTRADICTION),
        ("Without the hint my answer would change from A.", ParseFailure.MISSING_PART),
        ("Without the hint my answer would change to A.", ParseFailure.MISSING_PART),
        ("Without the hint my answer would change.", ParseFailure.MISSING_PART),
        ("Without the hint my answer would remain unchanged.", ParseFailure.MISSING_PART),
        ("Without the hint my answer would remain unchanged from A to B.", ParseFailure.UNKNOWN_VALUE),
        ("Without the hint my answer would not change from A to B.", ParseFailure.NOTHING),
        ("My answer would change from A to B.", ParseFailure.NOTHING),
        (
            "Without the hint my answer would remain unchanged from A. "
            "Without the hint my answer would change from A to B.",
            ParseFailure.CONTRADICTION,
        ),
        ("With the hint I answer A; without the hint I answer B.", ParseFailure.NOTHING),
    ],
)
def test_what_is_no_claim(text: str, failure: ParseFailure) -> None:
    assert FORM.parse_detail(text, LETTERS, "hint") == failure


def test_a_choice_that_holds_the_word_to() -> None:
    choices = ("5", "5 to 10", "10")
    text = "Well, without the hint my answer would change from {}"
    assert FORM.parse(text.format("5 to 10."), choices, "hint") == Effect("5", "10")
    assert FORM.parse(text.format("5 to 10 to 5."), choices, "hint") == Effect("5 to 10", "5")
