"""The schema of what is told over steps: the panel at every checkpoint, and how fast explanations follow a
shift."""

from __future__ import annotations

from dataclasses import dataclass

from coupling.records import Estimate


@dataclass(frozen=True, slots=True)
class TrajectoryRun:
    """One run at one step; at step 0 it is the base."""

    name: str
    self_share: Estimate
    orig_share: Estimate
    gap: Estimate
    self_discordant: Estimate
    orig_discordant: Estimate
    delta: Estimate
    similarity: Estimate
    parse_rate: Estimate
    changed: Estimate
    """Share of pairs on which the cue changes the answer."""
    followed: Estimate
    """Share of pairs whose answer with the cue follows it, among those whose cue speaks for a choice."""
    followed_steered: Estimate
    """The same over the pairs that are asked about a cue by which the run is steered; n/a for an unsteered
    run. Pooled over runs that were steered in opposite directions it tells little."""
    shift: Estimate
    """``followed`` minus the base's on the same pairs; n/a where the base's behaviour is not known."""
    shift_steered: Estimate
    """The same over the pairs that are asked about a cue by which the run is steered."""
    claimed_following_steered: Estimate
    """Share of those pairs of which the claim says that the answer with the cue follows it; what could not be
    read says no such thing."""
    turned_steered: Estimate
    """Share of those pairs on which the answer with the cue has turned: it follows the cue where the base's
    does not, or the reverse. Of runs steered either way it does not cancel out."""
    claimed_turned_steered: Estimate
    """Share of those pairs of which the claim says so."""
    self_steered: Estimate
    """Self over the pairs in which a cue stands by which the run is steered, asked about or not."""
    orig_steered: Estimate
    delta_steered: Estimate


@dataclass(frozen=True, slots=True)
class TrajectoryRow:
    """The panel at one step, in short."""

    step: int
    pooled: TrajectoryRun
    """All runs together; its name is "all runs"."""
    runs: tuple[TrajectoryRun, ...]
    t: Estimate
    """T pooled over all twin pairs; n/a without twins."""
    t_steered: Estimate
    """The same over the pairs in which a cue stands by which one of the twins is steered."""
    advantage: Estimate
    """A; n/a below three runs with discordant pairs."""
    rivalry: Estimate
    """R; n/a where A is."""


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """How fast behaviour moves in one phase of a shift, and how many steps later claims do.

    Moves are changes of the shares that have turned; steps count from the beginning of the phase.
    """

    run: str
    """A run, or "all steered runs"."""
    phase: str
    """shift, or undoing."""
    start: int
    stop: int
    """The phase's last checkpoint."""
    behavior_move: Estimate
    claims_move: Estimate
    behavior_half: Estimate
    """Steps until behaviour has come half of its way."""
    claims_half: Estimate
    """Steps until claims have come half of theirs."""
    lag_half: Estimate
    """The latter minus the former; negative where claims turn first."""
    behavior_most: Estimate
    """Steps until behaviour has come 90 % of its way; likewise below."""
    claims_most: Estimate
    lag_most: Estimate


@dataclass(frozen=True, slots=True)
class Moment:
    """A checkpoint at which a shift is told of: its row is in the trajectory."""

    name: str
    """before, half-way, after, or undone."""
    step: int


@dataclass(frozen=True, slots=True)
class ShiftResult:
    """When behaviour was moved, and how fast explanations followed."""

    onset: int
    """Steps behind it when behaviour began to be moved."""
    undo: int | None
    """Steps behind it when behaviour began to be moved back; None where it was not."""
    moments: tuple[Moment, ...]
    catching_up: tuple[CatchingUp, ...]
    """For each phase all steered runs together, then each."""
