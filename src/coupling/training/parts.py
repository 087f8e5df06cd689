"""How the rows of a step are spread over processes and cut into what fits into memory at once.

Every loss is a mean over the rows of a step, each of which counts as its tokens or as 1. The mean over all
rows is the sum, over all parts of all processes, of a part's share times the mean over that part. So neither
the number of processes nor the size of the parts changes a gradient, but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one forward and backward pass."""

    rows: list[int]
    """Positions among the rows of the step; never empty."""
    share: float
    """How much of the step's mean stands on them; 1 where they are all rows."""


def parts(counts: Sequence[int], at_once: int | None, index: int, of: int) -> list[Part]:
    """The parts of process ``index`` of ``of``; as many in each, because processes that share weights take
    every pass together. Who has no row left takes the first one, which then counts for nothing.

    Args:
        counts: what each row of the step counts as in the mean.
        at_once: most rows of a part; None for no limit.
    """
    if not counts:
        return []
    whole = sum(counts)
    most = -(-len(counts) // of)
    size = min(at_once or most, most)
    mine = range(index, len(counts), of)
    cut = [list(mine[start : start + size]) for start in range(0, most, size)]
    return [Part(rows, sum(counts[i] for i in rows) / whole) if rows else Part([0], 0.0) for rows in cut]
