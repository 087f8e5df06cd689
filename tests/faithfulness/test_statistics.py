from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from coupling.faithfulness import over_seeds
from coupling.faithfulness.statistics import (
    NO_DATA,
    ClusterBootstrap,
    expanded_tail,
    percentile_interval,
    rate,
)


def test_the_value_is_the_ratio_of_sums_and_n_and_clusters_are_counted() -> None:
    bootstrap = ClusterBootstrap(np.array([0, 0, 1, 2]), resamples=50, seed=0)
    share = bootstrap.share(np.array([1, 0, 1, 0]), np.array([1, 1, 1, 0]))
    assert share.value == pytest.approx(2 / 3)
    assert (share.n, share.clusters) == (3, 2)


def test_a_resample_is_a_draw_of_whole_clusters() -> None:
    clusters = np.array([0, 0, 0, 1, 1])
    totals = ClusterBootstrap(clusters, resamples=300, seed=3).totals(np.ones(5, dtype=np.int64))
    assert totals[0] == 5
    assert set(totals[1:]) == {4, 5, 6}


def test_no_data_is_not_zero() -> None:
    bootstrap = ClusterBootstrap(np.array([0, 1]), resamples=10, seed=0)
    assert bootstrap.share(np.zeros(2), np.zeros(2)) == NO_DATA
    assert NO_DATA.value is None


def test_one_cluster_has_a_value_and_no_interval() -> None:
    share = ClusterBootstrap(np.zeros(9, dtype=np.int64), 10, 0).share(np.arange(9) < 3, np.ones(9))
    assert share.value == pytest.approx(1 / 3)
    assert share.low is None and share.high is None


def test_no_interval_where_many_resamples_hold_no_data() -> None:
    clusters = np.arange(30)
    share = ClusterBootstrap(clusters, 2000, 0).share(clusters < 1, clusters < 2)
    assert share.value == 0.5 and share.clusters == 2
    assert share.low is None


def test_the_same_seed_gives_the_same_bytes_and_another_another_interval() -> None:
    clusters = np.repeat(np.arange(12), 4)
    hits = np.random.default_rng(1).random(48) < 0.4

    def share(seed: int) -> object:
        return ClusterBootstrap(clusters, 200, seed).share(hits, np.ones(48))

    assert repr(share(5)) == repr(share(5))
    assert share(5) != share(6)


def test_intervals_cover_the_truth_where_pairs_of_a_cluster_go_together() -> None:
    """Pairs of a cluster share their fate, so an interval over pairs would be far too narrow."""
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 10)
    covered = narrow = 0
    trials = 200
    for _ in range(trials):
        rates = np.repeat(random.beta(2, 2, 40), 10)
        hits = random.random(400) < rates
        estimate = ClusterBootstrap(clusters, 300, 0).share(hits, np.ones(400))
        assert estimate.value is not None and estimate.low is not None and estimate.high is not None
        covered += estimate.low <= 0.5 <= estimate.high
        narrow += abs(estimate.value - 0.5) <= 1.96 * np.sqrt(estimate.value * (1 - estimate.value) / 400)
    assert 0.88 <= covered / trials <= 0.98
    assert narrow / trials < 0.8


def test_refuses_no_resamples() -> None:
    with pytest.raises(ValueError, match="resamples is 0"):
        ClusterBootstrap(np.array([0]), resamples=0, seed=0)


def test_t_interval_over_seeds() -> None:
    values = (0.1, 0.3, 0.2)
    interval = over_seeds(values)
    low, high = stats.t.interval(0.95, 2, loc=0.2, scale=0.1 / np.sqrt(3))
    assert interval.values == values
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_one_seed_has_no_interval_and_none_is_an_error() -> None:
    assert over_seeds([0.4]).low is None
    with pytest.raises(ValueError, match="no seeds"):
        over_seeds([])


def test_expanded_percentiles_by_the_formula_and_as_usual_where_clusters_are_many() -> None:
    by_hand = stats.norm.cdf(-np.sqrt(20 / 19) * stats.t.ppf(0.975, 19))
    assert expanded_tail(20) == pytest.approx(by_hand) and by_hand < 0.025
    assert expanded_tail(10**6) == pytest.approx(0.025, abs=1e-5)


def test_an_expanded_interval_holds_the_other() -> None:
    resampled = np.random.default_rng(0).normal(size=2000)
    low, high = percentile_interval(resampled, 20, expanded=False)
    wide_low, wide_high = percentile_interval(resampled, 20, expanded=True)
    assert low is not None and high is not None and wide_low is not None and wide_high is not None
    assert wide_low < low < high < wide_high
    assert percentile_interval(resampled, 1) == (None, None)


def test_the_exact_interval_of_a_rate() -> None:
    none = rate(0, 200)
    assert none.low == 0 and none.high == pytest.approx(1 - 0.025 ** (1 / 200))
    some = rate(7, 200)
    assert some.low == pytest.approx(stats.beta.ppf(0.025, 7, 194))
    assert some.high == pytest.approx(stats.beta.ppf(0.975, 8, 193))
    assert rate(0, 0).value is None
