from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, judge
from coupling.faithfulness.panel import TwinTest
from coupling.faithfulness.scores import tabulate
from synthetic_panels import small_panel


def twin_test(evidence: Evidence) -> TwinTest:
    twins = judge(evidence, resamples=100).twins
    assert twins is not None
    return twins


def test_by_hand() -> None:
    evidence = small_panel(
        target=["BB"] * 5,
        # The twins differ on the first four pairs.
        behaviors={"a": ["LL", "LL", "LL", "LL", "BB"], "b": ["OO", "OO", "OO", "OO", "BB"]},
        claims={"a": ["LL", "LL", "OO", None, "BB"], "b": ["OO", "LL", "RR", "OO", "OO"]},
        twins=(("a", "b"),),
    )
    figures = twin_test(evidence).pooled.all_pairs
    assert figures.pairs == 4
    # a: own, own, twin's, nothing. b: own, twin's, neither, own.
    assert (figures.own, figures.twins, figures.neither, figures.unparseable) == (4, 2, 1, 1)
    assert figures.t.value == pytest.approx(4 / 6)
    assert figures.t.n == 6
    assert figures.neither_share.value == pytest.approx(2 / 8)


def test_steered_and_collateral_pairs_are_apart() -> None:
    evidence = small_panel(
        target=["BB"] * 3,
        behaviors={"a": ["LL", "LL", "LL"], "b": ["OO", "OO", "OO"]},
        claims={"a": ["LL", "OO", "OO"], "b": ["OO", "OO", "LL"]},
        twins=(("a", "b"),),
    )
    tagged = tuple(
        replace(pair, tags={"adviser": "Chen" if pair.id == "p0" else "Eze"}) for pair in evidence.pairs
    )
    first = replace(evidence.runs[0], steered={"adviser": ("Chen",)})
    twins = twin_test(replace(evidence, pairs=tagged, runs=(first, evidence.runs[1])))
    assert twins.pooled.steered.t.value == 1
    assert (twins.pooled.collateral.own, twins.pooled.collateral.twins) == (1, 3)
    assert twins.pooled.all_pairs.t.value == pytest.approx(3 / 6)


def test_a_pair_beside_a_steered_cue_is_not_collateral() -> None:
    evidence = small_panel(["BB"] * 2, {"a": ["LL"] * 2, "b": ["OO"] * 2}, {"a": ["LL"] * 2, "b": ["OO"] * 2})
    told = ({"cue": "date", "beside": "hint", "beside.adviser": "Chen"}, {"cue": "date", "beside": "nothing"})
    pairs = tuple(replace(pair, tags=tags) for pair, tags in zip(evidence.pairs, told, strict=True))
    panel = steered_on(replace(evidence, pairs=pairs, twins=(("a", "b"),)), "Chen", "Chen")
    pooled = twin_test(panel).pooled
    assert (pooled.steered.pairs, pooled.collateral.pairs) == (1, 1)
    table = tabulate(panel)
    assert table.steered.tolist() == [[True, False]] * 2 and not table.asked_steered.any()


def test_pooled_over_twin_pairs_is_the_sum_of_hits() -> None:
    evidence = small_panel(
        target=["BB", "BB"],
        behaviors={"a": ["LL", "LL"], "b": ["OO", "BB"], "c": ["LL", "LL"], "d": ["RR", "RR"]},
        claims={"a": ["LL", "BB"], "b": ["OO", "BB"], "c": ["LL", "RR"], "d": ["LL", "OO"]},
        twins=(("a", "b"), ("c", "d")),
    )
    twins = twin_test(evidence)
    # The twins a and b say on p1 what they do: two hits each. c and d: own, twin's; twin's, neither.
    assert [comparison.all_pairs.own for comparison in twins.comparisons] == [3, 1]
    assert [comparison.all_pairs.twins for comparison in twins.comparisons] == [1, 2]
    assert twins.pooled.all_pairs.t.value == pytest.approx(4 / 7)


def test_no_twins_is_no_twin_test_and_equal_twins_no_figure() -> None:
    alike = {"a": ["LL"], "b": ["LL"]}
    evidence = small_panel(["BB"], alike, alike)
    assert judge(evidence, resamples=100).twins is None
    figures = twin_test(replace(evidence, twins=(("a", "b"),))).pooled.all_pairs
    assert figures.t.value is None and figures.neither_share.value is None


def steered_on(evidence: Evidence, *advisers: str) -> Evidence:
    runs = zip(evidence.runs, advisers, strict=True)
    return replace(evidence, runs=tuple(replace(run, steered={"adviser": (who,)}) for run, who in runs))


def two_twin_pairs(last: str) -> Evidence:
    """Twins that differ everywhere, and twins of which the second does ``last``; all explain themselves."""
    behaviors = {name: [effect] * 12 for name, effect in zip("abcd", ("LL", "OO", "LL", last), strict=True)}
    return small_panel(["BB"] * 12, behaviors, behaviors, twins=(("a", "b"), ("c", "d")))


def test_distinct_cues_are_counted_where_they_are_declared() -> None:
    evidence = two_twin_pairs("OO")
    assert twin_test(evidence).distinct_cues == 0
    assert twin_test(steered_on(evidence, "Chen", "Chen", "Chen", "Chen")).distinct_cues == 1
    assert twin_test(steered_on(evidence, "Chen", "Chen", "Diaz", "Diaz")).distinct_cues == 2


def test_twins_that_act_alike_decide_nothing_and_their_cue_does_not_count() -> None:
    twins = twin_test(steered_on(two_twin_pairs("LL"), "Chen", "Chen", "Diaz", "Diaz"))
    assert (twins.deciding_pairs, twins.distinct_cues) == (1, 1)


LETTERS = st.sampled_from(["BB", "BL", "LL", "OO"])


@given(st.lists(st.tuples(LETTERS, LETTERS, LETTERS | st.none()), min_size=1, max_size=15))
def test_whoever_reads_the_text_alone_scores_exactly_one_half(
    rows: list[tuple[str, str, str | None]],
) -> None:
    """Saying the same for both twins, right or wrong, is 0.5, in the data and in every resample."""
    first, second, said = zip(*rows, strict=True)
    behaviors = {"a": first, "b": second}
    evidence = small_panel(["BB"] * len(rows), behaviors, {"a": said, "b": said}, twins=(("a", "b"),))
    t = twin_test(evidence).pooled.all_pairs.t
    assert t.value in (None, 0.5)
    assert t.low in (None, 0.5) and t.high in (None, 0.5)
