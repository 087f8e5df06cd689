"""One spelling of what is typed in several ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.spelling import spelled


@pytest.mark.parametrize("apostrophe", ["'", "\u2019", "\u2018", "\u02bc", "`", "\u00b4"])
def test_apostrophes_are_one(apostrophe: str) -> None:
    assert spelled(f"I don{apostrophe}t know") == "I don't know"


def test_letters_hyphens_and_what_nobody_sees() -> None:
    assert spelled("cafe\u0301 Guinea\u2011Bissau \u22125\u200b") == "caf\u00e9 Guinea-Bissau -5"


def test_what_looks_different_stays_different() -> None:
    assert spelled("x\u00b2") != spelled("x2")
    assert spelled("`B`") == "`B`"


@given(st.text(max_size=40))
def test_spelled_twice_is_spelled_once(text: str) -> None:
    assert spelled(spelled(text)) == spelled(text)
