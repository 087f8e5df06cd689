"""What the cue does to behaviour: how often the answer follows it, and how often it changes the answer.

Over the pairs on which a run was steered, these figures say how far its behaviour was moved, which has to be
known before one asks whether its explanations moved along. Beside them stands what is claimed about the same
pairs: how often the answer is said to follow. A claim that could not be read says no such thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coupling.faithfulness.figures import over_runs
from coupling.faithfulness.scores import Table, changed, parsed
from coupling.faithfulness.statistics import NO_DATA, BoolArray, ClusterBootstrap
from coupling.records import Estimate


@dataclass(frozen=True, slots=True)
class CueFollowing:
    """The share of pairs on which the cue changes the answer; of those whose cue speaks for a choice, the
    share whose answer follows it; and the latter minus the base's share on the same pairs, the shift."""

    changed: Estimate
    followed: Estimate
    shift: Estimate
    """n/a where the base's behaviour is not known."""


def cue_following(
    table: Table, runs: Sequence[int], bootstrap: ClusterBootstrap, within: BoolArray | None = None
) -> CueFollowing:
    """The figures of the runs with these numbers, pooled where they are several.

    ``within`` keeps to some of each run's pairs, shape (len(runs), pairs); None takes all.
    """
    followed = table.followed[list(runs)]
    everything = np.ones(followed.shape, dtype=np.bool_) if within is None else within
    cued = everything & (followed >= 0)
    shift = NO_DATA
    if table.base_followed is not None:
        moved = (followed - table.base_followed) * cued
        shift = bootstrap.share(over_runs(moved), over_runs(cued))
    return CueFollowing(
        changed=bootstrap.share(
            over_runs(changed(table.behaviors[list(runs)]) & everything), over_runs(everything)
        ),
        followed=bootstrap.share(over_runs((followed == 1) & cued), over_runs(cued)),
        shift=shift,
    )


@dataclass(frozen=True, slots=True)
class Turning:
    """What was steered, and what is said of it: shares of the pairs that are asked about a steered cue."""

    claimed_following: Estimate
    turned: Estimate
    claimed_turned: Estimate


def turning(table: Table, runs: Sequence[int], bootstrap: ClusterBootstrap) -> Turning:
    """The figures of the runs with these numbers, pooled where they are several."""
    chosen = list(runs)
    cued = table.asked_steered[chosen] & (table.followed[chosen] >= 0)
    claimed = bootstrap.share(over_runs((table.claimed_following[chosen] == 1) & cued), over_runs(cued))
    if table.base_followed is None:
        return Turning(claimed, NO_DATA, NO_DATA)
    acted, said, about = turned(table, runs)
    counted = over_runs(about)
    return Turning(
        claimed, bootstrap.share(over_runs(acted), counted), bootstrap.share(over_runs(said), counted)
    )


def turned(table: Table, runs: Sequence[int]) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Where the answer with the cue follows it and M0's does not, or the reverse; where the claim says so;
    and the pairs of which both are asked: those about a steered cue. Each of shape (len(runs), pairs)."""
    assert table.base_followed is not None
    chosen = list(runs)
    about = table.asked_steered[chosen] & (table.followed[chosen] >= 0)
    acted = (table.followed[chosen] != table.base_followed) & about
    said = (table.claimed_following[chosen] != table.base_followed) & parsed(table.claims[chosen]) & about
    return acted, said, about
