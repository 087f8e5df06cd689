"""Turns of answers and claims between twins, by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from coupling.faithfulness.interpolation import (
    INTERPOLATION_SCHEMA,
    NULL_DEALS,
    Interpolation,
    Passage,
    TwinTurns,
    interpolation_rows,
    point_name,
    rank_correlations,
    read_interpolation,
    turns_of,
)
from coupling.faithfulness.rows import ALL_RUNS, Figures
from coupling.faithfulness.statistics import ClusterBootstrap
from coupling.records import CounterfactualPair
from coupling.store import write_json

POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)
ANSWERS = ["aabbb", "ababb", "aaacb", "abbbb"]
CLAIMS = ["aaabb", "acabb", "aaabb", "bbbbb"]
"""A letter an answer, a word a pair: turns at .5, .75, 1, .25; claims at .75, .75, .75, never."""


def passage(answers: list[str], claims: list[str], first: str = "one", choices: str = "abc") -> Passage:
    pairs = tuple(
        CounterfactualPair(f"p{place}", f"c{place % 3}", "test", "x", "y", "hint", "a", tuple(choices))
        for place in range(len(answers))
    )
    said = [[None if letter == "-" else letter for letter in word] for word in claims]
    return Passage(
        first,
        "other",
        POINTS,
        pairs,
        tuple(zip(*answers, strict=True)),
        tuple(zip(*said, strict=True)),
    )


def figures(*passages: Passage) -> Figures:
    return Figures(interpolation_rows(passages, 8, 200, 0), 8)


def test_turns_are_for_good() -> None:
    turns = turns_of(passage(ANSWERS, CLAIMS))
    assert [turn.answer for turn in turns] == [0.5, 0.75, 1.0, 0.25]
    assert [turn.claim for turn in turns] == [0.75, 0.75, 0.75, None]
    assert [turn.pair_id for turn in turns] == ["p0", "p1", "p2", "p3"]


@pytest.mark.parametrize("claims", ["aaaaa", "bbbbb", "aabba", "-abbb", "aabb-", "-----"])
def test_claims_that_do_not_turn(claims: str) -> None:
    (turn,) = turns_of(passage(["aabbb"], [claims]))
    assert turn.claim is None and turn.answer == 0.5


def test_figures_by_hand() -> None:
    found = figures(passage(ANSWERS, CLAIMS))
    assert found("both_turn").value == 3 / 4 and found("both_turn").n == 4
    # Claims turn .25 later, at the same point, and .25 earlier.
    assert found("turn_distance").value == pytest.approx(0.5 / 3)
    assert found("turn_lag").value == 0 and found("turn_lag").n == 3
    assert "turn_order" not in {row.figure for row in found}, "all three claims turn at one point"
    half = {
        name: found(name, subset=point_name(0.5)).value
        for name in ("answers_second", "claims_second", "t_along")
    }
    assert half == {"answers_second": 2 / 4, "claims_second": 1 / 4, "t_along": 3 / 4}
    # At .75 the third answer is neither twin's.
    assert found("t_along", subset=point_name(0.75)).n == 3


def test_claims_that_are_read_off_turn_with_answers_and_beat_dealt_ones() -> None:
    words = ["a" * turn + "b" * (5 - turn) for turn in (1, 2, 3, 4)] * 3
    found = figures(passage(words, words))
    assert found("turn_distance").value == 0 and found("turn_order").value == pytest.approx(1)
    assert found("t_along", subset=point_name(0.25)).value == 1
    null = found("turn_order_null")
    assert null.value is not None and null.high is not None and null.high < 1 and null.n == 12
    distance = found("turn_distance_null")
    assert distance.low is not None and distance.low > 0
    assert found("both_turn_null").value == 1, "all pairs turn from a to b"


def test_whoever_says_the_same_all_along_does_not_turn() -> None:
    found = figures(passage(ANSWERS, ["aaaaa", "aaaaa", "bbbbb", "bbbbb"]))
    assert found("both_turn").value == 0 and found("turn_distance").value is None
    ends = [found("t_along", subset=point_name(point)).value for point in (0.0, 1.0)]
    assert ends == [0.5, 0.5]


def test_nobody_is_dealt_their_own_and_choices_stay() -> None:
    # Of two pairs with the same choices each gets the other's: nothing is left to chance.
    pair = passage(["abbbb", "aaaab"], ["abbbb", "aaaab"])
    alone = replace(
        passage(["aabbb"], ["aabbb"], "two", "abd"),
        pairs=tuple(replace(each, id="q", cluster="c9") for each in passage(["aabbb"], ["aabbb"]).pairs),
    )
    found = figures(pair, alone)
    null = found("turn_distance_null")
    assert (null.value, null.low, null.high, null.n) == (0.75, 0.75, 0.75, 2)
    assert found("turn_distance_null", "two and other").value is None
    assert found("both_turn").n == 3 and found("both_turn", "two and other").n == 1


def test_rank_correlation_in_the_data_and_in_resamples() -> None:
    random = np.random.default_rng(3)
    one, other = random.integers(0, 4, (2, 40))
    clusters = np.arange(40) % 5
    among = random.random(40) < 0.8
    bootstrap = ClusterBootstrap(clusters, 20, 0)
    samples = rank_correlations(bootstrap, one, other, among)
    assert samples[0] == pytest.approx(spearmanr(one[among], other[among]).statistic)
    drawn = bootstrap.resampled(np.eye(5))[7].astype(int)
    rows = np.repeat(np.arange(40), drawn[clusters] * among)
    assert samples[7] == pytest.approx(spearmanr(one[rows], other[rows]).statistic)


def test_what_is_written_is_read_and_another_version_refused(tmp_path: Path) -> None:
    asked = passage(ANSWERS, CLAIMS)
    results = Interpolation(
        INTERPOLATION_SCHEMA,
        "mini",
        "answer_pair",
        "test",
        8,
        POINTS,
        (TwinTurns("one", "other", 7, turns_of(asked)),),
        tuple(interpolation_rows([asked], 8, 50, 0)),
        50,
        NULL_DEALS,
        0,
        {"pairs.jsonl": "0" * 64},
    )
    file = tmp_path / "interpolation.json"
    write_json(file, results.to_json())
    assert read_interpolation(file) == results
    assert results.figures("both_turn", ALL_RUNS).value == 3 / 4
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), "schema": 0}), "utf-8")
    with pytest.raises(ValueError, match="coupling interpolate"):
        read_interpolation(file)
