"""The matrix of emitters by columns; A, the diagonal advantage, and R, the distance to the nearest rival.

S[a, j] is the mean of s over the discordant pairs of column j when run a explains: does a's explanation
name j's effect or the target's? Were all runs to drift alike, any run's explanations would beat the target
in any column; what is a run's own shows on the diagonal only:

    A = mean over j of (S[j,j] - row mean - column mean + grand mean)

which is 0 for every matrix of the form row + column, and equals the mean of the diagonal minus the grand
mean. A is large, too, where explanations fit some runs better than others and their own run is among those.
So there is a sharper figure beside it, R, the distance to the nearest rival in the same column:

    R = mean over j of (S[j,j] - max over rivals a of S[a,j])

Where each run's explanations are another run's, that other row fits the column at least as well, and R is not
above 0. Where all rows are equal it is 0. Rivals are all other runs, save that unsteered runs are no rivals
of one another: they are one behaviour trained several times, and whoever reads it reads that of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.panel import Panel
from coupling.faithfulness.rows import ALL, ALL_RUNS, OTHERS, OWN, Row, run_explainer
from coupling.faithfulness.scores import Table, discordant, equal, over_runs
from coupling.faithfulness.statistics import NO_DATA, BoolArray, ClusterBootstrap, IntArray, Samples, divide
from coupling.records import Estimate

FROZEN_BASE = "frozen_base"
"""The explainer that says what the base said before training."""


class Emissions:
    """Hits of every emitter in every column, in the data and in every resample.

    Args:
        table: the join.
        claims: of the emitters, shape (emitters, pairs, 2).
        bootstrap: weights over the table's clusters.
    """

    def __init__(self, table: Table, claims: IntArray, bootstrap: ClusterBootstrap) -> None:
        self.bootstrap = bootstrap
        self.tells: BoolArray = discordant(table.behaviors, table.target)
        self._own: BoolArray = equal(claims[:, np.newaxis], table.behaviors[np.newaxis]) & self.tells
        """Names the column's effect; shape (emitters, columns, pairs)."""
        self._target: BoolArray = equal(claims, table.target)[:, np.newaxis] & self.tells
        """Names the target's effect; shape (emitters, columns, pairs)."""
        self._own_totals = self._totals(self._own)
        self._target_totals = self._totals(self._target)
        observed = bootstrap.totals(self.tells.T)[:, np.newaxis]
        self.scores = divide(self._own_totals - self._target_totals, observed)
        """S; shape (1 + resamples, emitters, columns)."""

    def cell(self, emitter: int, column: int) -> dict[str, Estimate]:
        return {
            "s": self.bootstrap.estimate(self.scores[:, emitter, column], self.tells[column]),
            "win_rate": self.win_rate([emitter], column),
        }

    def win_rate(self, emitters: list[int], column: int) -> Estimate:
        """column's / (column's + target's) hits of these emitters together; n/a for no emitters."""
        own = self._own_totals[:, emitters, column].sum(axis=1)
        target = self._target_totals[:, emitters, column].sum(axis=1)
        hits = self._own[emitters, column].astype(np.int64) + self._target[emitters, column]
        return self.bootstrap.estimate(divide(own, own + target), hits.sum(axis=0))

    def _totals(self, hits: BoolArray) -> npt.NDArray[np.float64]:
        emitters, columns, pairs = hits.shape
        return self.bootstrap.totals(hits.reshape(-1, pairs).T).reshape(-1, emitters, columns)


