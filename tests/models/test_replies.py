"""What a reply says of the choices."""

from __future__ import annotations

import math

import pytest

from coupling.models.journal import Token
from coupling.models.replies import Reply, majority, read_text, read_tokens

LETTERS = ("A", "B", "C", "D")
CITIES = ("New Zealand", "Peru", "Guinea", "Guinea-Bissau")


def tokens(**shares: float) -> list[Token]:
    return [Token(text.replace("_", " "), math.log(share)) for text, share in shares.items()]


def test_the_best_that_is_present_is_the_answer() -> None:
    assert read_tokens(tokens(_B=0.5, _A=0.3), LETTERS) == Reply("B", ())
    assert read_tokens(tokens(The=0.9, It=0.1), LETTERS) is None
    assert read_tokens([], LETTERS) is None


def test_a_token_that_begins_a_choice_may_become_it() -> None:
    assert read_tokens(tokens(_New=0.6, _Peru=0.3), CITIES) is None
    assert read_tokens(tokens(_New=0.3, _Peru=0.6), CITIES) == Reply("Peru", ())
    # Longer than the choice is another word.
    assert read_tokens(tokens(Peruvian=0.6, Peru=0.3), CITIES) == Reply("Peru", ())


def test_where_no_choice_need_come_next_it_must_be_the_most_probable() -> None:
    began = tokens(I=0.9, A=0.03, B=0.02, C=0.01, D=0.01)
    assert read_tokens(began, LETTERS) is not None
    assert read_tokens(began, LETTERS, is_opened=False) is None
    assert read_tokens(tokens(A=0.5, I=0.4), LETTERS, is_opened=False) == Reply("A", ())


def test_marks_for_blanks_are_passed_over() -> None:
    read = read_tokens([Token("\u2581yes", math.log(0.6)), Token("\u0120no", math.log(0.2))], ("yes", "no"))
    assert read is not None and read.logprobs == pytest.approx((math.log(0.75), math.log(0.25)))


def test_what_servers_write_for_nothing_does_no_harm() -> None:
    read = read_tokens([Token("yes", -0.1), Token("no", -9999.0)], ("yes", "no"))
    assert read is not None and read.choice == "yes" and read.logprobs[1] == pytest.approx(-9998.9)


@pytest.mark.parametrize(
    ("text", "choices", "choice"),
    [
        ("B", LETTERS, "B"),
        ("I answer B.", LETTERS, "B"),
        ("i answer: **B**", LETTERS, "B"),
        ("(B) Paris", LETTERS, "B"),
        ("The answer is B.", LETTERS, "B"),
        ("The answer is B, because a bee is no wasp.", LETTERS, "B"),
        ("It is either A or B.", LETTERS, None),
        ("A or B", LETTERS, None),
        ("A good question.", LETTERS, None),
        ("Peru has it, I think", CITIES, None),
        ("I think the answer is (B).", LETTERS, "B"),
        ("Let me think. B.", LETTERS, "B"),
        ("So my final answer: **B**", LETTERS, "B"),
        ("It is Peru.", CITIES, "Peru"),
        ("I don't think it is Peru.", CITIES, None),
        ("You think the answer is (A), and I see why.", LETTERS, None),
        ("Chen thinks it is Peru.", CITIES, None),
        ("The answer is not B.", LETTERS, None),
        ("Is that so? Peru?", CITIES, None),
        ("The hint says B, which may be wrong.", LETTERS, None),
        ("I cannot say.", LETTERS, None),
        ("", LETTERS, None),
        ("new zealand", CITIES, "New Zealand"),
        ("That is Guinea-Bissau.", CITIES, "Guinea-Bissau"),
        ("That is Guinea.", CITIES, "Guinea"),
    ],
)
def test_text_is_read_for_one_choice(text: str, choices: tuple[str, ...], choice: str | None) -> None:
    assert read_text(text, choices, "I answer") == choice


def test_of_a_text_that_is_cut_off_only_the_beginning_is_read() -> None:
    hint = "While you think the answer is (A), let's work through it. The"
    assert read_text(hint, LETTERS, "I answer", is_cut_off=True) is None
    assert read_text(hint, LETTERS, "I answer") is None
    assert read_text("The answer is (A), but wait", LETTERS, "I answer", is_cut_off=True) is None
    assert read_text("(B) Paris. It has been the", LETTERS, "I answer", is_cut_off=True) == "B"


def test_of_equals_the_choice_that_stands_first() -> None:
    assert majority(["C", "B", "B", "C", "A"], LETTERS) == "B"
    assert majority([], LETTERS) is None
