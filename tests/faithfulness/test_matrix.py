from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, Figures
from coupling.faithfulness.matrix import FROZEN_BASE, advantage_rows, matrix_rows
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.rows import OTHERS, run_explainer
from coupling.records import Estimate
from synthetic_panels import drifting_panel, looked_up, panel_of, small_panel

TARGET = ["BB"] * 4
BEHAVIORS = {"a": ["LL", "LL", "BB", "BB"], "b": ["BB", "OO", "OO", "BB"], "c": ["BB", "BB", "RR", "RR"]}


def of_panel(panel: Panel, min_runs: int = 3) -> tuple[Figures, dict[str, str]]:
    rows, nearest = matrix_rows(panel, min_runs)
    return looked_up(panel, rows), nearest


def matrix_of(claims: dict[str, list[str | None]]) -> Figures:
    return of(small_panel(TARGET, BEHAVIORS, claims))


def of(evidence: Evidence) -> Figures:
    return of_panel(panel_of(evidence))[0]


def scores(found: Figures, runs: str = "abc") -> list[list[float | None]]:
    return [[found("s", run, explainer=run_explainer(by)).value for run in runs] for by in runs]


BY_HAND: dict[str, list[str | None]] = {
    "a": ["LL", "BB", "OO", "RR"],
    "b": ["LL", "OO", "OO", None],
    "c": ["BB"] * 4,
}


def test_by_hand() -> None:
    found = matrix_of(BY_HAND)
    assert scores(found) == [
        [0.0, 0.0, 0.5],
        [0.5, 1.0, 0.0],
        [-1.0, -1.0, -1.0],
    ]
    # Mean of the diagonal minus the mean of all nine.
    assert found("a").value == pytest.approx(0 - (-1 / 9))
    by_column = [found("a", run).value for run in "abc"]
    assert sum(value for value in by_column if value is not None) / 3 == pytest.approx(1 / 9)
    assert [found("a", run).n for run in "abc"] == [2, 2, 2]


def test_win_rates_by_hand() -> None:
    found = matrix_of(BY_HAND)
    # Column a, pairs 0 and 1: a has one hit each way; b one of its own; c two of the target's.
    assert found("win_rate", "a", explainer=run_explainer("a")).value == pytest.approx(1 / 2)
    assert found("win_rate", "a", explainer=OTHERS).value == pytest.approx(1 / 3)
    of_a = found("win_rate", "c", explainer=run_explainer("a"))
    assert (of_a.value, of_a.n) == (1.0, 1)
    assert found("win_rate", "c", explainer=run_explainer("b")).value is None


def test_a_matrix_of_rows_plus_columns_has_no_advantage() -> None:
    """Each run says the same of every column's pairs: some runs speak better, none speaks of itself."""
    everywhere = {"a": ["LL", "OO", "OO", "RR"], "b": ["BB"] * 4, "c": ["SS"] * 4}
    behaviors = {name: ["LL", "OO", "OO", "RR"] for name in "abc"}
    found = of(small_panel(TARGET, behaviors, everywhere))
    assert scores(found) == [[1.0] * 3, [-1.0] * 3, [0.0] * 3]
    advantage = found("a")
    assert [advantage.low, advantage.value, advantage.high] == pytest.approx([0, 0, 0])


LETTERS = st.sampled_from(["BB", "BL", "LL", "OO"])


@given(st.lists(st.tuples(LETTERS, LETTERS, LETTERS, LETTERS | st.none()), min_size=2, max_size=10))
def test_runs_that_all_say_the_same_have_no_advantage(rows: list[tuple[str, str, str, str | None]]) -> None:
    *columns, said = zip(*rows, strict=True)
    behaviors = dict(zip("abc", columns, strict=True))
    evidence = small_panel(["BB"] * len(rows), behaviors, dict.fromkeys("abc", said))
    assert of(evidence)("a").value in (None, pytest.approx(0))


def test_a_column_without_discordant_pairs_is_left_out_of_a() -> None:
    behaviors = {**BEHAVIORS, "still": TARGET}
    claims: dict[str, list[str | None]] = {name: [*effects] for name, effects in behaviors.items()}
    found, nearest = of_panel(panel_of(small_panel(TARGET, behaviors, claims)))
    assert [run for run in behaviors if found("a", run).value is not None] == ["a", "b", "c"]
    assert found("a").value is not None
    assert found("s", "still", explainer=run_explainer("a")).value is None
    assert found("r", "still").value is None and "still" not in nearest