def matrix_rows(panel: Panel, min_runs: int) -> tuple[list[Row], dict[str, str]]:
    """The matrix of a panel, A and R, and the nearest rival of each run that has one.

    A and R need discordant pairs in at least ``min_runs`` runs.
    """
    table = panel.table
    emissions = Emissions(table, table.claims, panel.bootstrap)
    found = _advantage_and_rivalry(table, emissions, min_runs)
    rows = panel.rows({"a": found.advantage, "r": found.rivalry})
    base = None
    if table.base_claims is not None:
        base = Emissions(table, table.base_claims[np.newaxis], panel.bootstrap)
    for j, run in enumerate(table.runs):
        rows += panel.rows({name: by_run[j] for name, by_run in found.columns.items() if j in by_run}, run)
        for a, emitter in enumerate(table.runs):
            rows += panel.rows(emissions.cell(a, j), run, ALL, run_explainer(emitter))
        others = [a for a in panel.every_run if a != j]
        rows += panel.rows({"win_rate": emissions.win_rate(others, j)}, run, ALL, OTHERS)
        if base is not None:
            rows += panel.rows(base.cell(0, j), run, ALL, FROZEN_BASE)
    return rows, {table.runs[j]: table.runs[rival] for j, rival in found.nearest.items()}


def advantage_rows(panel: Panel, min_runs: int, explainer: str = OWN) -> list[Row]:
    """A and R alone."""
    emissions = Emissions(panel.table, panel.table.claims, panel.bootstrap)
    found = _advantage_and_rivalry(panel.table, emissions, min_runs)
    return panel.rows({"a": found.advantage, "r": found.rivalry}, ALL_RUNS, ALL, explainer)


@dataclass(frozen=True, slots=True)
class _Found:
    advantage: Estimate
    rivalry: Estimate
    columns: Mapping[str, Mapping[int, Estimate]]
    """A and R → run → the figure of its column."""
    nearest: Mapping[int, int]
    """Run → the rival with the greatest S in the data."""


def _advantage_and_rivalry(table: Table, emissions: Emissions, min_runs: int) -> _Found:
    """A run without discordant pairs has no column; it is left out of A as an emitter too, to keep the matrix
    square. R has the columns that A stands on; every run is a rival in them, with discordant pairs of its own
    or without."""
    tells, estimate = emissions.tells, emissions.bootstrap.estimate
    taking_part = [j for j in range(len(tells)) if tells[j].any()]
    if len(taking_part) < min_runs:
        return _Found(NO_DATA, NO_DATA, {}, {})
    square = emissions.scores[:, taking_part][:, :, taking_part]
    diagonal: Samples = np.einsum("rjj->rj", square)
    grand = square.mean(axis=(1, 2))
    advantages = diagonal - square.mean(axis=2) - square.mean(axis=1) + grand[:, np.newaxis]
    advantage = estimate(advantages.mean(axis=1), over_runs(tells[taking_part]))
    by_column = {j: estimate(advantages[:, place], tells[j]) for place, j in enumerate(taking_part)}

    allowed = rivals_of(table.is_steered)
    columns = [j for j in taking_part if allowed[:, j].any()]
    if not columns:
        return _Found(advantage, NO_DATA, {"a": by_column}, {})
    samples = distances(emissions.scores, allowed)
    observed = np.where(allowed, emissions.scores[0], -np.inf)
    return _Found(
        advantage,
        estimate(samples[:, columns].mean(axis=1), over_runs(tells[columns])),
        {"a": by_column, "r": {j: estimate(samples[:, j], tells[j]) for j in columns}},
        {j: int(observed[:, j].argmax()) for j in columns},
    )


def rivals_of(is_steered: BoolArray) -> BoolArray:
    """Whether a run is a rival in another's column; where no run is said to be steered, all are.

    Args:
        is_steered: shape (runs,).

    Returns:
        Shape (emitters, columns).
    """
    rivals: BoolArray = is_steered[:, np.newaxis] | is_steered | ~is_steered.any()
    np.fill_diagonal(rivals, False)
    return rivals


def distances(scores: Samples, rivals: BoolArray) -> Samples:
    """S[j,j] - the greatest S[a,j] of a rival, which is chosen anew in every resample.

    Args:
        scores: S, shape (1 + resamples, emitters, columns).
        rivals: shape (emitters, columns).

    Returns:
        Shape (1 + resamples, columns); NaN in columns without rivals.
    """
    own = np.einsum("rjj->rj", scores)
    nearest = np.where(rivals, scores, -np.inf).max(axis=1)
    found: Samples = np.where(rivals.any(axis=0), own - nearest, np.nan)
    return found
