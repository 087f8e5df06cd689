"""How many steps claims take to follow a shift, against figures computed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupling.faithfulness import Evidence, Provenance, Schedule, evaluate, trajectory_row
from coupling.faithfulness.catching_up import ALL_STEERED, SHIFT, UNDOING, shift_result, steps_to
from coupling.faithfulness.results import CatchingUp, ModelDescription, Results, ShiftResult
from coupling.faithfulness.scores import tabulate
from coupling.faithfulness.statistics import ClusterBootstrap
from synthetic_panels import small_panel

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


def found(panels: Mapping[int, Evidence], schedule: Schedule) -> ShiftResult | None:
    tables = {step: tabulate(evidence) for step, evidence in panels.items()}
    bootstrap = ClusterBootstrap(next(iter(tables.values())).clusters, 200, 0)
    return shift_result(tables, schedule, bootstrap)


def pooled(result: ShiftResult | None, phase: str = SHIFT) -> CatchingUp:
    assert result is not None
    return next(each for each in result.catching_up if (each.run, each.phase) == (ALL_STEERED, phase))


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
    result = found(panels, Schedule(onset=20))
    both = pooled(result)
    assert (both.start, both.stop) == (20, 28)
    assert both.behavior_move.value == pytest.approx(0.8) and both.claims_move.value == pytest.approx(0.6)
    assert both.behavior_half.value == pytest.approx(2)
    assert both.claims_half.value == pytest.approx(4 + 4 * 0.1 / 0.4)
    assert both.lag_half.value == pytest.approx(3)
    assert both.behavior_most.value == pytest.approx(4 * 0.9)
    assert both.claims_most.value == pytest.approx(4 + 4 * 0.34 / 0.4)
    assert (both.lag_half.n, both.lag_half.clusters) == (PAIRS, 5)
    assert result is not None
    assert [(moment.name, moment.step) for moment in result.moments] == [
        ("before", 20),
        ("half-way", 24),
        ("after", 28),
    ]
    (alone,) = [each for each in result.catching_up if each.run == "a"]
    assert replace(alone, run=ALL_STEERED) == both


def test_behaviour_and_claims_are_resampled_together() -> None:
    """Equal at every checkpoint, they lag by 0 in every resample, however few pairs there are."""
    panels = {0: panel(0, 0, 0), 5: panel(5, 4, 4), 10: panel(10, 9, 9)}
    lag = pooled(found(panels, Schedule(0))).lag_half
    assert (lag.value, lag.low, lag.high) == (0, 0, 0)


def test_claims_that_never_get_there_have_no_lag() -> None:
    panels = {0: panel(0, 0, 0), 5: panel(5, 4, 0), 10: panel(10, 8, 0)}
    both = pooled(found(panels, Schedule(0)))
    assert both.behavior_half.value == pytest.approx(5)
    assert both.claims_move.value == 0
    assert both.claims_half.value is None and both.lag_half.value is None


def test_the_way_back_is_a_phase_of_its_own() -> None:
    panels = {0: panel(0, 0, 0), 10: panel(10, 8, 8), 14: panel(14, 0, 4), 18: panel(18, 0, 0)}
    result = found(panels, Schedule(onset=0, undo=10))
    back = pooled(result, UNDOING)
    assert (back.start, back.stop) == (10, 18)
    assert back.behavior_move.value == pytest.approx(-0.8)
    assert back.behavior_half.value == pytest.approx(2) and back.claims_half.value == pytest.approx(4)
    assert pooled(result).stop == 10
    assert result is not None and result.moments[-1].name == "undone" and result.moments[-1].step == 18


def test_an_onset_between_checkpoints_counts_from_the_onset() -> None:
    """The checkpoint before it shows M0, and so does the model until the onset."""
    panels = {0: panel(0, 0, 0), 10: panel(10, 8, 8), 14: panel(14, 8, 8)}
    assert pooled(found(panels, Schedule(onset=6))).behavior_half.value == pytest.approx(2)


def test_two_ends_tell_no_time() -> None:
    """A straight line between them would give every shift the same steps, and a lag of exactly 0."""
    both = pooled(found({0: panel(0, 0, 0), 10: panel(10, 8, 6)}, Schedule(0)))
    assert both.behavior_move.value == pytest.approx(0.8) and both.claims_move.value == pytest.approx(0.6)
    assert both.behavior_half.value is None and both.lag_half.value is None and both.lag_most.value is None


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
    row = trajectory_row(moved, resamples=100).runs[0]
    assert row.followed_steered.value == trajectory_row(still, resamples=100).runs[0].followed_steered.value
    assert row.turned_steered.value == 1
    assert row.claimed_turned_steered.value == pytest.approx(0.5)
    assert row.claimed_following_steered.value == 0
    assert pooled(found({0: still, 10: moved}, Schedule(0))).behavior_move.value == 1


def test_what_could_not_be_read_claims_nothing() -> None:
    row = trajectory_row(panel(0, 8, 6, unread=2), resamples=100).runs[0]
    assert row.turned_steered.value == pytest.approx(0.8)
    assert row.claimed_turned_steered.value == pytest.approx(0.4)
    assert row.claimed_following_steered.value == pytest.approx(0.4)


def test_without_steered_runs_there_is_no_shift() -> None:
    panels = {0: panel(0, 0, 0), 10: panel(10, 8, 8)}
    unsteered = {
        step: replace(each, runs=tuple(replace(run, steered={}) for run in each.runs))
        for step, each in panels.items()
    }
    assert found(unsteered, Schedule(0)) is None
    assert found({step: replace(each, base={}) for step, each in panels.items()}, Schedule(0)) is None


def test_results_hold_the_shift_and_are_read_back() -> None:
    panels = [panel(step, moved, moved, runs=("a", "b")) for step, moved in ((0, 0), (10, 8))]
    described = ModelDescription("m", None)
    provenance = Provenance("e", "0" * 64, described, described, "answer_pair", {})
    results = evaluate(panels, 10, provenance, resamples=100, schedule=Schedule(0))
    assert results.shift is not None
    assert [each.run for each in results.shift.catching_up] == [ALL_STEERED, "a", "b"]
    assert Results.from_json(results.to_json()) == results
    assert evaluate(panels, 10, provenance, resamples=100).shift is None
