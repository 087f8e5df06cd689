"""How a shift is told, on the page and in a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from coupling.faithfulness import Results
from coupling.faithfulness.catching_up import ALL_STEERED
from coupling.faithfulness.results import CatchingUp, ShiftResult
from coupling.records import Estimate
from coupling.report.page import render_page
from coupling.report.shifts import moment_rows, told_on_one_screen, turning_points
from coupling.report.terminal import print_summary

NOTHING = Estimate(None, None, None, 0, 0)


def known(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value, low, high, 20, 5)


def phase(**figures: Estimate) -> CatchingUp:
    names = [f"{of}_{which}" for of in ("behavior", "claims", "lag") for which in ("half", "most")]
    moved = {"behavior_move": known(0.6), "claims_move": known(0.5)}
    return CatchingUp(
        run=ALL_STEERED,
        phase="shift",
        start=60,
        stop=90,
        **{**moved, **dict.fromkeys(names, NOTHING), **figures},
    )


def shifted(*phases: CatchingUp, onset: int = 60) -> ShiftResult:
    return ShiftResult(onset, None, (), phases)


def test_a_lag_is_told_in_a_sentence() -> None:
    late = phase(behavior_half=known(4.2), claims_half=known(6), lag_half=known(1.8, 0.9, 2.7))
    assert told_on_one_screen(shifted(late)) == [
        "shift from step 60: behaviour half-way after 4.2 steps, explanations 1.8 steps later "
        "(lag +1.8 [+0.9, +2.7])"
    ]
    early = phase(behavior_half=known(4.2), claims_half=known(3), lag_half=known(-1.2))
    assert told_on_one_screen(shifted(early))[0].endswith("explanations 1.2 steps earlier")


def test_what_did_not_move_is_told_as_such() -> None:
    still = phase(behavior_move=known(0.02))
    assert told_on_one_screen(shifted(still)) == [
        "shift from step 60: behaviour hardly moved (+0.02 of steered pairs)"
    ]
    at_its_ends = phase()
    assert told_on_one_screen(shifted(at_its_ends)) == [
        "shift from step 60: behaviour moved on +0.60 of steered pairs, claims on +0.50; no checkpoint in "
        "between tells when"
    ]
    silent = phase(behavior_half=known(4), claims_move=known(-0.03))
    assert told_on_one_screen(shifted(silent))[0].endswith(
        "explanations hardly moved (\N{MINUS SIGN}0.03 of steered pairs)"
    )


def test_a_shift_that_began_with_the_training_takes_no_line(coupled: Results) -> None:
    assert coupled.shift is not None and coupled.shift.onset == 0
    assert told_on_one_screen(coupled.shift) == [] == told_on_one_screen(None)
    assert len(told_on_one_screen(replace(coupled.shift, undo=80))) == 1


def test_the_terminal_tells_of_a_shift(coupled: Results) -> None:
    late = phase(behavior_half=known(4), claims_half=known(6), lag_half=known(2))
    console = Console(file=io.StringIO(), width=200, color_system=None)
    print_summary(replace(coupled, shift=shifted(late)), console)
    assert isinstance(console.file, io.StringIO)
    assert "shift from step 60: behaviour half-way after 4.0 steps" in console.file.getvalue()


def test_moments_are_rows_of_the_trajectory(coupled: Results) -> None:
    rows = moment_rows(coupled)
    assert [each.name for each in rows] == ["before", "half-way", "after"]
    assert all(each.row in coupled.trajectory for each in rows)
    assert [rows[0].row.step, rows[-1].row.step] == [0, coupled.step]


def test_the_page_draws_each_steered_run_and_lists_its_lag(coupled: Results, empty: Results) -> None:
    page = render_page(coupled)
    steered = [run.name for run in coupled.headline.runs if run.steered]
    assert list(turning_points(coupled)) == steered
    drawn = re.findall(r"have turned over steps, ([^.<]+)\. step 0: behaviour", page)
    assert drawn == steered
    (table,) = re.findall(
        r'aria-label="Steps until explanations catch up, shift">(.*?)</table>', page, re.DOTALL
    )
    assert re.findall(r'<th scope="row">([^<]+)</th>', table) == [ALL_STEERED, *steered]
    assert "How fast explanations follow the shift" not in render_page(empty)


@pytest.mark.parametrize("name", ["coupled", "drifting"])
def test_behaviour_of_steered_runs_turns(name: str, request: pytest.FixtureRequest) -> None:
    """In the synthetic panel most steered pairs turn by the last step, and the claims of a model that reads
    itself turn with them; of one that does not, they hardly move."""
    results: Results = request.getfixturevalue(name)
    assert results.shift is not None
    pooled = results.shift.catching_up[0]
    assert pooled.behavior_move.value is not None and pooled.behavior_move.value > 0.3
    assert pooled.claims_move.value is not None
    assert (pooled.claims_move.value > 0.25) == (name == "coupled")
