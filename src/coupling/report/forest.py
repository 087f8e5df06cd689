"""A forest plot: one figure of many things, each with its interval, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from coupling.records import Estimate
from coupling.report import svg
from coupling.report.figures import DASHED, SMALL, WIDTH, ends_of, label_below, outwards
from coupling.report.text import NOT_AVAILABLE, in_words, number
from coupling.shown import one_line

_ROW, _BOTTOM, _TOP, _SIDE = 42, 26, 4, 12
_LABEL, _FIRST, _SECOND = 9, 22, 33
"""Of a row, how far below its top its label and its two intervals stand."""


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    first: Estimate
    second: Estimate


def forest(name: str, title: str, rows: Sequence[Row], words: tuple[str, str]) -> Markup:
    """Two differences a row, as bars with the value marked: the first thick, the second thin.

    A bar wholly below 0 has the colour of the target's side, one above it that of the model's own.

    Args:
        words: what the two are called.
    """
    estimates = [each for row in rows for each in (row.first, row.second)]
    low, high = outwards([*ends_of(estimates), 0.0], (-0.5, 0.5))
    low, high = min(low, -0.1), max(high, 0.1)
    height = _ROW * len(rows) + _TOP + _BOTTOM
    with svg.drawing():
        figure = svg.canvas(WIDTH, height)
        axes = svg.axes_at(figure, left=_SIDE, bottom=_BOTTOM, right=_SIDE, top=_TOP)
        axes.set_axis_off()
        axes.set_xlim(low, high)
        axes.set_ylim(_ROW * len(rows), 0)
        for value in sorted({low, 0.0, high}):
            ink, style = (svg.INK, DASHED) if value == 0 else (svg.LINE, "-")
            axes.axvline(value, color=ink, lw=0.9, linestyle=style, zorder=0)
            if value == 0 or abs(value) >= 0.12 * (high - low):
                label_below(axes, value, number(value, 1, signed=True), svg.MUTED)
        for place, row in enumerate(rows):
            top = _ROW * place
            axes.text(low, top + _LABEL, one_line(row.label), fontsize=SMALL, va="center", color=svg.INK)
            _draw(axes, row.first, top + _FIRST, 8.0)
            _draw(axes, row.second, top + _SECOND, 3.0)
        told = [
            f"{row.label}: {words[0]} {in_words(row.first, True)}, {words[1]} {in_words(row.second, True)}"
            for row in rows
        ]
        return svg.inline(figure, name, title, f"{title}. {'; '.join(told)}.")


def _draw(axes: Axes, estimate: Estimate, y: float, width: float) -> None:
    if estimate.value is None:
        axes.text(0, y, NOT_AVAILABLE, color=svg.MUTED, ha="center", va="center", fontsize=SMALL)
        return
    colour = svg.MUTED
    if estimate.low is None or estimate.high is None:
        axes.plot([estimate.value], [y], "o", ms=width, mfc=svg.PAPER, mec=colour, mew=1.4, clip_on=False)
        return
    if estimate.high < 0:
        colour = svg.TARGET
    elif estimate.low > 0:
        colour = svg.OWN
    ends = [estimate.low, estimate.high]
    axes.plot(ends, [y, y], color=colour, lw=width, solid_capstyle="butt", clip_on=False)
    mark = [estimate.value, estimate.value]
    half = width / 2 + 2
    axes.plot(mark, [y - half, y + half], color=colour, lw=2, solid_capstyle="butt", clip_on=False)
