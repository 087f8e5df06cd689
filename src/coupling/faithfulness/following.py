"""How far behaviour was turned where it was steered, and how much of it is told.

Over the pairs that are asked about a cue by which a run is steered. Followed and shift say how far its
behaviour was moved, which has to be known before one asks whether its explanations moved along; *turned* does
not cancel out over runs that are steered either way. Beside it stands what is claimed of the same pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

from coupling.faithfulness.figures import shares
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.rows import ASKED, Row
from coupling.faithfulness.scores import Table, parsed
from coupling.faithfulness.statistics import BoolArray


def following_rows(panel: Panel) -> list[Row]:
    """What is told of these pairs at every checkpoint, of the runs pooled and of each."""
    rows = []
    for run, numbers in panel.by_name.items():
        about = panel.table.asked_steered[numbers]
        rows += shares(panel, ("followed", "shift"), numbers, run, ASKED, about)
        cued = about & (panel.table.followed[numbers] >= 0)
        claimed = panel.table.follows(panel.table.claims[numbers]) == 1
        estimates = {"claimed_following": panel.share(claimed, cued)}
        if panel.table.base is not None:
            acted, said, about = turned(panel.table, numbers)
            estimates |= {"turned": panel.share(acted, about), "claimed_turned": panel.share(said, about)}
        rows += panel.rows(estimates, run, ASKED)
    return rows


def turned(table: Table, runs: Sequence[int]) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Where the answer with the cue follows it and M0's does not, or the reverse; where the claim says so;
    and the pairs of which both are asked: those about a steered cue. Each of shape (len(runs), pairs)."""
    base = table.base_followed
    assert base is not None
    followed, claims = table.followed[list(runs)], table.claims[list(runs)]
    about = table.asked_steered[list(runs)] & (followed >= 0)
    return (followed != base) & about, (table.follows(claims) != base) & parsed(claims) & about, about
