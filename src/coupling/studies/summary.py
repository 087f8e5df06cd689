"""The figures of a sweep: ``sweep.json``.

Of each point the pooled figures of its panel at the checkpoint named before the run; where seeds are varied,
their mean over seeds with a t-interval. Seeds are listed and never resampled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.experiment import is_done, run_path
from coupling.faithfulness import Results, registry
from coupling.faithfulness.registry import Figure
from coupling.faithfulness.statistics import NO_DATA, SeedInterval, over_seeds
from coupling.records import Estimate
from coupling.report.runs import read_results
from coupling.store import read_versioned
from coupling.studies.definition import Sweep
from coupling.studies.grid import SEED, Point
from coupling.studies.points import read_failure

SWEEP_SCHEMA = 3
FIGURES: Mapping[str, Figure] = {
    name: registry.FIGURES[name]
    for name in ("delta", "t", "a", "r", "self", "orig", "gap", "similarity", "parse_rate")
}
"""What experiments are compared by, by its name in the registry, in the order of the table's columns."""


@dataclass(frozen=True, slots=True)
class PointFigures:
    """What one experiment gave, all its runs pooled."""

    estimates: Mapping[str, Estimate]
    """One for each of `FIGURES`, with the interval from resampled clusters; T is n/a without twins."""
    discordant_pairs: int | None
    verdict: str
    reason: str
    """Slug of the rule that gave the verdict."""


@dataclass(frozen=True, slots=True)
class PointResult:
    """One point; without figures it failed, or has not been run to its end."""

    name: str
    """Its folder in the sweep's."""
    settings: Mapping[str, object]
    """Varied field → value."""
    figures: PointFigures | None
    failure: str | None

    def estimate(self, figure: str) -> Estimate:
        """Its figure of that name."""
        return self.figures.estimates[figure] if self.figures else NO_DATA


@dataclass(frozen=True, slots=True)
class Row:
    """Points that differ in their seed only; where no seed is varied, one point."""

    settings: Mapping[str, object]
    """Varied field → value, without the seed."""
    points: tuple[PointResult, ...]
    over_seeds: Mapping[str, SeedInterval | None]
    """One for each of `FIGURES`, over the points that have it; empty where no seed is varied."""

    def estimate(self, figure: str) -> Estimate:
        """What is shown of a figure: the point's own estimate, or the mean over seeds with its t-interval.

        In the latter ``n`` counts seeds, and ``clusters`` is 0: none were resampled.
        """
        if not self.over_seeds:
            (point,) = self.points
            return point.estimate(figure)
        interval = self.over_seeds[figure]
        if interval is None:
            return NO_DATA
        return Estimate(interval.mean, interval.low, interval.high, n=len(interval.values), clusters=0)

    @property
    def verdicts(self) -> dict[str, int]:
        """Verdict → how many points have it; "failed" and "not run" stand for those without figures."""
        counts: dict[str, int] = {}
        for point in self.points:
            counts[verdict_of(point)] = counts.get(verdict_of(point), 0) + 1
        return counts


@dataclass(frozen=True, slots=True)
class VariedAxis:
    """Fields that move together, and their values in order."""

    fields: tuple[str, ...]
    values: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class SweepResults:
    """The content of ``sweep.json``."""

    schema: int
    name: str
    experiment: str
    axes: tuple[VariedAxis, ...]
    rows: tuple[Row, ...]

    @property
    def points(self) -> tuple[PointResult, ...]:
        return tuple(point for row in self.rows for point in row.points)

    def require_all(self) -> None:
        """Raises ValueError, naming points and why, unless every point has figures."""
        lacking = [point for point in self.points if point.figures is None]
        if lacking:
            told = "\n".join(f"{point.name}: {point.failure or 'was not run'}" for point in lacking)
            raise ValueError(
                f"{self.name}: {len(lacking)} of {len(self.points)} points failed; the others are done, and "
                f"the same command tries these again\n{told}"
            )


def read_sweep(file: Path) -> SweepResults:
    """The content of a ``sweep.json``. Raises ValueError where it is of another version."""
    return read_versioned(SweepResults, file, SWEEP_SCHEMA, "the same `coupling sweep` makes it anew")


def verdict_of(point: PointResult) -> str:
    if point.figures is not None:
        return point.figures.verdict
    return "not run" if point.failure is None else "failed"


def summarise(sweep: Sweep, folder: Path) -> SweepResults:
    """The figures of every point that is done, from the run directories in ``folder``."""
    axes = tuple(VariedAxis(axis.fields, axis.values) for axis in sweep.axes)
    points = [_result(point, folder) for point in sweep.points]
    return SweepResults(SWEEP_SCHEMA, sweep.name, sweep.experiment, axes, rows_of(points, axes))


def rows_of(points: Sequence[PointResult], axes: Sequence[VariedAxis]) -> tuple[Row, ...]:
    """The points, those together that differ in their seed only."""
    by_settings: dict[str, list[PointResult]] = {}
    for point in points:
        by_settings.setdefault(repr(_without_seed(point.settings)), []).append(point)
    has_seeds = any(SEED in axis.fields for axis in axes)
    return tuple(_row(tuple(points), has_seeds) for points in by_settings.values())


def point_figures(results: Results) -> PointFigures:
    """The figures of an experiment that a sweep compares."""
    figures, verdict = results.figures, results.verdict()
    estimates = {name: figures(name) for name in FIGURES}
    return PointFigures(estimates, figures.count("discordant_pairs"), verdict.verdict, verdict.reason)


def _result(point: Point, folder: Path) -> PointResult:
    figures, failure = None, read_failure(folder, point.name)
    if failure is None and is_done(point.config, folder):
        figures = point_figures(read_results(run_path(point.config, folder)))
    return PointResult(point.name, point.settings, figures, failure)


def _row(points: tuple[PointResult, ...], has_seeds: bool) -> Row:
    over = {name: _over_seeds(points, name) for name in FIGURES} if has_seeds else {}
    return Row(_without_seed(points[0].settings), points, over)


def _without_seed(settings: Mapping[str, object]) -> dict[str, object]:
    return {field: value for field, value in settings.items() if field != SEED}


def _over_seeds(points: tuple[PointResult, ...], figure: str) -> SeedInterval | None:
    found = [point.estimate(figure).value for point in points]
    values = [value for value in found if value is not None]
    return over_seeds(values) if values else None
