from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import judge
from coupling.faithfulness.matrix import Emissions, nearest_rival
from coupling.faithfulness.panel import Matrix
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import ClusterBootstrap
from synthetic_panels import drifting_panel, small_panel

TARGET = ["BB"] * 4
BEHAVIORS = {"a": ["LL", "LL", "BB", "BB"], "b": ["BB", "OO", "OO", "BB"], "c": ["BB", "BB", "RR", "RR"]}


def matrix_of(claims: dict[str, list[str | None]]) -> Matrix:
    return judge(small_panel(TARGET, BEHAVIORS, claims), resamples=100).matrix


def scores(matrix: Matrix) -> list[list[float | None]]:
    return [[cell.score.value for cell in row] for row in matrix.cells]


def test_by_hand() -> None:
    matrix = matrix_of({"a": ["LL", "BB", "OO", "RR"], "b": ["LL", "OO", "OO", None], "c": ["BB"] * 4})
    assert scores(matrix) == [
        [0.0, 0.0, 0.5],
        [0.5, 1.0, 0.0],
        [-1.0, -1.0, -1.0],
    ]
    # Mean of the diagonal minus the mean of all nine.
    assert matrix.advantage.value == pytest.approx(0 - (-1 / 9))
    by_column = [column.advantage.value for column in matrix.columns]
    assert sum(value for value in by_column if value is not None) / 3 == pytest.approx(1 / 9)
    assert [column.pairs for column in matrix.columns] == [2, 2, 2]
    assert matrix.advantage_runs == ("a", "b", "c")


def test_win_rates_by_hand() -> None:
    matrix = matrix_of({"a": ["LL", "BB", "OO", "RR"], "b": ["LL", "OO", "OO", None], "c": ["BB"] * 4})
    # Column a, pairs 0 and 1: a has one hit each way; b one of its own; c two of the target's.
    assert matrix.columns[0].own_win_rate.value == pytest.approx(1 / 2)
    assert matrix.columns[0].others_win_rate.value == pytest.approx(1 / 3)
    assert (matrix.cells[0][2].win_rate.value, matrix.cells[0][2].win_rate.n) == (1.0, 1)
    assert matrix.cells[1][2].win_rate.value is None


def test_a_matrix_of_rows_plus_columns_has_no_advantage() -> None:
    """Each run says the same of every column's pairs: some runs speak better, none speaks of itself."""
    everywhere = {"a": ["LL", "OO", "OO", "RR"], "b": ["BB"] * 4, "c": ["SS"] * 4}
    behaviors = {name: ["LL", "OO", "OO", "RR"] for name in "abc"}
    matrix = judge(small_panel(TARGET, behaviors, everywhere), resamples=100).matrix
    assert scores(matrix) == [[1.0] * 3, [-1.0] * 3, [0.0] * 3]
    assert matrix.advantage.value == pytest.approx(0)
    assert (matrix.advantage.low, matrix.advantage.high) == (pytest.approx(0), pytest.approx(0))


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
    matrix = judge(small_panel(TARGET, behaviors, claims), resamples=100).matrix
    assert matrix.advantage_runs == ("a", "b", "c")
    assert matrix.advantage.value is not None
    assert matrix.cells[0][3].score.value is None
    assert matrix.columns[3].advantage.value is None


def test_two_runs_are_no_panel() -> None:
    two = {name: BEHAVIORS[name] for name in "ab"}
    matrix = judge(small_panel(TARGET, two, two), resamples=100).matrix
    assert matrix.advantage.value is None
    assert matrix.advantage_runs == ()
    assert scores(matrix)[0][0] == 1.0


def test_the_base_has_a_row_of_its_own() -> None:
    matrix = judge(drifting_panel(clusters=5, pairs_each=8), resamples=100).matrix
    assert matrix.base_row is not None
    assert [cell.score.value for cell in matrix.base_row] == [-1.0] * 5
    assert matrix_of({name: ["BB"] * 4 for name in "abc"}).base_row is None


def test_the_nearest_rival_by_hand_and_where_runs_change_places() -> None:
    table = tabulate(drifting_panel("self"))
    bootstrap = ClusterBootstrap(table.clusters, 200, 0)
    square = Emissions(table, table.claims, bootstrap).scores[0]
    rivals = [max(square[a, j] for a in range(5) if a != j) for j in range(5)]
    by_hand = np.mean([square[j, j] - rivals[j] for j in range(5)])
    found = nearest_rival(table, bootstrap, 3)
    assert found.value == pytest.approx(by_hand) and found.low is not None and found.low > 0
    exchanged = replace(table, claims=table.claims[[0, 3, 4, 1, 2]])
    swapped = nearest_rival(exchanged, bootstrap, 3)
    assert swapped.high is not None and swapped.high < 0
    same = nearest_rival(replace(table, claims=table.claims[[0, 0, 0, 0, 0]]), bootstrap, 3)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert nearest_rival(table, bootstrap, 6).value is None
