"""How a shift of behaviour is told: what to call its moments, and how far explanations lag behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coupling.faithfulness.catching_up import ALL_STEERED, LEAST_MOVE, UNDOING
from coupling.faithfulness.results import CatchingUp, Results, ShiftResult, TrajectoryRow
from coupling.records import Estimate
from coupling.report.figures import Point
from coupling.report.text import NOT_AVAILABLE, interval, number


@dataclass(frozen=True, slots=True)
class MomentRow:
    """One moment of a shift: its name, and the trajectory's row at that checkpoint."""

    name: str
    row: TrajectoryRow


def moment_rows(results: Results) -> list[MomentRow]:
    """Before, half-way, after and, where the shift was undone, at the end; in the order of steps."""
    if results.shift is None:
        return []
    by_step = {row.step: row for row in results.trajectory}
    return [MomentRow(moment.name, by_step[moment.step]) for moment in results.shift.moments]


def turning_points(results: Results) -> dict[str, list[Point]]:
    """Of each steered run, from the last step before it is moved on: the share of steered pairs on which its
    answer has turned, and of which its claims say so."""
    if results.shift is None:
        return {}
    steered = {run.name for run in results.headline.runs if run.steered}
    before = min((moment.step for moment in results.shift.moments), default=0)
    points: dict[str, list[Point]] = {}
    for row in (row for row in results.trajectory if row.step >= before):
        for run in row.runs:
            if run.name in steered:
                point = Point(row.step, run.turned_steered, run.claimed_turned_steered)
                points.setdefault(run.name, []).append(point)
    return points if any(point.one.n for each in points.values() for point in each) else {}


def told_on_one_screen(shift: ShiftResult | None) -> list[str]:
    """A sentence a phase, all steered runs together, where the shift did not begin with the training."""
    if shift is None or (shift.onset == 0 and shift.undo is None):
        return []
    return [_sentence(each) for each in shift.catching_up if each.run == ALL_STEERED]


def _sentence(phase: CatchingUp) -> str:
    what = "shift undone" if phase.phase == UNDOING else "shift"
    begun = f"{what} from step {phase.start}"
    moves = (phase.behavior_move.value or 0.0, phase.claims_move.value or 0.0)
    if phase.behavior_half.value is None and abs(moves[0]) >= LEAST_MOVE:
        return (
            f"{begun}: behaviour moved on {_signed(phase.behavior_move)} of steered pairs, claims on "
            f"{_signed(phase.claims_move)}; no checkpoint in between tells when"
        )
    if phase.behavior_half.value is None:
        return f"{begun}: behaviour hardly moved ({_signed(phase.behavior_move)} of steered pairs)"
    half = f"{begun}: behaviour half-way after {_steps(phase.behavior_half)} steps, "
    if phase.lag_half.value is None:
        return f"{half}explanations hardly moved ({_signed(phase.claims_move)} of steered pairs)"
    lag = phase.lag_half
    order = "later" if lag.value is not None and lag.value >= 0 else "earlier"
    size = Estimate(abs(lag.value or 0.0), None, None, lag.n, lag.clusters)
    within = f" (lag {number(lag.value, 1, signed=True)} {interval(lag, 1, signed=True)})"
    return f"{half}explanations {_steps(size)} steps {order}{within if lag.low is not None else ''}"


def phases(catching_up: Sequence[CatchingUp]) -> dict[str, list[CatchingUp]]:
    """Phase → all steered runs together, then each."""
    by_phase: dict[str, list[CatchingUp]] = {}
    for each in catching_up:
        by_phase.setdefault(each.phase, []).append(each)
    return by_phase


def _steps(estimate: Estimate) -> str:
    return NOT_AVAILABLE if estimate.value is None else number(estimate.value, 1)


def _signed(estimate: Estimate) -> str:
    return number(estimate.value, 2, signed=True)
