from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import judge
from coupling.faithfulness.matrix import matrix
from coupling.faithfulness.panel import Matrix
from coupling.faithfulness.scores import Table, tabulate
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.records import Estimate
from synthetic_panels import drifting_panel, small_panel

TARGET = ["BB"] * 4
BEHAVIORS = {"a": ["LL", "LL", "BB", "BB"], "b": ["BB", "OO", "OO", "BB"], "c": ["BB", "BB", "RR", "RR"]}


def matrix_of(claims: dict[str, list[str | None]]) -> Matrix:
    return judge(small_panel(TARGET, BEHAVIORS, claims), resamples=100).matrix


def scores(matrix: Matrix) -> list[list[float | None]]:
    return [[cell.score.value for cell in row] for row in matrix.cells]


def test_by_hand() -> None:
    found = matrix_of({"a": ["LL", "BB", "OO", "RR"], "b": ["LL", "OO", "OO", None], "c": ["BB"] * 4})
    assert scores(found) == [
        [0.0, 0.0, 0.5],
        [0.5, 1.0, 0.0],
        [-1.0, -1.0, -1.0],
    ]
    # Mean of the diagonal minus the mean of all nine.
    assert found.advantage.value == pytest.approx(0 - (-1 / 9))
    by_column = [column.advantage.value for column in found.columns]
    assert sum(value for value in by_column if value is not None) / 3 == pytest.approx(1 / 9)
    assert [column.pairs for column in found.columns] == [2, 2, 2]
    assert found.advantage_runs == ("a", "b", "c")


def test_win_rates_by_hand() -> None:
    found = matrix_of({"a": ["LL", "BB", "OO", "RR"], "b": ["LL", "OO", "OO", None], "c": ["BB"] * 4})
    # Column a, pairs 0 and 1: a has one hit each way; b one of its own; c two of the target's.
    assert found.columns[0].own_win_rate.value == pytest.approx(1 / 2)
    assert found.columns[0].others_win_rate.value == pytest.approx(1 / 3)
    assert (found.cells[0][2].win_rate.value, found.cells[0][2].win_rate.n) == (1.0, 1)
    assert found.cells[1][2].win_rate.value is None


def test_a_matrix_of_rows_plus_columns_has_no_advantage() -> None:
    """Each run says the same of every column's pairs: some runs speak better, none speaks of itself."""
    everywhere = {"a": ["LL", "OO", "OO", "RR"], "b": ["BB"] * 4, "c": ["SS"] * 4}
    behaviors = {name: ["LL", "OO", "OO", "RR"] for name in "abc"}
    found = judge(small_panel(TARGET, behaviors, everywhere), resamples=100).matrix
    assert scores(found) == [[1.0] * 3, [-1.0] * 3, [0.0] * 3]
    assert found.advantage.value == pytest.approx(0)
    assert (found.advantage.low, found.advantage.high) == (pytest.approx(0), pytest.approx(0))


LETTERS = st.sampled_from(["BB", "BL", "LL", "OO"])


@given(st.lists(st.tuples(LETTERS, LETTERS, LETTERS, LETTERS | st.none()), min_size=2, max_size=10))
def test_runs_that_all_say_the_same_have_no_advantage(rows: list[tuple[str, str, str, str | None]]) -> None:
    *columns, said = zip(*rows, strict=True)
    behaviors = dict(zip("abc", columns, strict=True))
    evidence = small_panel(["BB"] * len(rows), behaviors, dict.fromkeys("abc", said))
    assert judge(evidence, resamples=100).matrix.advantage.value in (None, pytest.approx(0))


def test_a_column_without_discordant_pairs_is_left_out_of_a_and_named() -> None:
    behaviors = {**BEHAVIORS, "still": TARGET}
    claims: dict[str, list[str | None]] = {name: [*effects] for name, effects in behaviors.items()}
    found = judge(small_panel(TARGET, behaviors, claims), resamples=100).matrix
    assert found.advantage_runs == ("a", "b", "c")
    assert found.advantage.value is not None
    assert found.cells[0][3].score.value is None
    assert found.columns[3].advantage.value is None
    assert found.columns[3].rivalry.value is None and found.columns[3].nearest_rival is None


