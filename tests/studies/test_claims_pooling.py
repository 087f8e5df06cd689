"""Pooling over worlds, by figures computed by hand."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from coupling.faithfulness.statistics import NO_DATA
from coupling.records import Estimate
from coupling.studies.claims.pooling import (
    NOTHING,
    Pooled,
    averaged,
    difference,
    holm,
    pool,
    pool_seeds,
    world_mean,
)

T2, T1, Z = 4.302653, 12.706205, 1.959964
"""97.5 % quantiles of t with two and with one degree of freedom, and of the normal distribution."""


def around(value: float, half: float | None = 0.01, clusters: int = 28) -> Estimate:
    if half is None:
        return Estimate(value, None, None, 100, 0)
    return Estimate(value, value - half, value + half, 100, clusters)


def over(*estimates: Estimate) -> Pooled:
    """Of one seed in each world."""
    return pool({world: [estimate] for world, estimate in enumerate(estimates)})


def bounds(pooled: Pooled | Estimate) -> tuple[float, float]:
    assert pooled.low is not None and pooled.high is not None
    return pooled.low, pooled.high


def test_three_worlds_that_differ_have_a_t_interval() -> None:
    pooled = over(around(0.1), around(0.2), around(0.3))
    half = T2 * 0.1 / sqrt(3)
    assert pooled.value == pytest.approx(0.2)
    assert bounds(pooled) == pytest.approx((0.2 - half, 0.2 + half))
    assert (pooled.worlds, pooled.cases, pooled.clusters) == (3, 3, 28)


def test_worlds_that_happen_to_agree_are_no_surer_than_their_countries() -> None:
    pooled = over(around(0.2, 0.3), around(0.2, 0.4), around(0.2, 0.5))
    half = sqrt(0.3**2 + 0.4**2 + 0.5**2) / 3
    assert bounds(pooled) == pytest.approx((0.2 - half, 0.2 + half))


def test_two_worlds_take_a_normal_quantile_where_countries_tell_their_errors() -> None:
    half = sqrt(2) * 0.1 / sqrt(2)
    assert bounds(over(around(0.1), around(0.3))) == pytest.approx((0.2 - Z * half, 0.2 + Z * half))
    assert bounds(over(around(0.1, None), around(0.3, None))) == pytest.approx(
        (0.2 - T1 * half, 0.2 + T1 * half)
    )


def test_one_world_is_its_own_interval_and_none_is_nothing() -> None:
    assert bounds(over(Estimate(0.2, 0.1, 0.5, 100, 28))) == (0.1, 0.5)
    assert over(NO_DATA) == NOTHING == pool({})
    assert over(around(0.1), NO_DATA, around(0.3)).worlds == 2


def test_seeds_of_a_world_are_one_world() -> None:
    mean = world_mean([around(0.1, 0.3), around(0.3, 0.3)])
    spread = T1 * sqrt(2) * 0.1 / sqrt(2)
    half = sqrt(0.3**2 + spread**2)
    assert bounds(mean) == pytest.approx((0.2 - half, 0.2 + half))
    by_world = {0: [around(0.1), around(0.3)], 1: [around(0.4)], 2: [around(0.6)]}
    pooled = pool(by_world)
    assert pooled.value == pytest.approx(0.4) and (pooled.worlds, pooled.cases) == (3, 4)


@pytest.mark.parametrize(
    "estimates",
    [
        (Estimate(0.2, 0.1, 0.5, 100, 28),),
        (around(0.1), around(0.3)),
        (around(0.1), around(0.2), around(0.3)),
        (around(0.2, 0.3), around(0.2, 0.4), around(0.2, 0.5)),
    ],
)
def test_a_p_value_says_what_the_interval_says(estimates: tuple[Estimate, ...]) -> None:
    pooled = over(*estimates)
    low, high = bounds(pooled)
    for bound in (low, high):
        assert pooled.p_value(bound) == pytest.approx(0.05)
    outside, inside = pooled.p_value(low - 0.01), pooled.p_value(low + 0.01)
    assert outside is not None and inside is not None and outside < 0.05 < inside


def test_the_size_that_would_decide() -> None:
    three = over(around(0.1), around(0.2), around(0.3))
    # Of four worlds: 3.182446 · 0.1 / √4 = 0.159 < 0.2.
    assert three.worlds_needed(0) == 4 and three.clusters_needed(0) is None
    assert three.worlds_needed(0.2) is None
    one = over(around(0.1, 0.2))
    assert one.clusters_needed(0) == 4 * 28 and one.worlds_needed(0) is None


def test_seeds_without_worlds_share_their_clusters() -> None:
    one = pool_seeds([around(0.2, 0.1), NO_DATA])
    assert bounds(one) == pytest.approx((0.1, 0.3)) and one.cases == 1
    assert pool_seeds([NO_DATA]) == NOTHING
    alike = pool_seeds([around(0.2, 0.1)] * 2)
    assert bounds(alike) == pytest.approx((0.1, 0.3)) and (alike.worlds, alike.cases) == (1, 2)
    three = pool_seeds([around(0.1, 0.1), around(0.2, 0.1), around(0.3, 0.1)])
    half = sqrt(0.1**2 + (T2 * 0.1 / sqrt(3)) ** 2)
    assert bounds(three) == pytest.approx((0.2 - half, 0.2 + half))
    two = pool_seeds([around(0.1, 0.1), around(0.3, 0.1)])
    half = sqrt(0.1**2 + (Z * 0.1) ** 2)
    assert bounds(two) == pytest.approx((0.2 - half, 0.2 + half))
    assert two.p_value(bounds(two)[0]) == pytest.approx(0.05)


def test_the_size_that_would_decide_without_worlds() -> None:
    two = pool_seeds([around(0.1, 0.1), around(0.3, 0.1)])
    needed = two.seeds_needed(0.0)
    assert needed is not None and two.worlds_needed(0.0) is None
    # Of five and of six seeds, by t with four and with five degrees of freedom.
    five, six = (sqrt(0.1**2 + (t * sqrt(0.02 / count)) ** 2) for t, count in ((2.776445, 5), (2.570582, 6)))
    assert needed == 6 and six < 0.2 < five
    # Seeds do not narrow what clusters leave, and clusters not what seeds leave.
    assert two.seeds_needed(0.12) is None and two.clusters_needed(0.12) is None
    near = pool_seeds([around(0.19, 0.1), around(0.21, 0.1)])
    clusters = near.clusters_needed(0.12)
    assert near.seeds_needed(0.12) is None and clusters is not None
    assert (
        sqrt(0.1**2 * 28 / clusters + (Z * 0.01) ** 2)
        < 0.08
        < sqrt(0.1**2 * 28 / (clusters - 1) + (Z * 0.01) ** 2)
    )


def test_intervals_hold_the_truth_whether_worlds_differ_or_not() -> None:
    random = np.random.default_rng(0)
    for spread in (0.0, 1.0, 2.0):
        means = random.normal(0, spread, (1000, 3)) + random.normal(0, 1, (1000, 3))
        found = [over(*(around(value, Z) for value in row)) for row in means]
        held = [low < 0 < high for low, high in map(bounds, found)]
        assert np.mean(held) > 0.94


def test_a_difference_adds_the_squares_of_both_sides() -> None:
    apart = difference(Estimate(0.5, 0.4, 0.6, 100, 28), Estimate(0.2, 0.1, 0.4, 90, 20))
    assert bounds(apart) == pytest.approx((0.3 - sqrt(0.1**2 + 0.2**2), 0.3 + sqrt(0.1**2 + 0.1**2)))
    assert (apart.n, apart.clusters) == (90, 20)
    assert difference(around(0.1), NO_DATA) == NO_DATA == averaged([around(0.1), NO_DATA])


def test_holm_by_hand() -> None:
    corrected = holm({"b": 0.04, "a": 0.01, "c": 0.03, "open": None})
    assert corrected == pytest.approx({"a": 0.04, "c": 0.09, "b": 0.09, "open": 1.0})
