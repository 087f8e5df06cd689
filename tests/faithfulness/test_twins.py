from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, Figures
from coupling.faithfulness.rows import ALL, ALL_RUNS, OTHER, STEERED, twins_name
from coupling.faithfulness.twins import deciding_rows, t_rows, twin_rows
from synthetic_panels import looked_up, panel_of, small_panel


def twin_test(evidence: Evidence) -> Figures:
    panel = panel_of(evidence)
    return looked_up(panel, twin_rows(panel), deciding_rows(panel))


def hits(found: Figures, run: str = ALL_RUNS, subset: str = ALL) -> tuple[int, int]:
    """How many explanations name their own run's effect, and their twin's."""
    t = found("t", run, subset)
    assert t.value is not None
    own = round(t.value * t.n)
    return own, t.n - own


def test_by_hand() -> None:
    evidence = small_panel(
        target=["BB"] * 5,
        # The twins differ on the first four pairs.
        behaviors={"a": ["LL", "LL", "LL", "LL", "BB"], "b": ["OO", "OO", "OO", "OO", "BB"]},
        claims={"a": ["LL", "LL", "OO", None, "BB"], "b": ["OO", "LL", "RR", "OO", "OO"]},
        twins=(("a", "b"),),
    )
    found = twin_test(evidence)
    assert found.count("twin_pairs") == 4
    # a: own, own, twin's, nothing. b: own, twin's, neither, own.
    assert hits(found) == (4, 2)
    assert found("t").value == pytest.approx(4 / 6)
    assert found("twin_neither").value == pytest.approx(2 / 8)
    assert (found("twin_unparseable").value, found("twin_unparseable").n) == (pytest.approx(1 / 8), 8)


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
    found = twin_test(replace(evidence, pairs=tagged, runs=(first, evidence.runs[1])))
    assert found("t", subset=STEERED).value == 1
    assert hits(found, subset=OTHER) == (1, 3)
    assert found("t").value == pytest.approx(3 / 6)


def test_a_pair_beside_a_steered_cue_is_not_collateral() -> None:
    evidence = small_panel(["BB"] * 2, {"a": ["LL"] * 2, "b": ["OO"] * 2}, {"a": ["LL"] * 2, "b": ["OO"] * 2})
    told = ({"cue": "date", "beside": "hint", "beside.adviser": "Chen"}, {"cue": "date", "beside": "nothing"})
    pairs = tuple(replace(pair, tags=tags) for pair, tags in zip(evidence.pairs, told, strict=True))
    panel = steered_on(replace(evidence, pairs=pairs, twins=(("a", "b"),)), "Chen", "Chen")
    found = twin_test(panel)
    assert (found.count("twin_pairs", subset=STEERED), found.count("twin_pairs", subset=OTHER)) == (1, 1)
    table = panel_of(panel).table
    assert table.steered.tolist() == [[True, False]] * 2 and not table.asked_steered.any()


def test_pooled_over_twin_pairs_is_the_sum_of_hits() -> None:
    evidence = small_panel(
        target=["BB", "BB"],
        behaviors={"a": ["LL", "LL"], "b": ["OO", "BB"], "c": ["LL", "LL"], "d": ["RR", "RR"]},
        claims={"a": ["LL", "BB"], "b": ["OO", "BB"], "c": ["LL", "RR"], "d": ["LL", "OO"]},
        twins=(("a", "b"), ("c", "d")),
    )
    found = twin_test(evidence)
    # The twins a and b say on p1 what they do: two hits each. c and d: own, twin's; twin's, neither.
    assert hits(found, twins_name("a", "b")) == (3, 1)
    assert hits(found, twins_name("c", "d")) == (1, 2)
    assert found("t").value == pytest.approx(4 / 7)


def test_no_twins_is_no_twin_test_and_equal_twins_no_figure() -> None:
    alike = {"a": ["LL"], "b": ["LL"]}
    evidence = small_panel(["BB"], alike, alike)
    assert list(twin_test(evidence)) == []
    found = twin_test(replace(evidence, twins=(("a", "b"),)))
    assert found("t").value is None and found("twin_neither").value is None
    assert found.count("twin_pairs") == found.count("deciding_twin_pairs") == 0


def steered_on(evidence: Evidence, *advisers: str) -> Evidence:
    runs = zip(evidence.runs, advisers, strict=True)
    return replace(evidence, runs=tuple(replace(run, steered={"adviser": (who,)}) for run, who in runs))


def two_twin_pairs(last: str) -> Evidence:
    """Twins that differ everywhere, and twins of which the second does ``last``; all explain themselves."""
    behaviors = {name: [effect] * 12 for name, effect in zip("abcd", ("LL", "OO", "LL", last), strict=True)}
    return small_panel(["BB"] * 12, behaviors, behaviors, twins=(("a", "b"), ("c", "d")))


def test_distinct_cues_are_counted_where_they_are_declared() -> None:
    evidence = two_twin_pairs("OO")
    assert twin_test(evidence).count("distinct_cues") == 0
    assert twin_test(steered_on(evidence, "Chen", "Chen", "Chen", "Chen")).count("distinct_cues") == 1
    assert twin_test(steered_on(evidence, "Chen", "Chen", "Diaz", "Diaz")).count("distinct_cues") == 2


def test_twins_that_act_alike_decide_nothing_and_their_cue_does_not_count() -> None:
    twins = twin_test(steered_on(two_twin_pairs("LL"), "Chen", "Chen", "Diaz", "Diaz"))
    assert (twins.count("deciding_twin_pairs"), twins.count("distinct_cues")) == (1, 1)


def test_t_alone_is_that_of_the_twin_test() -> None:
    panel = panel_of(steered_on(two_twin_pairs("OO"), "Chen", "Chen", "Diaz", "Diaz"))
    assert looked_up(panel, t_rows(panel))("t") == looked_up(panel, twin_rows(panel))("t")


LETTERS = st.sampled_from(["BB", "BL", "LL", "OO"])


@given(st.lists(st.tuples(LETTERS, LETTERS, LETTERS | st.none()), min_size=1, max_size=15))
def test_whoever_reads_the_text_alone_scores_exactly_one_half(
    rows: list[tuple[str, str, str | None]],
) -> None:
    """Saying the same for both twins, right or wrong, is 0.5, in the data and in every resample."""
    first, second, said = zip(*rows, strict=True)
    behaviors = {"a": first, "b": second}
    evidence = small_panel(["BB"] * len(rows), behaviors, {"a": said, "b": said}, twins=(("a", "b"),))
    t = twin_test(evidence)("t")
    assert t.value in (None, 0.5)
    assert t.low in (None, 0.5) and t.high in (None, 0.5)
