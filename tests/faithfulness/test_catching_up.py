"""How many steps claims take to follow a shift, against figures computed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, Figures, Provenance, Results, Schedule, evaluate
from coupling.faithfulness.catching_up import SHIFT, UNDOING, catching_up, steps_to
from coupling.faithfulness.following import following_rows
from coupling.faithfulness.results import ModelDescription, Shift
from coupling.faithfulness.rows import ASKED, STEERED_RUNS
from coupling.records import Estimate
from synthetic_panels import looked_up, panel_of, small_panel

ALWAYS, NEVER = "BO", "OO"
"""Answers that follow the cue, which speaks for B, and that do not."""
PAIRS = 10


def panel(step: int, behaves: int, claims: int, unread: int = 0, runs: Sequence[str] = ("a",)) -> Evidence:
    """Ten pairs about a steered cue that the base never follows: how many are followed, and are said to be.

    Of those said to be followed the last ``unread`` cannot be read.
    """
    said: list[str | None] = [ALWAYS] * (claims - unread) + [None] * unread + [NEVER] * (PAIRS - claims)
    evidence = small_panel(
        [NEVER] * PAIRS,
        {name: [ALWAYS] * behaves + [NEVER] * (PAIRS - behaves) for name in runs},
        {name: said for name in runs},
        clusters=[f"c{number % 5}" for number in range(PAIRS)],
    )
    pairs = tuple(replace(pair, cue_value="Bern", tags={"adviser": "Chen"}) for pair in evidence.pairs)
    steered = tuple(replace(run, step=step, steered={"adviser": ("Chen",)}) for run in evidence.runs)
    return replace(evidence, pairs=pairs, runs=steered, base=evidence.target)


def found(panels: Mapping[int, Evidence], schedule: Schedule) -> tuple[Figures, Shift | None]:
    """Figures at the last step."""
    rows, shift = catching_up(
        {step: panel_of(evidence, 200) for step, evidence in panels.items()}, max(panels), schedule
    )
    return Figures(rows, max(panels)), shift


def caught_up(panels: Mapping[int, Evidence], schedule: Schedule, phase: str = SHIFT) -> dict[str, Estimate]:
    """Figure → of all steered runs pooled, in one phase; what has no data is left out."""
    return of(found(panels, schedule)[0], STEERED_RUNS, phase)


def of(figures: Figures, run: str, phase: str = SHIFT) -> dict[str, Estimate]:
    return {row.figure: row.estimate for row in figures if (row.run, row.subset) == (run, phase)}


def asked(evidence: Evidence) -> dict[str, float | None]:
    """Figure → of run "a", over the pairs asked about a cue by which it is steered."""
    panel = panel_of(evidence)
    rows = looked_up(panel, following_rows(panel))
    return {row.figure: row.estimate.value for row in rows if (row.run, row.subset) == ("a", ASKED)}


def test_steps_by_hand() -> None:
    """From 0 to 0.8 in three checkpoints: half of it, 0.4, lies a third of the way from 0.3 to 0.6."""
    values = np.array([[0.0], [0.3], [0.6], [0.8]])
    assert steps_to(0.5, [0, 5, 10, 20], values) == pytest.approx([5 + 5 / 3])
    assert steps_to(0.9, [0, 5, 10, 20], values) == pytest.approx([10 + 10 * 0.12 / 0.2])


def test_the_first_crossing_counts() -> None:
    values = np.array([[0.0], [0.6], [0.2], [0.8]])
    assert steps_to(0.5, [0, 6, 12, 18], values) == pytest.approx([4])


def test_what_hardly_moves_has_no_steps() -> None:
    values = np.array([[0.50, 0.50, np.nan], [0.55, 0.55, 0.2], [0.59, 0.60, 0.9]])
    steps = steps_to(0.5, [0, 5, 10], values)
    assert np.isnan(steps[[0, 2]]).all() and steps[1] == pytest.approx(5)


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=6),
    st.sampled_from([0.25, 0.5, 0.9]),
    st.integers(1, 9),
)
def test_down_is_up_turned_over_and_slower_is_later(shares: list[float], share: float, slower: int) -> None:
    values, steps = np.array(shares)[:, None], list(range(0, 4 * len(shares), 4))
    up = steps_to(share, steps, values)
    assert steps_to(share, steps, 1 - values) == pytest.approx(up, nan_ok=True)
    assert steps_to(share, [slower * step for step in steps], values) == pytest.approx(
        slower * up, nan_ok=True
    )
    if not np.isnan(up[0]):
        assert 0 <= up[0] <= steps[-1]


def test_a_lag_by_hand() -> None:
    """Behaviour goes 0, 0.8, 0.8 from step 20 on, claims 0, 0.2, 0.6: half after 2 and after 4 + 4 / 4."""
    panels = {0: panel(0, 0, 0), 20: panel(20, 0, 0), 24: panel(24, 8, 2), 28: panel(28, 8, 6)}
    figures, shift = found(panels, Schedule(onset=20))
    both = of(figures, STEERED_RUNS)
    assert {figure: estimate.value for figure, estimate in both.items()} == {
        "behavior_move": pytest.approx(0.8),
        "claims_move": pytest.approx(0.6),
        "behavior_half": pytest.approx(2),
        "claims_half": pytest.approx(4 + 4 * 0.1 / 0.4),
        "lag_half": pytest.approx(3),
        "behavior_most": pytest.approx(4 * 0.9),
        "claims_most": pytest.approx(4 + 4 * 0.34 / 0.4),
        "lag_most": pytest.approx(4 + 4 * 0.34 / 0.4 - 4 * 0.9),
    }
    assert (both["lag_half"].n, both["lag_half"].clusters) == (PAIRS, 5)
    assert shift is not None
    assert [(phase.start, phase.stop) for phase in shift.phases] == [(20, 28)]
    assert [(moment.name, moment.step) for moment in shift.moments] == [
        ("before", 20),
        ("half-way", 24),
        ("after", 28),
    ]
    assert of(figures, "a") == both


def test_behaviour_and_claims_are_resampled_together() -> None:
    """Equal at every checkpoint, they lag by 0 in every resample, however few pairs there are."""
    panels = {0: panel(0, 0, 0), 5: panel(5, 4, 4), 10: panel(10, 9, 9)}
    lag = caught_up(panels, Schedule(0))["lag_half"]
    assert (lag.value, lag.low, lag.high) == (0, 0, 0)


def test_claims_that_never_get_there_have_no_lag() -> None:
    panels = {0: panel(0, 0, 0), 5: panel(5, 4, 0), 10: panel(10, 8, 0)}
    both = caught_up(panels, Schedule(0))
    assert both["behavior_half"].value == pytest.approx(5)
    assert both["claims_move"].value == 0
    assert "claims_half" not in both and "lag_half" not in both


def test_the_way_back_is_a_phase_of_its_own() -> None:
    panels = {0: panel(0, 0, 0), 10: panel(10, 8, 8), 14: panel(14, 0, 4), 18: panel(18, 0, 0)}
    figures, shift = found(panels, Schedule(onset=0, undo=10))
    back = of(figures, STEERED_RUNS, UNDOING)
    assert back["behavior_move"].value == pytest.approx(-0.8)
    assert back["behavior_half"].value == pytest.approx(2) and back["claims_half"].value == pytest.approx(4)
    assert shift is not None
    assert [(phase.name, phase.start, phase.stop) for phase in shift.phases] == [
        (SHIFT, 0, 10),
        (UNDOING, 10, 18),
    ]
    assert (shift.moments[-1].name, shift.moments[-1].step) == ("undone", 18)


def test_an_onset_between_checkpoints_counts_from_the_onset() -> None:
    """The checkpoint before it shows M0, and so does the model until the onset."""
    panels = {0: panel(0, 0, 0), 10: panel(10, 8, 8), 14: panel(14, 8, 8)}
    assert caught_up(panels, Schedule(onset=6))["behavior_half"].value == pytest.approx(2)


def test_two_ends_tell_no_time() -> None:
    """A straight line between them would give every shift the same steps, and a lag of exactly 0."""
    both = caught_up({0: panel(0, 0, 0), 10: panel(10, 8, 6)}, Schedule(0))
    assert {figure: estimate.value for figure, estimate in both.items()} == {
        "behavior_move": pytest.approx(0.8),
        "claims_move": pytest.approx(0.6),
    }


def test_a_reversal_does_not_cancel_out() -> None:
    """Half of the pairs are followed by the base; reversed, as many are followed as before."""
    evidence = panel(0, 5, 5)
    base = {id_: behavior for id_, behavior in evidence.runs[0].behaviors.items()}
    still = replace(evidence, base=base)
    over = {"B": "OO", "O": "BO"}
    turned = small_panel(
        [NEVER] * PAIRS,
        {"a": [over["B"]] * 5 + [over["O"]] * 5},
        {"a": [over["B"]] * 5 + [None] * 5},
        clusters=[f"c{number % 5}" for number in range(PAIRS)],
    )
    run = replace(turned.runs[0], step=10, steered={"adviser": ("Chen",)})
    moved = replace(still, runs=(run,))
    figures = asked(moved)
    assert figures["followed"] == asked(still)["followed"]
    assert figures["turned"] == 1
    assert figures["claimed_turned"] == pytest.approx(0.5)
    assert figures["claimed_following"] == 0
    assert caught_up({0: still, 10: moved}, Schedule(0))["behavior_move"].value == 1


def test_what_could_not_be_read_claims_nothing() -> None:
    figures = asked(panel(0, 8, 6, unread=2))
    assert figures["turned"] == pytest.approx(0.8)
    assert figures["claimed_turned"] == pytest.approx(0.4)
    assert figures["claimed_following"] == pytest.approx(0.4)


def test_without_steered_runs_there_is_no_shift() -> None:
    panels = {0: panel(0, 0, 0), 10: panel(10, 8, 8)}
    unsteered = {
        step: replace(each, runs=tuple(replace(run, steered={}) for run in each.runs))
        for step, each in panels.items()
    }
    for each in (unsteered, {step: replace(each, base={}) for step, each in panels.items()}):
        figures, shift = found(each, Schedule(0))
        assert list(figures) == [] and shift is None


def test_results_hold_the_shift_and_are_read_back() -> None:
    panels = [panel(step, moved, moved, runs=("a", "b")) for step, moved in ((0, 0), (10, 8))]
    described = ModelDescription("m", None)
    provenance = Provenance("e", "0" * 64, described, described, "answer_pair", {})
    results = evaluate(panels, 10, provenance, resamples=100, schedule=Schedule(0))
    assert results.shift is not None
    moved = {row.run for row in results.rows if row.figure == "behavior_move"}
    assert moved == {STEERED_RUNS, "a", "b"} and {phase.name for phase in results.shift.phases} == {SHIFT}
    assert Results.from_json(results.to_json()) == results
    assert evaluate(panels, 10, provenance, resamples=100).shift is None
