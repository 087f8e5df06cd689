"""Each source of the labels in the target's place, against figures computed by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coupling.faithfulness import judge
from coupling.faithfulness.rows import source_name
from coupling.records import Label
from synthetic_panels import effect, small_panel

ONE = small_panel(
    target=["BB", "LL", "BL", "BL"],
    behaviors={"a": ["BB", "LL", "BB", "BB"], "b": ["BB", "BB", "BL", "LL"]},
    claims={"a": ["BB", "OO", "BB", "BL"], "b": ["BB", None, "BL", "BL"]},
)
OTHER = {f"p{number}": effect(letters) for number, letters in enumerate(["BB", "OO", "OO", "LL"])}
LABELS = tuple(
    Label(f"t{number}", "", effect("BB"), effect("BB"), source)
    for number, source in enumerate(["base", "other", "other"])
)
MIXED = replace(ONE, labels=LABELS, sources={"other": OTHER, "base": ONE.target})


def test_by_hand() -> None:
    results = judge(MIXED, resamples=100)
    assert [(source.name, source.labels) for source in results.sources] == [("base", 1), ("other", 2)]
    found = {
        (figure, source): results.figures(figure, subset=source_name(source)).value
        for figure in ("orig", "gap", "delta", "similarity", "discordant_pairs")
        for source in ("base", "other")
    }
    # Against the base: a's claims hit pairs 0 and 3, b's 0, 2 and 3; of itself a hits 0 and 2, b 0 and 2.
    assert found["orig", "base"] == pytest.approx(5 / 8)
    assert found["gap", "base"] == pytest.approx((4 - 5) / 8)
    # Discordant: a on 2 (own) and 3 (the base's), b on 1 (nothing) and 3 (the base's).
    assert found["delta", "base"] == pytest.approx((1 - 1 + 0 - 1) / 4)
    assert found["discordant_pairs", "base"] == 3
    assert found["similarity", "base"] == pytest.approx(4 / 8)
    # Against the other: a hits 0 and 1, b hits 0.
    assert found["orig", "other"] == pytest.approx(3 / 8)
    assert found["gap", "other"] == pytest.approx((4 - 3) / 8)
    # Discordant: a on 1 (the other's), 2 (own) and 3 (neither), b on 1 (nothing) and 2 (own).
    assert found["delta", "other"] == pytest.approx((-1 + 1 + 0 + 0 + 1) / 5)
    assert found["discordant_pairs", "other"] == 3
    assert found["similarity", "other"] == pytest.approx(3 / 8)


def test_a_source_that_misses_a_pair_is_refused() -> None:
    with pytest.raises(ValueError, match=r"source 'other': 1 of 4 pairs are missing: 'p0'"):
        replace(ONE, sources={"other": {id_: OTHER[id_] for id_ in OTHER if id_ != "p0"}})
