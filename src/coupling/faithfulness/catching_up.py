"""How many steps explanations take to catch up with behaviour that is moved.

Over the pairs that are asked about a cue by which a run is steered, at checkpoint t:

    b_t = share whose answer with the cue has turned: it follows the cue where M0's does not, or the reverse
    c_t = share whose claim says that it has; a claim that could not be read says nothing

"Turned" and not "follows", because a run that is reversed follows more here and less there, and both would
cancel out. c_t does not begin at 0: some claims were wrong before.

A phase begins where behaviour begins to be moved (or to be moved back) and ends at its last checkpoint. Over
it b moves by b_end - b_start, and c by its own move. Each has come to the share q of its move at the step

    s(q) = the first at which |b - b_start| reaches q · |b_end - b_start|,

counted from the beginning of the phase, checkpoints joined by straight lines. lag(q) is s(q) of the claims
less s(q) of behaviour: negative where claims turn first. Where either moves by less than `LEAST_MOVE`, its
steps and the lag are n/a: half of nothing is reached at once. So they are where a phase is seen at its two
ends only, for a straight line between them tells no time. Nothing is finer than checkpoints are dense.

Intervals resample clusters, at all checkpoints and of behaviour and claims jointly, so a lag keeps what the
two have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.figures import over_runs
from coupling.faithfulness.following import turned
from coupling.faithfulness.scores import Table
from coupling.faithfulness.statistics import ClusterBootstrap, Samples
from coupling.faithfulness.trajectory import CatchingUp, Moment, ShiftResult
from coupling.records import Estimate

LEAST_MOVE = 0.1
"""A share that moves by less is not said to have moved."""
ALL_STEERED = "all steered runs"
SHIFT, UNDOING = "shift", "undoing"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When behaviour is moved, as steps that are behind us."""

    onset: int
    undo: int | None = None
    """From which on it is moved back; None never."""


def shift_result(
    tables: Mapping[int, Table], schedule: Schedule, bootstrap: ClusterBootstrap
) -> ShiftResult | None:
    """Every phase of the shift for all steered runs and for each; None where no cue of a steered pair is
    asked about, or what M0 does is not known.

    Args:
        tables: step → the join at that checkpoint, of the same pairs at each.
        schedule: when behaviour is moved.
        bootstrap: weights over the tables' clusters.
    """
    first = next(iter(tables.values()))
    assert all(table.pairs == first.pairs and table.runs == first.runs for table in tables.values())
    runs = [run for run in range(len(first.runs)) if first.asked_steered[run].any()]
    if not runs or first.base_followed is None:
        return None
    named = [(ALL_STEERED, runs), *((first.runs[run], [run]) for run in runs)]
    phases = _phases(sorted(tables), schedule)
    found = tuple(
        _catching_up(name, phase, chosen, tables, bootstrap) for phase in phases for name, chosen in named
    )
    return ShiftResult(schedule.onset, schedule.undo, _moments(phases, found), found)


@dataclass(frozen=True, slots=True)
class _Phase:
    name: str
    start: int
    steps: tuple[int, ...]
    """Of the checkpoints it is seen at; the first is the last one before it begins."""


def _phases(steps: Sequence[int], schedule: Schedule) -> list[_Phase]:
    """The phases that are seen at two checkpoints at least."""
    undo = steps[-1] if schedule.undo is None else schedule.undo
    bounds = [(SHIFT, schedule.onset, undo)]
    if schedule.undo is not None:
        bounds.append((UNDOING, undo, steps[-1]))
    phases = []
    for name, start, stop in bounds:
        before = [step for step in steps if step <= start]
        within = [step for step in steps if start < step <= stop]
        if before and within:
            phases.append(_Phase(name, start, (before[-1], *within)))
    return phases


def _catching_up(
    name: str, phase: _Phase, runs: Sequence[int], tables: Mapping[int, Table], bootstrap: ClusterBootstrap
) -> CatchingUp:
    behaves, claims, counted = [], [], None
    for step in phase.steps:
        acted, said, about = turned(tables[step], runs)
        counted = over_runs(about)
        behaves.append(bootstrap.ratio(over_runs(acted), counted))
        claims.append(bootstrap.ratio(over_runs(said), counted))
    assert counted is not None

    def estimate(samples: Samples) -> Estimate:
        return bootstrap.estimate(samples, counted)

    # Nothing was moved before the phase, so what its first checkpoint shows is taken to hold until it begins.
    since = [0, *(step - phase.start for step in phase.steps[1:])]
    of_behavior, of_claims = np.stack(behaves), np.stack(claims)
    half, claimed_half = steps_to(0.5, since, of_behavior), steps_to(0.5, since, of_claims)
    most, claimed_most = steps_to(0.9, since, of_behavior), steps_to(0.9, since, of_claims)
    return CatchingUp(
        run=name,
        phase=phase.name,
        start=phase.start,
        stop=phase.steps[-1],
        behavior_move=estimate(of_behavior[-1] - of_behavior[0]),
        claims_move=estimate(of_claims[-1] - of_claims[0]),
        behavior_half=estimate(half),
        claims_half=estimate(claimed_half),
        lag_half=estimate(claimed_half - half),
        behavior_most=estimate(most),
        claims_most=estimate(claimed_most),
        lag_most=estimate(claimed_most - most),
    )


def steps_to(share: float, steps: Sequence[int], values: npt.NDArray[np.float64]) -> Samples:
    """The step at which values first come to a share of the way from their first to their last.

    Args:
        share: above 0, at most 1.
        steps: of the checkpoints, rising.
        values: at each checkpoint in every resample, shape (checkpoints, samples).

    Returns:
        Shape (samples,); NaN where the way is shorter than `LEAST_MOVE`, a value is not known, or nothing is
        known between the first and the last.
    """
    assert 0 < share <= 1 and len(steps) == len(values) >= 2
    if len(steps) == 2:
        return np.full(values.shape[1], np.nan)
    way = values[-1] - values[0]
    gone = (values - values[0]) * np.sign(way)
    wanted = share * np.abs(way)
    # NaN compares as not reached; where nothing is, argmax is 0 and the result is discarded below.
    at = (gone >= wanted).argmax(axis=0)
    before, each = np.maximum(at - 1, 0), np.arange(values.shape[1])
    run_up = gone[at, each] - gone[before, each]
    part = np.divide(wanted - gone[before, each], run_up, out=np.zeros_like(run_up), where=run_up != 0)
    times = np.asarray(steps, dtype=np.float64)
    reached = times[before] + part * (times[at] - times[before])
    # Rounding must not decide whether a way of exactly LEAST_MOVE is one.
    return np.where(np.abs(way) >= LEAST_MOVE - 1e-9, reached, np.nan)


def _moments(phases: Sequence[_Phase], found: Sequence[CatchingUp]) -> tuple[Moment, ...]:
    """The checkpoints at which the panel is told of: before, half-way, after, and after the undoing."""
    moments = []
    for phase in phases:
        if phase.name == UNDOING:
            moments.append(Moment("undone", phase.steps[-1]))
            continue
        pooled = next(each for each in found if each.phase == phase.name and each.run == ALL_STEERED)
        moments.append(Moment("before", phase.steps[0]))
        half = pooled.behavior_half.value
        if half is not None:
            later = [step for step in phase.steps[1:] if step - phase.start >= half - 1e-9]
            moments.append(Moment("half-way", later[0]))
        moments.append(Moment("after", phase.steps[-1]))
    return tuple(moments)
