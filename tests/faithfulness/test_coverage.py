from __future__ import annotations

import numpy as np
import pytest

from coupling.faithfulness import judge
from coupling.faithfulness.coverage import (
    ADVANTAGE,
    DELTA,
    EXPANDED_PERCENTILE,
    FIGURES,
    PERCENTILE,
    RIVALRY,
    SELF,
    ClusterSums,
    Coverage,
    T,
    cluster_sums,
    coverage,
    pooled_coverage,
)
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import ClusterBootstrap, rate
from synthetic_panels import TWINS, drifting_panel


def normal_like(clusters: int) -> ClusterSums:
    """Every figure a mean over clusters of equal size whose own means are nearly normal."""
    random = np.random.default_rng(0)
    below = np.full(clusters, 400.0)
    above = random.binomial(400, np.clip(random.normal(0.5, 0.1, clusters), 0, 1)).astype(float)
    sides = random.binomial(400, 0.5, (clusters, 3, 3)).astype(float)
    ratios = {DELTA: (above, below), SELF: (above, below), T: (above, below)}
    return ClusterSums(ratios, sides, below[:, None] * np.ones(3), ~np.eye(3, dtype=bool))


def test_sums_make_the_figures_of_the_headline() -> None:
    evidence = drifting_panel("self")
    result, table = judge(evidence, resamples=100), tabulate(evidence)
    sums = cluster_sums(table, TWINS)
    every = np.arange(len(sums))
    found = sums.figures(ClusterBootstrap(every, 1, 0), every)
    names = {DELTA: "delta", SELF: "self", T: "t", ADVANTAGE: "a", RIVALRY: "r"}
    expected = {name: result.figures(figure) for name, figure in names.items()}
    for name in FIGURES:
        assert found[name][0] == pytest.approx(expected[name].value), name
        assert sums.holding(name, every) == expected[name].clusters


def test_intervals_of_means_hold_the_truth_about_as_often_as_they_say() -> None:
    found = {(each.figure, each.method): each for each in coverage(normal_like(60), 20, 400, 400, 0)}
    plain, expanded = found[SELF, PERCENTILE], found[SELF, EXPANDED_PERCENTILE]
    assert plain.held.trials == 400 and plain.held.value is not None and expanded.held.value is not None
    assert 0.88 <= plain.held.value <= 0.96
    assert 0.92 <= expanded.held.value <= 0.98
    assert plain.held.value <= expanded.held.value
    assert plain.width is not None and expanded.width is not None and plain.width < expanded.width
    assert plain.held.count + plain.below + plain.above == 400


def test_the_same_seed_draws_the_same() -> None:
    sums = normal_like(30)
    assert coverage(sums, 10, 5, 50, 1) == coverage(sums, 10, 5, 50, 1) != coverage(sums, 10, 5, 50, 2)


def test_populations_are_pooled_by_draws() -> None:
    def part(count: int, trials: int, width: float | None) -> Coverage:
        return Coverage(T, PERCENTILE, 20, rate(count, trials), 0, trials - count, width)

    (pooled,) = pooled_coverage([part(9, 10, 0.1), part(30, 30, 0.2), part(0, 0, None)])
    assert (pooled.held.count, pooled.held.trials, pooled.above) == (39, 40, 1)
    assert pooled.width == pytest.approx((10 * 0.1 + 30 * 0.2) / 40)
