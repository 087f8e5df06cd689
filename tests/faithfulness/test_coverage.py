from __future__ import annotations

import numpy as np
import pytest

from coupling.faithfulness import judge
from coupling.faithfulness.coverage import (
    ADVANTAGE,
    DELTA,
    EXPANDED_PERCENTILE,
    PERCENTILE,
    ClusterSums,
    Coverage,
    P,
    T,
    cluster_sums,
    coverage,
    pooled_coverage,
)
from coupling.faithfulness.privilege import fit_observers
from coupling.faithfulness.rows import ALL_RUNS, STEERED_RUNS
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import ClusterBootstrap, rate
from synthetic_panels import TWINS, drifting_panel


def normal_like(clusters: int) -> ClusterSums:
    """Every figure a mean over clusters of equal size whose own means are nearly normal."""
    random = np.random.default_rng(0)
    below = np.full(clusters, 400.0)
    above = random.binomial(400, np.clip(random.normal(0.5, 0.1, clusters), 0, 1)).astype(float)
    sides = random.binomial(400, 0.5, (clusters, 3, 3)).astype(float)
    return ClusterSums({DELTA: (above, below), T: (above, below)}, sides, below[:, None] * np.ones(3))


def test_sums_make_the_figures_of_the_headline() -> None:
    evidence = drifting_panel("self", pairs_each=16)
    result, table = judge(evidence, resamples=100), tabulate(evidence)
    sums = cluster_sums(table, TWINS, fit_observers(table, True).gains(table.claims))
    every = np.arange(len(sums))
    found = sums.samples(ClusterBootstrap(every, 1, 0), every)
    where = {
        P: ("p", STEERED_RUNS),
        DELTA: ("delta", STEERED_RUNS),
        T: ("t", ALL_RUNS),
        ADVANTAGE: ("a", ALL_RUNS),
    }
    assert set(sums.figures) == set(where)
    for name, (figure, run) in where.items():
        expected = result.figures(figure, run)
        assert found[name][0] == pytest.approx(expected.value), name
        assert sums.holding(name, every) == expected.clusters


def test_intervals_of_means_hold_the_truth_about_as_often_as_they_say() -> None:
    found = {(each.figure, each.method): each for each in coverage(normal_like(60), 20, 400, 400, 0)}
    plain, expanded = found[T, PERCENTILE], found[T, EXPANDED_PERCENTILE]
    assert plain.held.trials == 400 and plain.held.value is not None and expanded.held.value is not None
    assert 0.88 <= plain.held.value <= 0.96
    assert 0.92 <= expanded.held.value <= 0.98
    assert plain.held.value <= expanded.held.value
    assert plain.width is not None and expanded.width is not None and plain.width < expanded.width
    assert plain.held.count + plain.below.count + plain.above.count == 400
    assert plain.beyond == plain.above and found[DELTA, PERCENTILE].beyond == found[DELTA, PERCENTILE].below


def test_the_same_seed_draws_the_same() -> None:
    sums = normal_like(30)
    assert coverage(sums, 10, 5, 50, 1) == coverage(sums, 10, 5, 50, 1) != coverage(sums, 10, 5, 50, 2)


def test_populations_are_pooled_by_draws() -> None:
    def part(count: int, trials: int, width: float | None) -> Coverage:
        return Coverage(
            T, PERCENTILE, 20, rate(count, trials), rate(0, trials), rate(trials - count, trials), width
        )

    (pooled,) = pooled_coverage([part(9, 10, 0.1), part(30, 30, 0.2), part(0, 0, None)])
    assert (pooled.held.count, pooled.held.trials, pooled.above.count) == (39, 40, 1)
    assert pooled.width == pytest.approx((10 * 0.1 + 30 * 0.2) / 40)
