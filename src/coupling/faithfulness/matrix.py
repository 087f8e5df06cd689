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

from coupling.faithfulness.panel import Cell, Column, Matrix
from coupling.faithfulness.scores import Table, discordant, equal, known
from coupling.faithfulness.statistics import NO_DATA, BoolArray, ClusterBootstrap, IntArray, Samples, divide
from coupling.records import Estimate


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

    def cell(self, emitter: int, column: int) -> Cell:
        return Cell(
            score=self.bootstrap.estimate(self.scores[:, emitter, column], self.tells[column]),
            win_rate=self.win_rate([emitter], column),
        )

    def win_rate(self, emitters: list[int], column: int) -> Estimate:
        """column's / (column's + target's) hits of these emitters together; n/a for no emitters."""
        own = self._own_totals[:, emitters, column].sum(axis=1)
        target = self._target_totals[:, emitters, column].sum(axis=1)
        hits = self._own[emitters, column].astype(np.int64) + self._target[emitters, column]
        return self.bootstrap.estimate(divide(own, own + target), hits.sum(axis=0))

    def _totals(self, hits: BoolArray) -> npt.NDArray[np.float64]:
        emitters, columns, pairs = hits.shape
        return self.bootstrap.totals(hits.reshape(-1, pairs).T).reshape(-1, emitters, columns)


def matrix(table: Table, bootstrap: ClusterBootstrap, min_runs: int) -> Matrix:
    """The matrix of a panel; A and R need discordant pairs in at least ``min_runs`` runs."""
    count = len(table.runs)
    emissions = Emissions(table, table.claims, bootstrap)
    taking_part, by_column, total = _diagonal(emissions, min_runs)
    rivalry = _rivalry(table, emissions, taking_part)
    is_told = bool(known(table.target).all())
    columns = tuple(
        Column(
            run=name,
            pairs=int(emissions.tells[j].sum()) if is_told else None,
            clusters=len(np.unique(table.clusters[emissions.tells[j]])) if is_told else None,
            own_win_rate=emissions.win_rate([j], j),
            others_win_rate=emissions.win_rate([a for a in range(count) if a != j], j),
            advantage=by_column.get(j, NO_DATA),
            rivalry=rivalry.columns.get(j, NO_DATA),
            nearest_rival=rivalry.nearest.get(j),
        )
        for j, name in enumerate(table.runs)
    )
    return Matrix(
        runs=table.runs,
        cells=tuple(tuple(emissions.cell(a, j) for j in range(count)) for a in range(count)),
        base_row=_base_row(table, bootstrap),
        columns=columns,
        advantage=total,
        rivalry=rivalry.total,
        advantage_runs=tuple(table.runs[j] for j in taking_part),
    )


def advantage_and_rivalry(
    table: Table, bootstrap: ClusterBootstrap, min_runs: int
) -> tuple[Estimate, Estimate]:
    """A and R alone."""
    emissions = Emissions(table, table.claims, bootstrap)
    taking_part, _, total = _diagonal(emissions, min_runs)
    return total, _rivalry(table, emissions, taking_part).total


def _diagonal(emissions: Emissions, min_runs: int) -> tuple[list[int], dict[int, Estimate], Estimate]:
    """The runs A stands on, each column's advantage, and A.

    A run without discordant pairs has no column; it is left out as an emitter too, to keep the matrix square.
    """
    taking_part = [j for j in range(len(emissions.tells)) if emissions.tells[j].any()]
    if len(taking_part) < min_runs:
        return [], {}, NO_DATA
    square = emissions.scores[:, taking_part][:, :, taking_part]
    diagonal: Samples = np.einsum("rjj->rj", square)
    grand = square.mean(axis=(1, 2))
    by_column = diagonal - square.mean(axis=2) - square.mean(axis=1) + grand[:, np.newaxis]
    estimates = {
        j: emissions.bootstrap.estimate(by_column[:, place], emissions.tells[j])
        for place, j in enumerate(taking_part)
    }
    observed = emissions.tells[taking_part].astype(np.int64).sum(axis=0)
    return taking_part, estimates, emissions.bootstrap.estimate(by_column.mean(axis=1), observed)


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


@dataclass(frozen=True, slots=True)
class _Rivalry:
    total: Estimate
    """R."""
    columns: Mapping[int, Estimate]
    nearest: Mapping[int, str]
    """Column → the rival with the greatest S in the data."""


def _rivalry(table: Table, emissions: Emissions, taking_part: list[int]) -> _Rivalry:
    """R and its columns: those of the runs A stands on. Every run is a rival in them, with discordant pairs
    of its own or without."""
    allowed = rivals_of(table.is_steered)
    columns = [j for j in taking_part if allowed[:, j].any()]
    if not columns:
        return _Rivalry(NO_DATA, {}, {})
    samples = distances(emissions.scores, allowed)
    observed = np.where(allowed, emissions.scores[0], -np.inf)
    return _Rivalry(
        emissions.bootstrap.estimate(
            samples[:, columns].mean(axis=1), emissions.tells[columns].astype(np.int64).sum(axis=0)
        ),
        {j: emissions.bootstrap.estimate(samples[:, j], emissions.tells[j]) for j in columns},
        {j: table.runs[int(observed[:, j].argmax())] for j in columns},
    )


def _base_row(table: Table, bootstrap: ClusterBootstrap) -> tuple[Cell, ...] | None:
    if table.base_claims is None:
        return None
    emissions = Emissions(table, table.base_claims[np.newaxis], bootstrap)
    return tuple(emissions.cell(0, j) for j in range(len(table.runs)))
