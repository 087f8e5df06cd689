"""Explanations that state no effect, read in the way that speaks most against a run and in the way that
speaks most for it.

A missing claim names neither the run's effect nor the target's, so Δ counts it 0: whoever withholds what
would have been the target's gains by it. The bounds tell how much could hang on that.
"""

from __future__ import annotations

import numpy as np

from coupling.faithfulness.scores import Table, known, parsed
from coupling.faithfulness.statistics import IntArray


def worst_case_claims(table: Table) -> IntArray:
    """The claims with the target's effect for every one that is missing, shape (runs, pairs, 2).

    It is the worst case of Δ, A and R, which stand on discordant pairs; on all others the target's effect is
    the run's own, and Self gains by it. Where the target's effect is not known, claims stay missing.
    """
    return _filled(table, np.where(known(table.target)[:, None], table.target, table.claims))


def best_case_claims(table: Table) -> IntArray:
    """The claims with the run's own effect for every one that is missing, shape (runs, pairs, 2)."""
    return _filled(table, table.behaviors)


def _filled(table: Table, effects: IntArray) -> IntArray:
    return np.where(parsed(table.claims)[..., None], table.claims, effects)
