"""Bounds that decide: how far chance in resampling is from moving them, and how often one resamples for
it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from coupling.faithfulness import settling
from coupling.faithfulness.settling import ENOUGH, HIGH, LOW, Deciding, Settled, _settled, deciding, settle
from coupling.faithfulness.statistics import ClusterBootstrap, expanded_tail, resampled_weights

CLUSTERS = 20


def figure(values: npt.NDArray[np.float64], threshold: float = 0.0, bound: str = LOW) -> Deciding:
    """The mean over clusters of one pair each."""
    return Deciding(values, np.ones(len(values)), len(values), bound, threshold)


def settled(each: Deciding, seed: int = 0, resamples: int = 2000) -> Settled:
    clusters = np.arange(len(each.numerators))
    return settle({"it": each}, ClusterBootstrap(clusters, resamples, seed))["it"]


VALUES = np.random.default_rng(5).normal(1.0, 1.0, CLUSTERS)


def at_the_bound(draws: int = 400_000) -> float:
    """The lower bound of the mean of `VALUES`, resampled so often that it stands still."""
    random = np.random.default_rng(9)
    weights = random.multinomial(CLUSTERS, np.full(CLUSTERS, 1 / CLUSTERS), draws)
    return float(np.quantile(weights @ VALUES / CLUSTERS, expanded_tail(CLUSTERS)))


def test_errors_by_hand() -> None:
    """Of 1000 resamples 50 lie at the threshold or below; the tail beyond the bound is a, so the share of
    0.05 lies |0.05 - a| / √(a (1 - a) / 1000) errors from it."""
    samples = np.concatenate([np.full(50, -0.5), np.full(950, 1.0)])
    tail = expanded_tail(CLUSTERS)
    by_hand = abs(0.05 - tail) / (tail * (1 - tail) / 1000) ** 0.5
    assert _settled(figure(np.ones(CLUSTERS)), samples).errors == pytest.approx(by_hand)
    # Of the upper bound those count that lie at its threshold or above.
    upper = figure(-np.ones(CLUSTERS), 0.5, HIGH)
    assert _settled(upper, -samples).errors == pytest.approx(by_hand)


def test_resamples_without_data_do_not_count() -> None:
    samples = np.concatenate([np.full(50, -0.5), np.full(950, 1.0)])
    with_gaps = np.concatenate([samples, np.full(20, np.nan)])
    one = figure(np.ones(CLUSTERS))
    assert _settled(one, with_gaps).errors == _settled(one, samples).errors


def test_no_data_is_settled_and_has_no_figure() -> None:
    nothing = Deciding(np.zeros(4), np.zeros(4), 0, LOW, 0.0)
    found = settled(nothing)
    assert found.estimate.value is None and found.is_settled
    alone = settled(Deciding(np.array([1.0, 0.0]), np.array([1.0, 0.0]), 1, LOW, 0.0))
    assert alone.estimate.low is None and alone.is_settled


def test_the_estimate_is_that_of_sums_over_pairs() -> None:
    clusters = np.array([0, 0, 1, 1, 2])
    values, counted = np.array([1, 0, 2, 2, 0]), np.array([1, 1, 2, 2, 0])
    one = deciding(values, counted, clusters)
    assert one.numerators.tolist() == [1, 4, 0] and one.denominators.tolist() == [2, 4, 0]
    found = settled(one).estimate
    assert (found.value, found.n, found.clusters) == (5 / 6, 6, 2)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many resamples were drawn beyond the first, one entry for each chunk."""
    found: list[int] = []

    def counted(generator: np.random.Generator, clusters: int, resamples: int) -> npt.NDArray[np.uint16]:
        found.append(resamples)
        return resampled_weights(generator, clusters, resamples)

    monkeypatch.setattr(settling, "resampled_weights", counted)
    return found


def test_a_bound_is_resampled_the_more_often_the_nearer_it_lies(drawn: list[int]) -> None:
    bound, used = at_the_bound(), []
    for distance in (0.4, 0.1, 0.05):
        drawn.clear()
        assert settled(figure(VALUES, bound - distance)).is_settled
        used.append(2000 + sum(drawn))
    assert used == sorted(set(used))
    assert used[-1] <= settling.MAX_RESAMPLES


def test_a_bound_at_its_threshold_stays_unsettled_at_the_most(drawn: list[int]) -> None:
    found = settled(figure(VALUES, at_the_bound()))
    assert found.errors < ENOUGH and not found.is_settled
    assert settling.MAX_RESAMPLES / 2 < 2000 + sum(drawn) <= settling.MAX_RESAMPLES
    assert max(drawn) <= settling.CHUNK


def test_twenty_seeds_say_the_same_once_settled() -> None:
    """Near its threshold a bound of 500 resamples falls on either side; settled, it falls on one."""
    threshold = at_the_bound() - 0.06
    one = figure(VALUES, threshold)
    found = [settled(one, seed, resamples=500) for seed in range(20)]
    assert all(each.is_settled for each in found)
    assert {each.estimate.low is not None and each.estimate.low > threshold for each in found} == {True}


def test_the_same_seed_gives_the_same_bounds() -> None:
    one = figure(VALUES, at_the_bound() - 0.1)
    assert settled(one, seed=3) == settled(one, seed=3)
    assert settled(one, seed=3).estimate != settled(one, seed=4).estimate
