"""How often the answer follows the cue, and how far that was moved, against figures computed by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, Figures
from coupling.faithfulness.figures import trajectory_rows
from coupling.faithfulness.following import following_rows
from coupling.faithfulness.rows import ALL_RUNS, ASKED
from synthetic_panels import drifting_panel, effect, looked_up, panel_of, small_panel

CUES = ("Bern", "Lima", "Bern", None)
ADVISERS = ("Chen", "Chen", "Diaz", "Diaz")
STILL = ["OO", "LO", "BO", "OO"]
"""What the base does: it follows the second and the third cue."""


def cued(
    behaviors: dict[str, list[str]], steered: dict[str, str], clusters: list[str] | None = None
) -> Evidence:
    """Four pairs, the last of which has a cue that speaks for no choice."""
    evidence = small_panel(STILL, behaviors, dict(behaviors), clusters=clusters)
    pairs = tuple(
        replace(pair, cue_value=cue, tags={"adviser": adviser})
        for pair, cue, adviser in zip(evidence.pairs, CUES, ADVISERS, strict=True)
    )
    runs = tuple(
        replace(run, steered={"adviser": (steered[run.name],)} if run.name in steered else {})
        for run in evidence.runs
    )
    return replace(evidence, pairs=pairs, runs=runs, base=evidence.target)


def figures_of(evidence: Evidence) -> Figures:
    panel = panel_of(evidence)
    return looked_up(panel, trajectory_rows(panel), following_rows(panel))


def test_by_hand() -> None:
    # "a" was steered on Chen and follows both cues there; "b", unsteered, follows Diaz' only.
    evidence = cued({"a": ["BO", "LO", "OO", "LO"], "b": ["OO", "OO", "BB", "BL"]}, {"a": "Chen"})
    found = figures_of(evidence)
    told = {
        ("followed", "a", "all"): (2 / 3, 3),
        ("followed", "a", ASKED): (1, 2),
        ("shift", "a", "all"): (0, 3),
        ("shift", "a", ASKED): (1 / 2, 2),
        ("changed", "a", "all"): (3 / 4, 4),
        ("followed", "b", "all"): (1 / 3, 3),
        ("shift", "b", "all"): (-1 / 3, 3),
        ("changed", "b", "all"): (1 / 4, 4),
        ("followed", ALL_RUNS, "all"): (3 / 6, 6),
        ("shift", ALL_RUNS, "all"): (-1 / 6, 6),
        ("changed", ALL_RUNS, "all"): (4 / 8, 8),
    }
    for (figure, run, subset), (value, n) in told.items():
        estimate = found(figure, run, subset)
        assert (estimate.value, estimate.n) == (pytest.approx(value), n), (figure, run, subset)
    assert found("followed", "b", ASKED).value is None and found("shift", "b", ASKED).value is None
    assert found("followed", ALL_RUNS, ASKED) == found("followed", "a", ASKED)


def follows(evidence: Evidence, letters: str) -> int:
    """Of the first pair, whose cue speaks of Bern."""
    table = panel_of(evidence).table
    return int(table.follows(table.encode([effect(letters)] * len(table.pairs)))[0])


def test_one_pair() -> None:
    evidence = cued({"a": STILL}, {})
    assert (follows(evidence, "BO"), follows(evidence, "OB")) == (1, 0)
    assert (
        follows(replace(evidence, pairs=tuple(replace(p, cue_value=None) for p in evidence.pairs)), "BO")
        == -1
    )


def test_who_takes_a_dissuading_cue_at_its_word_answers_something_else() -> None:
    evidence = cued({"a": STILL}, {})
    against = replace(evidence, pairs=tuple(replace(pair, against=True) for pair in evidence.pairs))
    assert (follows(against, "BO"), follows(against, "OB")) == (0, 1)


def test_what_could_not_be_read_follows_nothing() -> None:
    evidence = cued({"a": STILL}, {})
    against = replace(evidence, pairs=tuple(replace(pair, against=True) for pair in evidence.pairs))
    for each in (evidence, against):
        table = panel_of(each).table
        assert table.follows(table.encode([None] * 4)).tolist() == [0, 0, 0, -1]


def test_what_is_not_known_is_not_available() -> None:
    evidence = cued({"a": STILL}, {"a": "Diaz"})
    unknown = figures_of(replace(evidence, base={}))
    assert unknown("shift", "a").value is None and unknown("followed", "a").value is not None
    silent = figures_of(
        replace(evidence, pairs=tuple(replace(pair, cue_value=None) for pair in evidence.pairs))
    )
    assert silent("followed", "a").value is None and silent("shift", "a").value is None
    assert silent("changed", "a").value is not None


def test_at_the_base_nothing_has_moved() -> None:
    panel = drifting_panel(clusters=12, pairs_each=8)
    still = replace(panel, runs=tuple(replace(run, behaviors=panel.base) for run in panel.runs))
    found = figures_of(still)
    runs = [ALL_RUNS, *(run.name for run in still.runs)]
    for run in runs:
        shift = found("shift", run)
        assert (shift.value, shift.low, shift.high) == (0, 0, 0)
    assert len({found("followed", run).value for run in runs}) == 1


def test_steering_moves_the_steered_pairs_its_own_way() -> None:
    found = figures_of(drifting_panel(clusters=20, pairs_each=24))
    for who in ("Chen", "Diaz"):
        follow, ignore = found("shift", f"follow-{who}", ASKED), found("shift", f"ignore-{who}", ASKED)
        assert follow.low is not None and follow.low > 0.15
        assert ignore.high is not None and ignore.high < -0.15
        assert found("followed", f"follow-{who}", ASKED).value == 1


@given(st.lists(st.sampled_from(["BO", "OB", "LO", "OO", "RR"]), min_size=4, max_size=4))
def test_followed_is_what_the_shift_adds_to_the_base(behavior: list[str]) -> None:
    found = figures_of(cued({"base": STILL, "run": behavior}, {"run": "Chen"}))
    followed, of_base = found("followed", "run").value, found("followed", "base").value
    assert followed is not None and of_base is not None
    assert found("shift", "run").value == pytest.approx(followed - of_base)