def test_a_run_without_discordant_pairs_is_a_rival_nonetheless() -> None:
    """It never left the target, and says what the others do better than they say it themselves."""
    behaviors = {**BEHAVIORS, "still": TARGET}
    claims: dict[str, list[str | None]] = {name: ["BB"] * 4 for name in BEHAVIORS}
    claims["still"] = ["LL", "LL", "RR", "RR"]
    found = judge(small_panel(TARGET, behaviors, claims), resamples=100).matrix
    assert (found.columns[0].nearest_rival, found.columns[0].rivalry.value) == ("still", -2.0)


def test_a_run_is_steered_whether_the_judged_pairs_show_it_or_not() -> None:
    table = tabulate(drifting_panel("self"))
    hidden = replace(table, steered=np.zeros_like(table.steered))
    assert rivalry(hidden) == rivalry(table)


def test_two_runs_are_no_panel() -> None:
    two = {name: BEHAVIORS[name] for name in "ab"}
    found = judge(small_panel(TARGET, two, two), resamples=100).matrix
    assert found.advantage.value is None
    assert found.advantage_runs == ()
    assert scores(found)[0][0] == 1.0


def test_the_base_has_a_row_of_its_own() -> None:
    found = judge(drifting_panel(clusters=5, pairs_each=8), resamples=100).matrix
    assert found.base_row is not None
    assert [cell.score.value for cell in found.base_row] == [-1.0] * 5
    assert matrix_of({name: ["BB"] * 4 for name in "abc"}).base_row is None


def rivalry(table: Table) -> Estimate:
    return matrix(table, ClusterBootstrap(table.clusters, 200, 0), 3).rivalry


def test_the_nearest_rival_by_hand_and_where_runs_change_places() -> None:
    table = tabulate(drifting_panel("self"))
    found = matrix(table, ClusterBootstrap(table.clusters, 200, 0), 3)
    square = [[cell.score.value or 0.0 for cell in row] for row in found.cells]
    best = [max((square[a][j], a) for a in range(5) if a != j) for j in range(5)]
    distances = [square[j][j] - best[j][0] for j in range(5)]
    assert [column.rivalry.value for column in found.columns] == pytest.approx(distances)
    assert [column.nearest_rival for column in found.columns] == [table.runs[a] for _, a in best]
    assert found.rivalry.value == pytest.approx(np.mean(distances))
    assert found.rivalry.low is not None and found.rivalry.low > 0
    swapped = rivalry(replace(table, claims=table.claims[[0, 3, 4, 1, 2]]))
    assert swapped.high is not None and swapped.high < 0
    same = rivalry(replace(table, claims=table.claims[[0, 0, 0, 0, 0]]))
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert matrix(table, ClusterBootstrap(table.clusters, 200, 0), 6).rivalry.value is None


def test_unsteered_runs_are_no_rivals_of_one_another() -> None:
    """A second unsteered run is the first one's copy, and leaves no distance to it."""
    table = tabulate(drifting_panel("self"))
    copied = replace(
        table,
        runs=(*table.runs, "plain again"),
        behaviors=table.behaviors[[0, 1, 2, 3, 4, 0]],
        claims=table.claims[[0, 1, 2, 3, 4, 0]],
        steered=table.steered[[0, 1, 2, 3, 4, 0]],
        is_steered=table.is_steered[[0, 1, 2, 3, 4, 0]],
    )
    bootstrap = ClusterBootstrap(table.clusters, 200, 0)
    alone, beside = matrix(table, bootstrap, 3), matrix(copied, bootstrap, 3)
    assert beside.columns[0].rivalry == beside.columns[5].rivalry == alone.columns[0].rivalry
    nobody = replace(copied, is_steered=np.zeros_like(copied.is_steered))
    undeclared = matrix(nobody, bootstrap, 3)
    assert undeclared.columns[0].rivalry.value == 0 and undeclared.columns[0].nearest_rival == "plain again"