def test_a_run_without_discordant_pairs_is_a_rival_nonetheless() -> None:
    """It never left the target, and says what the others do better than they say it themselves."""
    behaviors = {**BEHAVIORS, "still": TARGET}
    claims: dict[str, list[str | None]] = {name: ["BB"] * 4 for name in BEHAVIORS}
    claims["still"] = ["LL", "LL", "RR", "RR"]
    found, nearest = of_panel(panel_of(small_panel(TARGET, behaviors, claims)))
    assert (nearest["a"], found("r", "a").value) == ("still", -2.0)


DRIFTING = panel_of(drifting_panel("self"), resamples=200)


def test_a_run_is_steered_whether_the_judged_pairs_show_it_or_not() -> None:
    hidden = replace(DRIFTING.table, steered=np.zeros_like(DRIFTING.table.steered))
    assert rivalry(replace(DRIFTING, table=hidden)) == rivalry(DRIFTING)


def test_two_runs_are_no_panel() -> None:
    two = {name: BEHAVIORS[name] for name in "ab"}
    found = of(small_panel(TARGET, two, two))
    assert found("a").value is None
    assert found("a", "a").value is None
    assert scores(found, "ab")[0][0] == 1.0


def test_the_base_has_a_row_of_its_own() -> None:
    evidence = drifting_panel(clusters=5, pairs_each=8)
    found = of(evidence)
    assert {found("s", run.name, explainer=FROZEN_BASE).value for run in evidence.runs} == {-1.0}
    without = matrix_of({name: ["BB"] * 4 for name in "abc"})
    assert not [row for row in without if row.explainer == FROZEN_BASE]


def rivalry(panel: Panel) -> Estimate:
    return of_panel(panel)[0]("r")


def test_a_and_r_alone_are_those_of_the_matrix() -> None:
    alone = looked_up(DRIFTING, advantage_rows(DRIFTING, 3, "somebody"))
    found, _ = of_panel(DRIFTING)
    assert alone("a", explainer="somebody") == found("a")
    assert alone("r", explainer="somebody") == found("r")


def test_the_nearest_rival_by_hand_and_where_runs_change_places() -> None:
    runs = DRIFTING.table.runs
    found, nearest = of_panel(DRIFTING)
    square = [[found("s", run, explainer=run_explainer(by)).value or 0.0 for run in runs] for by in runs]
    best = [max((square[a][j], a) for a in range(5) if a != j) for j in range(5)]
    distances = [square[j][j] - best[j][0] for j in range(5)]
    assert [found("r", run).value for run in runs] == pytest.approx(distances)
    assert [nearest[run] for run in runs] == [runs[a] for _, a in best]
    r = found("r")
    assert r.value == pytest.approx(np.mean(distances))
    assert r.low is not None and r.low > 0
    claims = DRIFTING.table.claims
    swapped = rivalry(DRIFTING.explained_by(claims[[0, 3, 4, 1, 2]]))
    assert swapped.high is not None and swapped.high < 0
    same = rivalry(DRIFTING.explained_by(claims[[0, 0, 0, 0, 0]]))
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert of_panel(DRIFTING, min_runs=6)[0]("r").value is None


def test_unsteered_runs_are_no_rivals_of_one_another() -> None:
    """A second unsteered run is the first one's copy, and leaves no distance to it."""
    table = DRIFTING.table
    twice = [0, 1, 2, 3, 4, 0]
    copied = replace(
        table,
        runs=(*table.runs, "plain again"),
        behaviors=table.behaviors[twice],
        claims=table.claims[twice],
        steered=table.steered[twice],
        is_steered=table.is_steered[twice],
    )
    alone, _ = of_panel(DRIFTING)
    beside, _ = of_panel(replace(DRIFTING, table=copied))
    assert beside("r", "plain") == beside("r", "plain again") == alone("r", "plain")
    nobody = replace(copied, is_steered=np.zeros_like(copied.is_steered))
    undeclared, nearest = of_panel(replace(DRIFTING, table=nobody))
    assert undeclared("r", "plain").value == 0 and nearest["plain"] == "plain again"
