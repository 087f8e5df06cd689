"""A panel at one checkpoint as arrays, with what resamples it: what every figure is computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.rows import ALL, ALL_RUNS, OWN, STEERED_RUNS, Row
from coupling.faithfulness.scores import Table, over_runs
from coupling.faithfulness.statistics import BoolArray, ClusterBootstrap, IntArray
from coupling.records import Estimate

Twins = Sequence[tuple[str, str]]
Steered = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Run name → tag → values of the pairs on which its behaviour was steered."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A table, and how it is resampled."""

    table: Table
    bootstrap: ClusterBootstrap
    """Weights over the table's clusters."""
    step: int = 0
    twins: Twins = ()
    """Names of runs that differ in nothing but how they were steered."""
    steered: Steered = field(default_factory=dict)

    @property
    def every_run(self) -> list[int]:
        return list(range(len(self.table.runs)))

    @property
    def by_name(self) -> dict[str, list[int]]:
        """Runs pooled and each run: name in rows → numbers of its runs."""
        return {ALL_RUNS: self.every_run, **{name: [run] for run, name in enumerate(self.table.runs)}}

    @property
    def moved(self) -> dict[str, list[int]]:
        """`by_name`, and the steered runs pooled, where there are any."""
        steered = np.flatnonzero(self.table.is_steered).tolist()
        return {**self.by_name, **({STEERED_RUNS: steered} if steered else {})}

    def explained_by(self, claims: IntArray) -> Panel:
        """The same panel with other claims, shape (runs, pairs, 2)."""
        assert claims.shape == self.table.claims.shape
        return replace(self, table=replace(self.table, claims=claims))

    def share(self, values: npt.NDArray[np.generic], among: BoolArray) -> Estimate:
        """Σ values / number of observations, over the observations ``among``; both of shape (runs, pairs)."""
        return self.bootstrap.share(over_runs(values * among), over_runs(among))

    def rows(
        self, estimates: Mapping[str, Estimate], run: str = ALL_RUNS, subset: str = ALL, explainer: str = OWN
    ) -> list[Row]:
        """A row for each figure that has data."""
        return [
            Row(figure, run, self.step, subset, explainer, estimate)
            for figure, estimate in estimates.items()
            if estimate.value is not None
        ]
