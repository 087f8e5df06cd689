"""A sweep in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from coupling.records import Estimate
from coupling.report.terminal import line
from coupling.report.text import number
from coupling.store import Json
from coupling.studies.grid import SEED, short_labels, told_settings
from coupling.studies.page import told_verdicts
from coupling.studies.summary import FIGURES, PointResult, SweepResults, verdict_of
from coupling.studies.writing import told

SHOWN = ("delta", "t", "self", "orig", "similarity")


def print_sweep(results: SweepResults, console: Console) -> None:
    """Print a line for each setting, and under it, where seeds are varied, one for each seed."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("", min_width=12, overflow="fold")
    for figure in SHOWN:
        table.add_column(FIGURES[figure].symbol, justify="right", no_wrap=True)
    table.add_column("verdict")
    for row in results.rows:
        figures = (_told(figure, row.estimate(figure)) for figure in SHOWN)
        table.add_row(
            line(_name(row.settings) or results.experiment, "bold"),
            *map(line, figures),
            line(told_verdicts(row)),
        )
        if row.over_seeds:
            for point in row.points:
                table.add_row(*_seed_row(point))
    console.print(table)
    if any(row.over_seeds for row in results.rows):
        console.print(
            line("means over seeds with t-intervals; single seeds with intervals of their own", "dim")
        )


def _name(settings: Mapping[str, object]) -> str:
    """Without the fields' sections, for want of room."""
    labels = short_labels(tuple(settings))
    return told_settings({labels[field]: cast(Json, value) for field, value in settings.items()})


def _seed_row(point: PointResult) -> list[Text]:
    figures = [_told(figure, point.estimate(figure)) for figure in SHOWN]
    seed = f"  {SEED} {point.settings[SEED]}"
    return [line(words, "dim") for words in (seed, *figures, verdict_of(point))]


def _told(figure: str, estimate: Estimate) -> str:
    """The interval of Δ alone, for want of room."""
    signed = FIGURES[figure].signed
    if figure == "delta":
        return told(estimate, 2, signed)
    return number(estimate.value, 2, signed)
