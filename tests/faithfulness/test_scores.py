from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from coupling.faithfulness.scores import (
    discordant,
    equal,
    equal_changed,
    equal_with_cue,
    equal_without_cue,
    parsed,
    side,
    tabulate,
)
from synthetic_panels import drifting_panel, small_panel

EVIDENCE = small_panel(
    target=["BB", "BL", "BL", "BL", "BL"],
    behaviors={"run": ["BB", "BB", "BB", "BB", "LL"]},
    claims={"run": ["BB", "BB", "BL", "OR", None]},
)


def test_parts_of_an_effect() -> None:
    table = tabulate(EVIDENCE)
    claims, behaviors = table.claims[0], table.behaviors[0]
    assert parsed(claims).tolist() == [True, True, True, True, False]
    assert equal(claims, behaviors).tolist() == [True, True, False, False, False]
    assert equal_with_cue(claims, behaviors).tolist() == [True, True, True, False, False]
    assert equal_without_cue(claims, behaviors).tolist() == [True, True, False, False, False]
    # The last behaviour is unchanged, and so is a claim of nothing; yet nothing was claimed.
    assert equal_changed(claims, behaviors).tolist() == [True, True, False, False, False]


def test_a_part_of_a_table_holds_the_same_runs_and_pairs_in_every_column() -> None:
    table = tabulate(drifting_panel("self", clusters=6, pairs_each=8))
    chosen, rows = [3, 1], np.arange(5, 30, 2)
    part = table.part(chosen, rows)
    for field in fields(table):
        whole, found = getattr(table, field.name), getattr(part, field.name)
        if field.name in ("answers", "remeasured", "clusters"):
            continue
        if field.name in ("pairs", "runs", "directions"):
            assert found == tuple(whole[each] for each in (rows if field.name == "pairs" else chosen))
        elif field.name == "is_steered":
            assert np.array_equal(found, whole[chosen])
        elif field.name == "base_logprobs":
            assert np.array_equal(found, whole[:, rows])
        elif whole is not None:
            by_run = whole.shape[:2] == table.followed.shape
            assert np.array_equal(found, whole[chosen][:, rows] if by_run else whole[rows]), field.name


def test_side_is_own_target_or_neither_and_0_where_nothing_tells_them_apart() -> None:
    table = tabulate(EVIDENCE)
    assert discordant(table.behaviors[0], table.target).tolist() == [False, True, True, True, True]
    assert side(table.claims[0], table.behaviors[0], table.target).tolist() == [0, 1, -1, 0, 0]


def test_a_claim_outside_the_choices_is_wrong_and_no_error() -> None:
    run = EVIDENCE.runs[0]
    claim = replace(run.behaviors["p0"], with_cue="Atlantis")
    said = {**run.explanations, "p0": replace(run.explanations["p0"], claim=claim)}
    table = tabulate(EVIDENCE.explained_by({"run": said}))
    assert not equal(table.claims, table.behaviors)[0, 0]
    assert equal_without_cue(table.claims, table.behaviors)[0, 0]


def test_the_order_of_pairs_changes_nothing() -> None:
    table = tabulate(EVIDENCE)
    reordered = tabulate(replace(EVIDENCE, pairs=EVIDENCE.pairs[::-1]))
    assert np.array_equal(table.claims, reordered.claims)
    assert table.pairs == reordered.pairs


@pytest.mark.parametrize("number", range(5))
def test_decode_is_the_inverse_of_encode(number: int) -> None:
    table = tabulate(EVIDENCE)
    effect = EVIDENCE.target[f"p{number}"]
    assert table.decode(table.encode([effect])[0]) == effect
