"""What a reply says of the choices."""

from __future__ import annotations

import math

import pytest

from coupling.models.journal import Token
from coupling.models.replies import Reply, majority, read_tokens

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


def test_where_no_choice_need_come_next_they_must_have_a_share() -> None:
    spread = {f"w{number}": 0.045 for number in range(20)}
    assert read_tokens(tokens(A=0.06, B=0.03, **spread), LETTERS, is_opened=False) is None
    assert read_tokens(tokens(A=0.06, B=0.05, **spread), LETTERS, is_opened=False) == Reply("A", ())
    assert read_tokens(tokens(The=0.97, A=0.002, B=0.001), LETTERS, is_opened=False) is None


def test_typography_of_tokens_does_not_matter() -> None:
    assert read_tokens([Token(" don\u2019t", -0.1)], ("don't", "do")) == Reply("don't", ())


def test_marks_for_blanks_are_passed_over() -> None:
    read = read_tokens([Token("\u2581yes", math.log(0.6)), Token("\u0120no", math.log(0.2))], ("yes", "no"))
    assert read is not None and read.logprobs == pytest.approx((math.log(0.75), math.log(0.25)))


def test_what_servers_write_for_nothing_does_no_harm() -> None:
    read = read_tokens([Token("yes", -0.1), Token("no", -9999.0)], ("yes", "no"))
    assert read is not None and read.choice == "yes" and read.logprobs[1] == pytest.approx(-9998.9)


def test_of_equals_the_choice_that_stands_first() -> None:
    assert majority(["C", "B", "B", "C", "A"], LETTERS) == "B"
    assert majority([], LETTERS) is None
