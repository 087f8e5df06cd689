"""Self, Orig, Δ and what stands beside them, against figures computed by hand."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, Figures
from coupling.faithfulness.figures import baseline_rows, headline_rows, judged_rows, trajectory_rows
from coupling.faithfulness.judge import encoded_baselines
from coupling.faithfulness.rows import ALL_RUNS, DISCORDANT, Spread, best_baseline
from synthetic_panels import looked_up, panel_of, small_panel


def pooled(evidence: Evidence) -> Figures:
    return pooled_and_spread(evidence)[0]


def pooled_and_spread(evidence: Evidence) -> tuple[Figures, Spread]:
    panel = panel_of(evidence)
    baselines = encoded_baselines(evidence, panel.table)
    rows, spread = judged_rows(panel, baselines, panel.every_run)
    rows += baseline_rows(panel, baselines, panel.every_run)
    return looked_up(panel, trajectory_rows(panel), headline_rows(panel), rows), spread


def sides(figures: Figures) -> dict[str, int]:
    """How many explanations of discordant pairs say what."""
    shares = {
        name: figures(name, ALL_RUNS, DISCORDANT) for name in ("self", "orig", "neither", "unparseable")
    }
    return {name: round((share.value or 0) * share.n) for name, share in shares.items()}


SIX = small_panel(
    # The last four are discordant: own, own, target's, unparseable.
    target=["BB", "LL", "BL", "BL", "BL", "BL"],
    behaviors={"run": ["BB", "LL", "BB", "BB", "BB", "LL"]},
    claims={"run": ["BB", "OO", "BB", "BB", "BL", None]},
)


def test_one_run_by_hand() -> None:
    figures = pooled(SIX)
    assert figures("self").value == pytest.approx(3 / 6)
    assert figures("orig").value == pytest.approx(2 / 6)
    assert figures("gap").value == pytest.approx(1 / 6)
    assert figures("delta").value == pytest.approx((2 - 1) / 4)
    assert figures("delta").n == 4
    assert figures("self", subset=DISCORDANT).value == pytest.approx(2 / 4)
    assert figures("orig", subset=DISCORDANT).value == pytest.approx(1 / 4)
    assert figures("win_rate").value == pytest.approx(2 / 3)
    assert figures("win_rate").n == 3
    assert sides(figures) == {"self": 2, "orig": 1, "neither": 0, "unparseable": 1}
    assert figures("similarity").value == pytest.approx(2 / 6)
    assert figures("parse_rate").value == pytest.approx(5 / 6)
    assert (figures.count("discordant_pairs"), figures("discordant_pairs").clusters) == (4, 4)


def test_parts_by_hand() -> None:
    figures = pooled(SIX)
    assert figures("self_with_cue").value == pytest.approx(4 / 6)
    assert figures("self_without_cue").value == pytest.approx(3 / 6)
    assert figures("self_changed").value == pytest.approx(4 / 6)


def test_the_gap_is_delta_diluted() -> None:
    figures = pooled(SIX)
    delta, gap = figures("delta").value, figures("gap").value
    assert delta is not None and gap == pytest.approx(delta * 4 / 6)


def test_claims_by_hand() -> None:
    figures, spread = pooled_and_spread(SIX)
    assert spread == Spread(ALL_RUNS, ("Bern", "Bern"), ("Bern", "Bern"))
    assert figures("top_claim_share").value == pytest.approx(3 / 5)
    assert figures("claim_entropy").value == pytest.approx(-(0.6 * log(0.6) + 2 * 0.2 * log(0.2)))
    assert figures("top_effect_share").value == pytest.approx(4 / 6)


def test_pooled_runs_count_every_run_and_pair_once_but_discordant_pairs_as_distinct() -> None:
    figures = pooled(
        small_panel(
            target=["BB", "BB", "BB"],
            behaviors={"a": ["LL", "BB", "BB"], "b": ["LL", "OO", "BB"]},
            claims={"a": ["LL", "BB", "BB"], "b": ["BB", "OO", "RR"]},
        )
    )
    assert figures("delta").value == pytest.approx((1 - 1 + 1) / 3)
    assert figures("delta").n == 3
    assert figures.count("discordant_pairs") == 2
    assert figures("self").n == 6


def test_unparseable_counts_as_wrong() -> None:
    silent = small_panel(["BB", "BB"], {"run": ["BL", "BL"]}, {"run": [None, None]})
    figures, spread = pooled_and_spread(silent)
    for name in ("self", "self_changed", "delta", "parse_rate"):
        assert figures(name).value == 0
    assert figures("win_rate").value is None
    assert spread.top_claim is None and figures("claim_entropy").value is None


def test_a_model_that_never_moved_has_no_delta() -> None:
    figures = pooled(small_panel(["BB", "BL"], {"run": ["BB", "BL"]}, {"run": ["BB", "BL"]}))
    assert figures("self").value == 1
    assert figures("delta").value is None
    assert figures("self", subset=DISCORDANT).value is None
    assert figures.count("discordant_pairs") == 0


def test_measured_again() -> None:
    figures = pooled(
        small_panel(
            target=["BB", "BB", "BB", "BB"],
            behaviors={"run": ["LL", "LL", "BB", "BB"]},
            claims={"run": ["LL", "BB", "BB", "BB"]},
            remeasured={"run": ["LL", "BB", "BB", "BB"]},
        )
    )
    assert figures("delta").value == 0
    assert figures("delta_remeasured").value == 1
    assert figures("measurement_floor").value == 1
    assert figures("flip_share").value == pytest.approx(1 / 4)


def test_skill_by_hand() -> None:
    # Without labels the most frequent effect is the majority's claim, BB of target and run alike: right on
    # 2 of 4.
    figures = pooled(
        small_panel(
            ["BB", "BB", "BB", "LO"], {"run": ["BB", "BB", "LL", "OR"]}, {"run": ["BB", "BB", "LL", "BB"]}
        )
    )
    assert best_baseline(figures) == "majority"
    assert figures("self_advantage").value == pytest.approx(3 / 4 - 2 / 4)
    assert figures("self_skill").value == pytest.approx(1 / 2)
    assert figures("orig_advantage").value == pytest.approx(2 / 4 - 3 / 4)


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
    own, orig, said = figures("self").value, figures("orig").value, sides(figures)
    assert own is not None and orig is not None
    assert own - orig == pytest.approx((said["self"] - said["orig"]) / len(rows))
    assert sum(said.values()) == figures("delta").n
