"""Figures of many experiments in words and in Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable

from coupling.faithfulness.statistics import Rate
from coupling.records import Estimate
from coupling.report.text import NOT_AVAILABLE, number


def told(figure: Estimate | Rate, digits: int = 3, signed: bool = False) -> str:
    """Value and interval, "0.84 [0.81, 0.87]"; the value alone where there is no interval, and "n/a" where
    there is no value."""
    value = number(figure.value, digits, signed)
    return value if figure.low is None else f"{value} {bounds(figure.low, figure.high, digits, signed)}"


def bounds(low: float | None, high: float | None, digits: int = 3, signed: bool = False) -> str:
    """An interval, "[0.81, 0.87]"; "n/a" where there is none."""
    if low is None or high is None:
        return NOT_AVAILABLE
    return f"[{number(low, digits, signed)}, {number(high, digits, signed)}]"


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """The lines of a Markdown table."""
    names = list(columns)
    return [
        f"| {' | '.join(names)} |",
        f"|{'---|' * len(names)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
