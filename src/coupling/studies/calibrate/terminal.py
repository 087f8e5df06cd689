"""The calibration in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from coupling.report.terminal import line
from coupling.report.text import number
from coupling.studies.calibrate.figures import Calibration, Rated
from coupling.studies.calibrate.tables import margins_shown, mean_told
from coupling.studies.calibrate.wishes import fulfilled, misses
from coupling.studies.writing import told


def print_calibration(results: Calibration, console: Console) -> None:
    """Print how often each emitter was called coupled, the margins' grid, and what is missed."""
    for title, rates in (
        ("worlds reported on", results.rates),
        ("worlds margins are chosen on", results.development_rates),
    ):
        if rates:
            console.print(_rates(title, rates))
    if results.margins:
        console.print(_margins(results))
    if results.worlds:
        console.print(line(fulfilled(results), "bold"))
        for each in misses(results):
            console.print(line(f"- {each}"))


def _rates(title: str, rates: tuple[Rated, ...]) -> Table:
    table = Table(
        title, "draws", "called coupled", "T", "A", "R", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    for rated in rates:
        table.add_row(
            line(rated.emitter, "bold"),
            str(rated.pooled.trials),
            line(told(rated.pooled)),
            *(mean_told(rated, name) for name in ("t", "a", "r")),
        )
    return table


def _margins(results: Calibration) -> Table:
    table = Table(
        "T above",
        "A above",
        "R above",
        "worst impostor",
        "called coupled",
        "own",
        "half",
        box=None,
        padding=(0, 2, 0, 0),
        header_style="dim",
    )
    for each in margins_shown(results):
        in_use = " *" if each.is_frozen else ""
        table.add_row(
            number(each.twin_margin, 2),
            f"{number(each.advantage_margin, 2)}{in_use}",
            number(each.rivalry_margin, 2) if each.rivalry_margin is not None else "-",
            line(each.worst),
            *(line(told(rate)) for rate in (each.errors[each.worst], each.own, each.half)),
        )
    return table
