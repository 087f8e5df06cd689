"""The calibration in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from coupling.report.terminal import line
from coupling.studies.calibrate.figures import Calibration, Rated
from coupling.studies.calibrate.tables import mean_told, standing
from coupling.studies.calibrate.wishes import fulfilled, misses
from coupling.studies.writing import told


def print_calibration(results: Calibration, console: Console) -> None:
    """Print how often each emitter was called coupled, what other rules would say, and what is missed."""
    for title, rates in (
        ("worlds reported on", results.rates),
        ("worlds the rule is chosen on", results.development_rates),
    ):
        if rates:
            console.print(_rates(title, rates))
    if results.tried:
        console.print(_candidates(results))
    if results.worlds:
        console.print(line(fulfilled(results), "bold"))
        for each in misses(results):
            console.print(line(f"- {each}"))


def _rates(title: str, rates: tuple[Rated, ...]) -> Table:
    table = Table(
        title, "draws", "called coupled", "P", "Δ", "T", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    for rated in rates:
        table.add_row(
            line(rated.emitter, "bold"),
            str(rated.pooled.trials),
            line(told(rated.pooled)),
            *(mean_told(rated, name) for name in ("p", "delta", "t")),
        )
    return table


def _candidates(results: Calibration) -> Table:
    columns = ("rule", "worst impostor", "called coupled", "own", "half", "")
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for each in results.tried:
        table.add_row(
            line(each.name, "bold"),
            line(each.worst),
            *(line(told(rate)) for rate in (each.errors[each.worst], each.own, each.half)),
            line(standing(results, each)),
        )
    return table
