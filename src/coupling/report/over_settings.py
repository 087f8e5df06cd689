"""Figures over a setting that was varied: numbers on a line, where they spread widely on a logarithmic one,
and all else side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from coupling.records import Estimate
from coupling.report import svg
from coupling.report.figures import (
    CHARACTER_WIDTH,
    DASHED,
    DOTTED,
    WIDTH,
    Mark,
    draw_line,
    ends_of,
    frame,
    label_below,
    outwards,
    write_not_available,
)
from coupling.report.text import in_words
from coupling.shown import one_line

LOGARITHMIC_FROM = 20
"""Values whose largest is so many times the smallest above 0 are drawn on a logarithmic line."""
_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 34, 14, 8, 30, 130
_LONGEST_LABEL = 14


@dataclass(frozen=True, slots=True)
class Places:
    """Where values stand on the horizontal axis."""

    xs: tuple[float, ...]
    labels: tuple[str, ...]
    break_at: float | None = None
    """Between 0 and the rest of a logarithmic line, which has no place for it."""


@dataclass(frozen=True, slots=True)
class Series:
    """One figure at every value."""

    label: str
    estimates: Sequence[Estimate]
    colour: str = svg.OWN
    marker: str = "o"


def places_of(values: Sequence[object], labels: Sequence[str]) -> Places:
    """Places for ``values``, in their order; ``labels`` are written under values that are no numbers."""
    numbers = [
        float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if len(numbers) < len(values) or len(set(numbers)) < 2:
        return Places(tuple(float(place) for place in range(len(values))), tuple(map(_clipped, labels)))
    written = tuple(f"{value:g}" for value in numbers)
    above = sorted({value for value in numbers if value > 0})
    if min(numbers) < 0 or len(above) < 2 or above[-1] < LOGARITHMIC_FROM * above[0]:
        return Places(tuple(numbers), written)
    lowest = math.log10(above[0])
    apart = (math.log10(above[-1]) - lowest) / (len(above) - 1)
    xs = tuple(math.log10(value) if value > 0 else lowest - apart for value in numbers)
    return Places(xs, written, lowest - apart / 2 if min(numbers) == 0 else None)


def over_values(
    name: str,
    title: str,
    places: Places,
    series: Sequence[Series],
    limits: tuple[float, float],
    marks: Sequence[Mark] = (),
    joined: bool = True,
    across: Sequence[float] = (),
) -> Markup:
    """``series`` with their intervals over what was varied; a value without data says "n/a".

    ``limits`` are those of the vertical axis; ``marks`` stand on it, and ``across`` on the horizontal one.
    """
    with svg.drawing():
        figure = svg.canvas(WIDTH, _HEIGHT + _TOP + _BOTTOM)
        axes = svg.axes_at(figure, left=_LEFT, bottom=_BOTTOM, right=_RIGHT, top=_TOP)
        low, high = min(places.xs), max(places.xs)
        span = (high - low) or 1.0
        axes.set_xlim(low - 0.07 * span, high + 0.07 * span)
        frame(axes, limits)
        _write_labels(axes, places, span)
        if places.break_at is not None:
            axes.axvline(places.break_at, color=svg.MUTED, lw=0.8, linestyle=DOTTED, zorder=0)
        for mark in marks:
            if limits[0] <= mark.value <= limits[1]:
                axes.axhline(mark.value, color=svg.INK, lw=1, linestyle=DASHED, zorder=0)
        for x in across:
            axes.axvline(x, color=svg.MUTED, lw=1, linestyle=DASHED, zorder=0)
        order = sorted(range(len(places.xs)), key=lambda place: places.xs[place])
        xs = [places.xs[place] for place in order]
        for number, one in enumerate(series):
            # Moved aside, so that two series do not hide each other.
            shift = 5 * (number - (len(series) - 1) / 2)
            estimates = [one.estimates[place] for place in order]
            draw_line(axes, xs, estimates, one.colour, one.marker, shift, joined)
        for place, x in enumerate(places.xs):
            if all(one.estimates[place].value is None for one in series):
                write_not_available(axes, x, sum(limits) / 2)
        told = [
            f"{label}: {', '.join(f'{one.label} {in_words(one.estimates[place])}' for one in series)}"
            for place, label in enumerate(places.labels)
        ]
        return svg.inline(figure, name, title, f"{title}. {'; '.join(told)}.")


def limits_of(estimates: Sequence[Estimate], reaching: Sequence[float] = ()) -> tuple[float, float]:
    """The data's limits and ``reaching``, moved outwards to whole tenths, at least 0.2 apart."""
    ends = ends_of(estimates)
    low, high = outwards([*ends, *reaching] if ends else [], (0.0, 1.0))
    return (low, high) if high - low > 0.15 else (low - 0.1, high + 0.1)


def _clipped(label: str) -> str:
    label = one_line(label)
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _write_labels(axes: Axes, places: Places, span: float) -> None:
    """As many as fit: first the ends, then the others from the left."""
    per_pixel = 1.14 * span / (WIDTH - _LEFT - _RIGHT)
    order = sorted(range(len(places.xs)), key=lambda place: places.xs[place])
    written: list[int] = []
    for place in dict.fromkeys([order[0], order[-1], *order]):
        apart = [
            abs(places.xs[place] - places.xs[other])
            - per_pixel * CHARACTER_WIDTH * ((len(places.labels[place]) + len(places.labels[other])) / 2 + 1)
            for other in written
        ]
        if all(gap >= 0 for gap in apart):
            label_below(axes, places.xs[place], places.labels[place], svg.MUTED)
            written.append(place)
