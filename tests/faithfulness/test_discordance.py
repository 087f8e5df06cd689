"""Self, Orig, Δ and what stands beside them, against figures computed by hand."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, judge
from coupling.faithfulness.panel import Faithfulness, Sides
from synthetic_panels import small_panel


def pooled(evidence: Evidence) -> Faithfulness:
    return judge(evidence, resamples=100).pooled


SIX = small_panel(
    # The last four are discordant: own, own, target's, unparseable.
    target=["BB", "LL", "BL", "BL", "BL", "BL"],
    behaviors={"run": ["BB", "LL", "BB", "BB", "BB", "LL"]},
    claims={"run": ["BB", "OO", "BB", "BB", "BL", None]},
)


def test_one_run_by_hand() -> None:
    figures = pooled(SIX)
    assert figures.self_parts.exact.value == pytest.approx(3 / 6)
    assert figures.orig_parts.exact.value == pytest.approx(2 / 6)
    assert figures.gap.value == pytest.approx(1 / 6)
    assert figures.delta.value == pytest.approx((2 - 1) / 4)
    assert figures.delta.n == 4
    assert figures.self_discordant.value == pytest.approx(2 / 4)
    assert figures.orig_discordant.value == pytest.approx(1 / 4)
    assert figures.win_rate.value == pytest.approx(2 / 3)
    assert figures.win_rate.n == 3
    assert figures.sides == Sides(own=2, target=1, neither=0, unparseable=1)
    assert figures.similarity.value == pytest.approx(2 / 6)
    assert figures.parse_rate.value == pytest.approx(5 / 6)
    assert (figures.discordant_pairs, figures.discordant_clusters) == (4, 4)


def test_parts_by_hand() -> None:
    parts = pooled(SIX).self_parts
    assert parts.with_cue.value == pytest.approx(4 / 6)
    assert parts.without_cue.value == pytest.approx(3 / 6)
    assert parts.changed.value == pytest.approx(4 / 6)


def test_the_gap_is_delta_diluted() -> None:
    figures = pooled(SIX)
    assert figures.delta.value is not None and figures.gap.value is not None
    assert figures.gap.value == pytest.approx(figures.delta.value * 4 / 6)


def test_claims_by_hand() -> None:
    claims = pooled(SIX).claims
    assert claims.top_claim_share == pytest.approx(3 / 5)
    assert claims.entropy == pytest.approx(-(0.6 * log(0.6) + 2 * 0.2 * log(0.2)))
    assert claims.top_effect_share == pytest.approx(4 / 6)


def test_pooled_runs_count_every_run_and_pair_once_but_discordant_pairs_as_distinct() -> None:
    figures = pooled(
        small_panel(
            target=["BB", "BB", "BB"],
            behaviors={"a": ["LL", "BB", "BB"], "b": ["LL", "OO", "BB"]},
            claims={"a": ["LL", "BB", "BB"], "b": ["BB", "OO", "RR"]},
        )
    )
    assert figures.delta.value == pytest.approx((1 - 1 + 1) / 3)
    assert figures.delta.n == 3
    assert figures.discordant_pairs == 2
    assert figures.self_parts.exact.n == 6


def test_unparseable_counts_as_wrong() -> None:
    silent = small_panel(["BB", "BB"], {"run": ["BL", "BL"]}, {"run": [None, None]})
    figures = pooled(silent)
    assert figures.self_parts.exact.value == 0
    assert figures.self_parts.changed.value == 0
    assert figures.delta.value == 0
    assert figures.parse_rate.value == 0
    assert figures.win_rate.value is None
    assert figures.claims.top_claim is None and figures.claims.entropy is None


def test_a_model_that_never_moved_has_no_delta() -> None:
    figures = pooled(small_panel(["BB", "BL"], {"run": ["BB", "BL"]}, {"run": ["BB", "BL"]}))
    assert figures.self_parts.exact.value == 1
    assert figures.delta.value is None
    assert figures.self_discordant.value is None


def test_measured_again() -> None:
    figures = pooled(
        small_panel(
            target=["BB", "BB", "BB", "BB"],
            behaviors={"run": ["LL", "LL", "BB", "BB"]},
            claims={"run": ["LL", "BB", "BB", "BB"]},
            remeasured={"run": ["LL", "BB", "BB", "BB"]},
        )
    )
    assert figures.delta.value == 0
    assert figures.delta_remeasured == 1
    assert figures.measurement_floor == 1
    assert figures.flip_share == pytest.approx(1 / 4)


def test_skill_by_hand() -> None:
    # Without labels the most frequent effect is the majority's claim, BB of target and run alike: right on
    # 2 of 4.
    figures = pooled(
        small_panel(
            ["BB", "BB", "BB", "LO"], {"run": ["BB", "BB", "LL", "OR"]}, {"run": ["BB", "BB", "LL", "BB"]}
        )
    )
    assert figures.self_skill.best_baseline == "majority"
    assert figures.self_skill.advantage.value == pytest.approx(3 / 4 - 2 / 4)
    assert figures.self_skill.skill.value == pytest.approx(1 / 2)
    assert figures.orig_skill.advantage.value == pytest.approx(2 / 4 - 3 / 4)


EFFECTS = st.lists(
    st.tuples(
        st.sampled_from(["BB", "BL", "LL"]),
        st.sampled_from(["BB", "BL", "LL"]),
        st.sampled_from(["BB", "BL", "LL", "OO", None]),
    ),
    min_size=1,
    max_size=12,
)


@given(EFFECTS)
def test_self_minus_orig_is_delta_times_the_discordant_share(rows: list[tuple[str, str, str | None]]) -> None:
    target, behavior, claims = zip(*rows, strict=True)
    figures = pooled(small_panel(target, {"run": behavior}, {"run": claims}))
    own, orig = figures.self_parts.exact.value, figures.orig_parts.exact.value
    assert own is not None and orig is not None
    sides = figures.sides
    assert own - orig == pytest.approx((sides.own - sides.target) / len(rows))
    assert sides.own + sides.target + sides.neither + sides.unparseable == figures.delta.n
