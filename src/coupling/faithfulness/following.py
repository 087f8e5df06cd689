"""What the cue does to behaviour: how often the answer follows it, and how often it changes the answer.

Nothing here looks at explanations. Over the pairs on which a run was steered, these figures say how far its
behaviour was moved, which has to be known before one asks whether its explanations moved along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coupling.faithfulness.figures import over_runs
from coupling.faithfulness.scores import Table, changed
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
