"""How a shift of behaviour is told: how behaviour and claims turn, and how far explanations lag behind."""

from __future__ import annotations

from coupling.faithfulness.catching_up import LEAST_MOVE, UNDOING
from coupling.faithfulness.results import Phase, Results
from coupling.faithfulness.rows import ASKED, STEERED_RUNS, Figures
from coupling.records import Estimate
from coupling.report.text import interval, number


def turning(results: Results) -> tuple[list[str], int]:
    """The steered runs, and the last step before they are moved; no runs where it is not known when that was,
    or how many of their answers turned."""
    if results.shift is None:
        return [], 0
    found, runs = results.figures, [run.name for run in results.runs if run.steered]
    is_known = any(found("turned", run, ASKED, step=step).n for run in runs for step in results.steps)
    return runs if is_known else [], min((moment.step for moment in results.shift.moments), default=0)


def told_on_one_screen(results: Results) -> list[str]:
    """A sentence a phase, all steered runs together, where the shift did not begin with the training."""
    shift = results.shift
    if shift is None or (shift.onset == 0 and shift.undo is None):
        return []
    return [_sentence(phase, results.figures) for phase in shift.phases]


def phase_runs(results: Results, phase: Phase) -> list[str]:
    """All steered runs together, then each, of which it is known how they move in a phase."""
    figures, names = results.figures, [STEERED_RUNS, *(run.name for run in results.runs)]
    return [name for name in names if figures("behavior_move", name, phase.name).n]


def _sentence(phase: Phase, figures: Figures) -> str:
    def of(name: str) -> Estimate:
        return figures(name, STEERED_RUNS, phase.name)

    begun = f"{'shift undone' if phase.name == UNDOING else 'shift'} from step {phase.start}"
    half, lag = of("behavior_half"), of("lag_half")
    moved = _signed(of("behavior_move"))
    if half.value is None and abs(of("behavior_move").value or 0.0) >= LEAST_MOVE:
        return (
            f"{begun}: behaviour moved on {moved} of steered pairs, claims on {_signed(of('claims_move'))}; "
            "no checkpoint in between tells when"
        )
    if half.value is None:
        return f"{begun}: behaviour hardly moved ({moved} of steered pairs)"
    begun = f"{begun}: behaviour half-way after {number(half.value, 1)} steps, explanations"
    if lag.value is None:
        return f"{begun} hardly moved ({_signed(of('claims_move'))} of steered pairs)"
    order = "later" if lag.value >= 0 else "earlier"
    within = f" (lag {number(lag.value, 1, signed=True)} {interval(lag, 1, signed=True)})"
    return f"{begun} {number(abs(lag.value), 1)} steps {order}{'' if lag.low is None else within}"


def _signed(estimate: Estimate) -> str:
    return number(estimate.value, 2, signed=True)
