"""Overlap of circuits: hand-made shares of known agreement."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr

from coupling.faithfulness.circuits import (
    AFTER,
    ANSWER,
    CLAIMS,
    EVERY,
    HEAD,
    MLP,
    Circuits,
    Component,
    Overlap,
)
from coupling.faithfulness.overlap import Floats, Moved, compare, cosine, spearman, top_in_common

HEADS = [Component(HEAD, 0, ANSWER, head) for head in range(8)]
PAIRS = 40
CLUSTERS = [f"c{pair % 10}" for pair in range(PAIRS)]
SHARES = np.array([0.6, 0.3, 0.1, 0.05, 0.02, 0.0, -0.01, -0.1])


def moved(shares: Floats, influence: float = 4.0) -> Moved:
    """Pairs of very different influence, all of equal shares."""
    of_pairs = influence * np.linspace(0.1, 1.9, PAIRS)
    return Moved(of_pairs, of_pairs[:, None] * shares)


def overlap(circuits: Circuits, claim: str = "with_cue", kind: str = EVERY) -> Overlap:
    (found,) = [each for each in circuits.overlaps if (each.claim, each.kind) == (claim, kind)]
    return found


def test_shares_are_ratios_of_sums() -> None:
    one = Moved(np.array([4.0, 1.0]), np.array([[2.0], [1.0]]))
    circuits = compare("M", HEADS[:1], ["a", "b"], one, one, one, 50)
    assert circuits.carried[0].share.behavior.value == pytest.approx(3 / 5)
    assert circuits.influence.behavior.value == pytest.approx(2.5)


def test_equal_shares_agree_fully_and_reversed_ones_do_not() -> None:
    circuits = compare("M", HEADS, CLUSTERS, moved(SHARES), moved(SHARES, 2.0), moved(-SHARES, -1.0), 100)
    for each in (overlap(circuits).spearman, overlap(circuits).cosine, overlap(circuits).top):
        assert each.estimate.value == pytest.approx(1)
        assert each.p is not None and each.p < 0.05
    assert overlap(circuits, "without_cue").cosine.estimate.value == pytest.approx(-1)
    assert circuits.influence.without_cue.value == pytest.approx(-1)


def test_the_null_is_that_of_all_orders() -> None:
    """Four components have 24 orders; 5000 shufflings meet all of them, equally often."""
    own, said = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.4, 0.35, 0.0, 0.1])
    found = overlap(compare("M", HEADS[:4], CLUSTERS, moved(own), moved(said), moved(said), 50)).spearman
    exact = [spearman(own, np.array(order)) for order in itertools.permutations(said)]
    as_good = np.mean([value >= spearman(own, said) - 1e-12 for value in exact])
    assert found.p == pytest.approx(as_good, abs=0.02)
    assert (found.null_low, found.null_high) == (pytest.approx(min(exact)), pytest.approx(max(exact)))


def test_positions_are_not_shuffled_among_each_other() -> None:
    """All agreement here is that the answering position matters more: nothing of it is beyond chance."""
    components = [Component(HEAD, 0, position, head) for position in (ANSWER, AFTER) for head in range(6)]
    random = np.random.default_rng(0)
    own, said = (np.repeat([1.0, 0.0], 6) + 0.01 * random.standard_normal(12) for _ in range(2))
    found = overlap(compare("M", components, CLUSTERS, moved(own), moved(said), moved(said), 50))
    assert found.cosine.estimate.value is not None and found.cosine.estimate.value > 0.99
    assert found.cosine.p is not None and found.cosine.p > 0.05
    assert found.cosine.null_low is not None and found.cosine.null_low > 0.99


def test_kinds_are_told_apart_and_too_few_components_give_none() -> None:
    components = [*HEADS, Component(MLP, 0, ANSWER), Component(MLP, 1, ANSWER)]
    shares = np.array([*SHARES, 0.2, 0.1])
    circuits = compare("M", components, CLUSTERS, moved(shares), moved(shares), moved(shares), 50)
    assert overlap(circuits, kind=HEAD).components == 8
    mlps = overlap(circuits, kind=MLP)
    assert mlps.components == 2
    assert mlps.spearman.estimate.value is None and mlps.spearman.p is None and mlps.top.null_low is None


def test_an_influence_about_nothing_is_divided_by_nothing() -> None:
    of_pairs = np.tile([1.0, -1.0], PAIRS // 2)
    aimless = Moved(of_pairs, of_pairs[:, None] * SHARES)
    circuits = compare(
        "M", HEADS, [str(pair) for pair in range(PAIRS)], moved(SHARES), aimless, moved(SHARES), 100
    )
    assert circuits.carried[0].share.with_cue.value is None
    assert overlap(circuits).cosine.estimate.value is None and overlap(circuits).cosine.p is None
    assert overlap(circuits, "without_cue").cosine.estimate.value == pytest.approx(1)


def test_equal_arguments_give_equal_figures() -> None:
    random = np.random.default_rng(5)
    readouts = [
        Moved(random.random(PAIRS) + 1, random.standard_normal((PAIRS, len(HEADS)))) for _ in range(3)
    ]
    one, other = (compare("M", HEADS, CLUSTERS, *readouts, resamples=100, seed=3) for _ in range(2))
    assert one == other
    assert {each.claim for each in one.overlaps} == set(CLAIMS)


def test_measures_by_hand() -> None:
    random = np.random.default_rng(1)
    one, other = random.standard_normal((2, 5, 9)).round(1)
    for row in range(5):
        assert spearman(one, other)[row] == pytest.approx(spearmanr(one[row], other[row]).statistic)
    assert cosine(np.array([1.0, 1.0]), np.array([1.0, 0.0])) == pytest.approx(0.5**0.5)
    assert top_in_common(np.array([9.0, -8, 7, 1, 0, 2]), np.array([-9.0, 8, 0, 7, 1, 2])) == pytest.approx(
        2 / 3
    )
    with_nan = np.array([1.0, np.nan, 2, 3])
    assert np.isnan([f(with_nan, np.arange(4.0)) for f in (spearman, cosine, top_in_common)]).all()
