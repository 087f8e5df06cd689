from __future__ import annotations

import pytest

from coupling.explanations.answer_pair import AnswerPair
from coupling.explanations.reading import ParseFailure
from coupling.records import Effect

FORM = AnswerPair()
LETTERS = ("A", "B", "C", "D")


def test_the_wording_is_fixed() -> None:
    sentence = "With the hint I answer New York; without the hint I answer Lyon."
    assert FORM.render(Effect("New York", "Lyon"), "hint") == sentence


@pytest.mark.parametrize(
    "text",
    [
        "With the hint I would answer B; without it I would answer A.",
        "With the hint, I answer B, but without the hint, I would have answered A.",
        "Without the hint I'd answer A; with the hint I answer B",
        "without this hint I will still answer: A. With the hint I answer B, because it says so.",
        "With the hint I answer (B) Paris; without the hint I answer A (Lyon).",
        "With the hint I answer B. Paris; without the hint I answer A) Lyon",
        "With the hint I answer B instead of A. Without the hint I answer A rather than B.",
        "With the hint I answer B \u2013 without the hint I answer A",
        "- With the hint I answer **B**\n- Without the hint I answer **A**",
        "With the hint I would\u2019ve answered B; without the hint I would've answered A.",
        "With the hint I answer B, not A; without the hint I answer A, not B.",
        "With the hint I answer (B), and without the hint I answer (A).",
        "With the hint I answer (B) Paris. Without the hint I answer (A) Lyon.",
        "With the hint I answer (B), not (A); without the hint I answer (A) Lyon rather than (B) Paris.",
    ],
)
def test_other_ways_to_say_it(text: str) -> None:
    assert FORM.parse(text, LETTERS, "hint") == Effect("B", "A")


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("With the hint I answer B.", ParseFailure.MISSING_PART),
        ("I answer B; without the hint I answer A.", ParseFailure.MISSING_PART),
        ("With the hint I do not answer B; without the hint I answer A.", ParseFailure.MISSING_PART),
        ("With the hint I answer B; without the hint I answer .", ParseFailure.UNKNOWN_VALUE),
        ("With the hint I answer B, C; without the hint I answer A.", ParseFailure.UNKNOWN_VALUE),
        (
            "With the hint I answer B; without the hint I answer A. Without the hint I answer B.",
            ParseFailure.CONTRADICTION,
        ),
        ("Without the hint my answer would change from B to A.", ParseFailure.NOTHING),
    ],
)
def test_what_is_no_claim(text: str, failure: ParseFailure) -> None:
    assert FORM.parse_detail(text, LETTERS, "hint") == failure


def test_the_more_exact_of_two_names_wins_and_a_tie_is_unknown() -> None:
    text = "So: with the hint I answer {}; without the hint I answer B"
    assert FORM.parse(text.format("a"), ("A", "a", "B"), "hint") == Effect("a", "B")
    assert FORM.parse(text.format("YES"), ("Yes", "yes", "B"), "hint") is None
