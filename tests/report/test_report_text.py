"""Text that is safe to show, and figures in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.records import Estimate
from coupling.report.text import clipped, in_words, interval, number, typeset
from coupling.shown import one_line, plain


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b1mbold", "bold"),
        ("\x1b]8;;https://a.b\x07link\x1b]8;;\x1b\\", "link"),
        ("a\x00b\x7fc\x85d", "abcd"),
        ("left\u202eright\u2066", "leftright"),
        ("lone \ud800", "lone \ufffd"),
        ("kept:\ttabs\nand lines, é, 漢, 😀", "kept:\ttabs\nand lines, é, 漢, 😀"),
        ("[red] stays", "[red] stays"),
    ],
)
def test_control_characters_are_taken_out(said: str, shown: str) -> None:
    assert plain(said) == shown


@given(st.text(st.characters(), max_size=40))
def test_plain_text_can_be_written_and_stays_as_it_is(said: str) -> None:
    shown = plain(said)
    assert shown.encode("utf-8").decode("utf-8") == shown == plain(shown)
    assert all(character in "\t\n" or character.isprintable() or ord(character) > 159 for character in shown)
    assert "\n" not in one_line(said)


def test_long_text_says_what_was_left_out() -> None:
    assert clipped("abcdef", 4) == "abcd … (2 more characters)"
    assert clipped("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("value", "signed", "written"),
    [
        (None, True, "n/a"),
        (0.0, False, "0.000"),
        (-0.0001, True, "0.000"),
        (0.0006, True, "+0.001"),
        (-0.25, False, "\N{MINUS SIGN}0.250"),
    ],
)
def test_numbers(value: float | None, signed: bool, written: str) -> None:
    assert number(value, signed=signed) == written


def test_intervals_are_written_only_where_there_are_some() -> None:
    whole = Estimate(value=0.5, low=0.4, high=0.6, n=10, clusters=5)
    few = Estimate(value=0.5, low=None, high=None, n=10, clusters=1)
    none = Estimate(value=None, low=None, high=None, n=0, clusters=0)
    assert interval(whole, signed=True) == "[+0.400, +0.600]"
    assert [in_words(each) for each in (whole, few, none)] == ["0.500 [0.400, 0.600]", "0.500 n/a", "n/a"]


def test_typeset_sentences_do_not_break_within_a_figure() -> None:
    assert typeset("Δ = -0.14 [-0.25, -0.06], low-rank") == (
        "Δ\u00a0=\u00a0\N{MINUS SIGN}0.14 [\N{MINUS SIGN}0.25,\u00a0\N{MINUS SIGN}0.06], low-rank"
    )
