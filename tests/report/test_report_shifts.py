"""How a shift is told, on the page and in a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from coupling.faithfulness import Results
from coupling.faithfulness.catching_up import SHIFT
from coupling.faithfulness.results import Phase, Shift
from coupling.faithfulness.rows import OWN, STEERED_RUNS, Row
from coupling.records import Estimate
from coupling.report.page import render_page
from coupling.report.shifts import phase_runs, told_on_one_screen, turning
from coupling.report.terminal import print_summary


def known(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value, low, high, 20, 5)


def shifted(results: Results, onset: int = 60, **figures: Estimate) -> Results:
    """The same with a shift of one phase, in which all steered runs move so; other figures are n/a."""
    moved = {"behavior_move": known(0.6), "claims_move": known(0.5)} | figures
    rows = tuple(row for row in results.rows if row.subset != SHIFT)
    rows += tuple(
        Row(figure, STEERED_RUNS, results.step, SHIFT, OWN, found) for figure, found in moved.items()
    )
    return replace(results, rows=rows, shift=Shift(onset, None, (), (Phase(SHIFT, onset, 90),)))


def test_a_lag_is_told_in_a_sentence(coupled: Results) -> None:
    half = {"behavior_half": known(4.2), "claims_half": known(6)}
    late = shifted(coupled, **half, lag_half=known(1.8, 0.9, 2.7))
    assert told_on_one_screen(late) == [
        "shift from step 60: behaviour half-way after 4.2 steps, explanations 1.8 steps later "
        "(lag +1.8 [+0.9, +2.7])"
    ]
    early = shifted(coupled, **half, lag_half=known(-1.2))
    assert told_on_one_screen(early)[0].endswith("explanations 1.2 steps earlier")


def test_what_did_not_move_is_told_as_such(coupled: Results) -> None:
    assert told_on_one_screen(shifted(coupled, behavior_move=known(0.02))) == [
        "shift from step 60: behaviour hardly moved (+0.02 of steered pairs)"
    ]
    assert told_on_one_screen(shifted(coupled)) == [
        "shift from step 60: behaviour moved on +0.60 of steered pairs, claims on +0.50; no checkpoint in "
        "between tells when"
    ]
    silent = shifted(coupled, behavior_half=known(4), claims_move=known(-0.03))
    assert told_on_one_screen(silent)[0].endswith(
        "explanations hardly moved (\N{MINUS SIGN}0.03 of steered pairs)"
    )


def test_a_shift_that_began_with_the_training_takes_no_line(coupled: Results) -> None:
    assert coupled.shift is not None and coupled.shift.onset == 0
    assert told_on_one_screen(coupled) == [] == told_on_one_screen(replace(coupled, shift=None))
    assert len(told_on_one_screen(replace(coupled, shift=replace(coupled.shift, undo=80)))) == 1


def test_the_terminal_tells_of_a_shift(coupled: Results) -> None:
    late = shifted(coupled, behavior_half=known(4), claims_half=known(6), lag_half=known(2))
    console = Console(file=io.StringIO(), width=200, color_system=None)
    print_summary(late, console)
    assert isinstance(console.file, io.StringIO)
    assert "shift from step 60: behaviour half-way after 4.0 steps" in console.file.getvalue()


def test_the_page_shows_the_panel_at_each_moment(coupled: Results) -> None:
    assert coupled.shift is not None
    moments = coupled.shift.moments
    assert [each.name for each in moments] == ["before", "half-way", "after"]
    assert [moments[0].step, moments[-1].step] == [0, coupled.step]
    (table,) = re.findall(
        r'aria-label="Before, during and after the shift">(.*?)</table>', render_page(coupled), re.DOTALL
    )
    assert re.findall(r'<td class="r">(\d+)</td>', table) == [str(each.step) for each in moments]
    for each in moments:
        assert f"{coupled.figures('self', step=each.step).value:.3f}" in table


def test_the_page_draws_each_steered_run_and_lists_its_lag(coupled: Results, empty: Results) -> None:
    page = render_page(coupled)
    steered = [run.name for run in coupled.runs if run.steered]
    assert turning(coupled) == (steered, 0) and turning(empty) == ([], 0)
    drawn = re.findall(r"have turned over steps, ([^.<]+)\. step 0: behaviour", page)
    assert drawn == steered
    (table,) = re.findall(
        r'aria-label="Steps until explanations catch up, shift">(.*?)</table>', page, re.DOTALL
    )
    assert re.findall(r'<th scope="row">([^<]+)</th>', table) == [STEERED_RUNS, *steered]
    assert "How fast explanations follow the shift" not in render_page(empty)


@pytest.mark.parametrize("name", ["coupled", "drifting"])
def test_behaviour_of_steered_runs_turns(name: str, request: pytest.FixtureRequest) -> None:
    """In the synthetic panel most steered pairs turn by the last step, and the claims of a model that reads
    itself turn with them; of one that does not, they hardly move."""
    results: Results = request.getfixturevalue(name)
    assert results.shift is not None
    (phase,) = results.shift.phases
    assert phase_runs(results, phase)[0] == STEERED_RUNS
    behaviour, claims = (
        results.figures(figure, STEERED_RUNS, phase.name).value for figure in ("behavior_move", "claims_move")
    )
    assert behaviour is not None and behaviour > 0.3
    assert claims is not None and (claims > 0.25) == (name == "coupled")
