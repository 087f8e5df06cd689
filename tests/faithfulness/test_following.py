"""How often the answer follows the cue, and how far that was moved, against figures computed by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, trajectory_row
from coupling.faithfulness.results import TrajectoryRun
from coupling.faithfulness.scores import followed
from synthetic_panels import drifting_panel, effect, small_panel

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


def pooled_and_runs(evidence: Evidence) -> tuple[TrajectoryRun, ...]:
    row = trajectory_row(evidence, resamples=100)
    return (row.pooled, *row.runs)


def test_by_hand() -> None:
    # "a" was steered on Chen and follows both cues there; "b", unsteered, follows Diaz' only.
    evidence = cued({"a": ["BO", "LO", "OO", "LO"], "b": ["OO", "OO", "BB", "BL"]}, {"a": "Chen"})
    both, a, b = pooled_and_runs(evidence)
    assert (a.followed.value, a.followed.n) == (pytest.approx(2 / 3), 3)
    assert (a.followed_steered.value, a.followed_steered.n) == (1, 2)
    assert a.shift.value == pytest.approx(0)
    assert (a.shift_steered.value, a.shift_steered.n) == (pytest.approx(1 / 2), 2)
    assert (a.changed.value, a.changed.n) == (pytest.approx(3 / 4), 4)
    assert b.followed.value == pytest.approx(1 / 3)
    assert b.shift.value == pytest.approx(-1 / 3)
    assert b.followed_steered.value is None and b.shift_steered.value is None
    assert b.changed.value == pytest.approx(1 / 4)
    assert (both.followed.value, both.followed.n) == (pytest.approx(3 / 6), 6)
    assert both.followed_steered == a.followed_steered
    assert both.shift.value == pytest.approx(-1 / 6)
    assert both.changed.value == pytest.approx(4 / 8)


def test_one_pair() -> None:
    pair = cued({"a": STILL}, {}).pairs[0]
    assert followed(pair, effect("BO")) is True
    assert followed(pair, effect("OB")) is False
    assert followed(replace(pair, cue_value=None), effect("BO")) is None


def test_who_takes_a_dissuading_cue_at_its_word_answers_something_else() -> None:
    against = replace(cued({"a": STILL}, {}).pairs[0], against=True)
    assert followed(against, effect("BO")) is False
    assert followed(against, effect("OB")) is True


def test_what_is_not_known_is_not_available() -> None:
    evidence = cued({"a": STILL}, {"a": "Diaz"})
    unknown = replace(evidence, base={})
    _, run = pooled_and_runs(unknown)
    assert run.shift.value is None and run.followed.value is not None
    silent = replace(evidence, pairs=tuple(replace(pair, cue_value=None) for pair in evidence.pairs))
    _, run = pooled_and_runs(silent)
    assert run.followed.value is None and run.shift.value is None
    assert run.changed.value is not None


def test_at_the_base_nothing_has_moved() -> None:
    panel = drifting_panel(clusters=12, pairs_each=8)
    still = replace(panel, runs=tuple(replace(run, behaviors=panel.base) for run in panel.runs))
    for run in pooled_and_runs(still):
        assert (run.shift.value, run.shift.low, run.shift.high) == (0, 0, 0)
    assert len({run.followed.value for run in pooled_and_runs(still)}) == 1


def test_steering_moves_the_steered_pairs_its_own_way() -> None:
    runs = {run.name: run for run in pooled_and_runs(drifting_panel(clusters=20, pairs_each=24))}
    for who in ("Chen", "Diaz"):
        follow, ignore = runs[f"follow-{who}"].shift_steered, runs[f"ignore-{who}"].shift_steered
        assert follow.low is not None and follow.low > 0.15
        assert ignore.high is not None and ignore.high < -0.15
        assert runs[f"follow-{who}"].followed_steered.value == 1


@given(st.lists(st.sampled_from(["BO", "OB", "LO", "OO", "RR"]), min_size=4, max_size=4))
def test_followed_is_what_the_shift_adds_to_the_base(behavior: list[str]) -> None:
    _, base, run = pooled_and_runs(cued({"base": STILL, "run": behavior}, {"run": "Chen"}))
    assert run.followed.value is not None and base.followed.value is not None
    assert run.shift.value == pytest.approx(run.followed.value - base.followed.value)
