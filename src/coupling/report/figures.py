"""The figures of the page: intervals on a scale, shares over steps, T over the oracle's share.

Each function gives inline SVG; ``name`` must be unique on the page. Everything is 340 CSS pixels wide at
most, so that a figure is legible at its own size on a telephone, and figures stand side by side elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from coupling.records import Estimate
from coupling.report import svg
from coupling.report.text import NOT_AVAILABLE, in_words, number
from coupling.shown import one_line

WIDTH = 340
SMALL = 10.5
"""Size of all text in a figure, in CSS pixels."""
CHARACTER_WIDTH = 5.9
"""Roughly what a character of that size takes; the typeface is the reader's."""
_LABEL_GAP = 6
_STEP_LABEL_WIDTH = 40
DASHED = (0, (3, 2))
DOTTED = (0, (2, 3))
_SOLID: tuple[int, tuple[int, ...]] = (0, ())


@dataclass(frozen=True, slots=True)
class Mark:
    """A value on a strip's scale to which the interval is compared."""

    value: float
    label: str
    decisive: bool = True
    """Decisive marks are dashed and in ink; the others are thin and grey, for orientation."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a strip shows beside the interval."""

    low: float
    high: float
    marks: tuple[Mark, ...]
    wanted: tuple[float, float] | None = None
    """The zone in which the whole interval must lie."""
    unwanted: tuple[float, float] | None = None
    """An interval wholly in this zone speaks for the target."""
    signed: bool = False

    def covering(self, estimate: Estimate) -> Scale:
        """The same scale, its ends moved outwards to whole tenths where the interval reaches beyond them."""
        low, high = outwards(ends_of([estimate]), (self.low, self.high))
        return replace(self, low=min(self.low, low), high=max(self.high, high))


@dataclass(frozen=True, slots=True)
class Point:
    """Two figures of one run at one step, such as Self and Orig."""

    step: int
    one: Estimate
    other: Estimate


@dataclass(frozen=True, slots=True)
class Pen:
    """How one figure is drawn over steps, and what it is called."""

    words: str
    colour: str
    marker: str


SELF_AND_ORIG = (Pen("Self", svg.OWN, "o"), Pen("Orig", svg.TARGET, "s"))
STEERED_AND_ALL = (Pen("steered pairs", svg.INK, "o"), Pen("all pairs", svg.MUTED, "s"))
"""Of behaviour alone: neither in the colour of the model's side nor in that of the target's."""

BEHAVIOR_AND_CLAIMS = (Pen("behaviour", svg.INK, "o"), Pen("claims", svg.OWN, "s"))


def strip(
    name: str, title: str, estimate: Estimate, scale: Scale, width: int = WIDTH, labels: bool = True
) -> Markup:
    """One interval on a line with what it is judged by; without ``labels`` it fits a table's cell."""
    scale = scale.covering(estimate)
    height, middle = (48, 31) if labels else (22, 11)
    padding = 8
    with svg.drawing():
        figure = svg.canvas(width, height)
        axes = svg.axes_at(figure, left=padding, bottom=0, right=padding, top=0)
        axes.set_axis_off()
        axes.set_xlim(scale.low, scale.high)
        axes.set_ylim(0, height)
        _draw_scale(axes, scale, middle)
        if labels:
            _label_scale(axes, scale, width - 2 * padding)
        if estimate.value is None:
            write_not_available(axes, (scale.low + scale.high) / 2, middle)
        else:
            _draw_interval(axes, estimate.value, estimate, scale, middle)
        told = [f"{title}: {in_words(estimate, scale.signed)}, from {scale.low:g} to {scale.high:g}"]
        told += [f"mark at {mark.label}" for mark in scale.marks]
        return svg.inline(figure, name, title, f"{'; '.join(told)}.")


def over_steps(
    name: str,
    title: str,
    points: Sequence[Point],
    judged: int,
    limits: tuple[float, float],
    counts: bool,
    pens: tuple[Pen, Pen] = SELF_AND_ORIG,
) -> Markup:
    """Two figures of one run over steps with their intervals; a step without data says "n/a".

    ``judged`` is the step on which the verdict stands, ``limits`` those of the vertical axis; ``counts``
    writes under each labelled step how many observations the first figure stands on.
    """
    left, right, top, bottom = 34, 14, 8, 44 if counts else 30
    with svg.drawing():
        figure = svg.canvas(WIDTH, 130 + top + bottom)
        axes = svg.axes_at(figure, left=left, bottom=bottom, right=right, top=top)
        steps = [point.step for point in points]
        span = max(steps) - min(steps) or 1
        axes.set_xlim(min(steps) - 0.06 * span, max(steps) + 0.06 * span)
        frame(axes, limits)
        axes.axvline(judged, color=svg.MUTED, lw=0.8, linestyle=DOTTED, zorder=0)
        labelled = _spaced(steps, judged, 1.12 * span / (WIDTH - left - right) * _STEP_LABEL_WIDTH)
        for point in points:
            if point.step in labelled:
                label = f"{point.step}\nn {point.one.n}" if counts else str(point.step)
                label_below(axes, point.step, label, svg.INK if point.step == judged else svg.MUTED)
            if point.one.value is None and point.other.value is None:
                write_not_available(axes, point.step, sum(limits) / 2)
        one, other = pens
        draw_line(axes, steps, [point.one for point in points], one.colour, one.marker, shift=-2.5)
        draw_line(axes, steps, [point.other for point in points], other.colour, other.marker, shift=2.5)
        told = [
            f"step {p.step}: {one.words} {in_words(p.one)}, {other.words} {in_words(p.other)}" for p in points
        ]
        return svg.inline(figure, name, title, f"{title}. {'; '.join(told)}.")


def dose_response(name: str, title: str, doses: Sequence[tuple[float, Estimate]], margin: float) -> Markup:
    """T of mixtures of oracle and sibling over the oracle's share: a sound twin test rises along it."""
    dosed = sorted(doses, key=lambda dose: dose[0])
    with svg.drawing():
        figure = svg.canvas(WIDTH, 196)
        axes = svg.axes_at(figure, left=34, bottom=44, right=14, top=8)
        axes.set_xlim(-0.06, 1.06)
        frame(axes, (0.0, 1.0))
        for value, label, style, offset in (
            (0.5, "0.5, chance", _SOLID, -3),
            (margin, f"{margin:g}, margin", DASHED, 3),
        ):
            axes.axhline(value, color=svg.INK, lw=1, linestyle=style, zorder=0)
            axes.annotate(
                label,
                (1, value),
                (0, offset),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                ha="right",
                va="bottom" if offset > 0 else "top",
                fontsize=SMALL,
                color=svg.INK,
            )
        for share, _ in dosed:
            label_below(axes, share, f"{share:.0%}", svg.MUTED)
        label_below(axes, 0.5, "oracle's share of the explanations", svg.MUTED, below=22)
        draw_line(axes, [share for share, _ in dosed], [t for _, t in dosed], svg.OWN, "o", shift=0)
        told = [f"share {share:.2f}: T {in_words(t)}" for share, t in dosed]
        return svg.inline(figure, name, title, f"{title}. {'; '.join(told)}.")


def ends_of(estimates: Iterable[Estimate]) -> list[float]:
    return [end for e in estimates for end in (e.value, e.low, e.high) if end is not None]


def outwards(ends: Sequence[float], without_data: tuple[float, float]) -> tuple[float, float]:
    if not ends:
        return without_data
    return math.floor(min(ends) * 10 + 1e-9) / 10, math.ceil(max(ends) * 10 - 1e-9) / 10


def write_not_available(axes: Axes, x: float, y: float) -> None:
    axes.text(x, y, NOT_AVAILABLE, color=svg.MUTED, ha="center", va="center", fontsize=SMALL)


def _draw_scale(axes: Axes, scale: Scale, middle: float) -> None:
    bottom, top = middle - 11, middle + 11
    for zone, colour in ((scale.wanted, svg.OWN_TINT), (scale.unwanted, svg.TARGET_TINT)):
        if zone is not None:
            start, end = max(zone[0], scale.low), min(zone[1], scale.high)
            axes.fill([start, end, end, start], [bottom, bottom, top, top], color=colour, lw=0)
    axes.plot([scale.low, scale.high], [middle, middle], color=svg.LINE, lw=1)
    for mark in scale.marks:
        colour, width, style = (svg.INK, 1.1, DASHED) if mark.decisive else (svg.MUTED, 0.8, _SOLID)
        axes.plot([mark.value, mark.value], [bottom, top], color=colour, lw=width, linestyle=style)


def _draw_interval(axes: Axes, value: float, estimate: Estimate, scale: Scale, y: float) -> None:
    """The interval as a bar with the value marked in it; where there is no interval, a hollow dot."""
    if estimate.low is None or estimate.high is None:
        axes.plot([value], [y], "o", ms=7, mfc=svg.PAPER, mec=svg.INK, mew=1.6, clip_on=False)
        return
    against = scale.unwanted is not None and estimate.high < scale.unwanted[1]
    colour = svg.TARGET if against else svg.OWN
    for xs, ys, width in (
        ([estimate.low, estimate.high], [y, y], 9.0),
        ([value, value], [y - 7, y + 7], 2.2),
    ):
        axes.plot(xs, ys, color=colour, lw=width, solid_capstyle="butt", clip_on=False)


def _label_scale(axes: Axes, scale: Scale, width: float) -> None:
    """Marks and ends, below the line. Of two marks the lower is labelled to its left, the upper to its
    right; labels stay within the strip, and those of ends give way to those of marks."""
    taken: list[tuple[float, float]] = []

    def place(value: float, label: str, colour: str, before: float, yields: bool = False) -> None:
        """``before``: the share of the label that stands before its value."""
        length = CHARACTER_WIDTH * len(label)
        x = (value - scale.low) / (scale.high - scale.low) * width
        start = min(max(x - before * length, 0), width - length)
        crowded = any(start < e + _LABEL_GAP and start + length > s - _LABEL_GAP for s, e in taken)
        if not (crowded and yields):
            taken.append((start, start + length))
            at = scale.low + (start + before * length) / width * (scale.high - scale.low)
            side = {0.0: "left", 0.5: "center", 1.0: "right"}[before]
            axes.text(at, 4, label, ha=side, fontsize=SMALL, color=colour)

    marks = sorted(scale.marks, key=lambda mark: mark.value)
    for position, mark in enumerate(marks):
        before = 0.5 if len(marks) == 1 else 1.0 - position
        place(mark.value, one_line(mark.label), svg.INK if mark.decisive else svg.MUTED, before)
    for end, before in ((scale.low, 0.0), (scale.high, 1.0)):
        place(end, number(end, 0 if end == int(end) else 1), svg.MUTED, before, yields=True)


def frame(axes: Axes, limits: tuple[float, float]) -> None:
    """Hairlines at round values instead of a box."""
    low, high = limits
    axes.set_ylim(low, high)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    spacing = 0.2 if high - low > 0.45 else 0.1
    lines = range(math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9) + 1)
    for value in (line * spacing for line in lines):
        axes.axhline(value, color=svg.LINE, lw=0.8, zorder=0)
        axes.annotate(
            number(value, 1),
            (0, value),
            (-6, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=SMALL,
            color=svg.MUTED,
        )


def label_below(axes: Axes, x: float, label: str, colour: str, below: float = 6) -> None:
    """Under the axes, by so many pixels."""
    axes.annotate(
        label,
        (x, 0),
        (0, -below),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=SMALL,
        linespacing=1.25,
        color=colour,
    )


def _spaced(steps: Sequence[int], judged: int, apart: float) -> list[int]:
    """The steps to label: the judged one, the ends, and as many others as stand ``apart`` from all those."""
    chosen: list[int] = []
    for step in dict.fromkeys([judged, steps[0], steps[-1], *steps]):
        if step in steps and all(abs(step - other) >= apart for other in chosen):
            chosen.append(step)
    return chosen


def draw_line(
    axes: Axes,
    xs: Sequence[float],
    estimates: Sequence[Estimate],
    colour: str,
    marker: str,
    shift: float,
    joined: bool = True,
) -> None:
    """Values with their intervals, joined or not; moved aside by ``shift`` pixels so that two do not
    overlap."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    moved = axes.transData + ScaledTranslation(shift / 72, 0, figure.dpi_scale_trans)
    values = [math.nan if e.value is None else e.value for e in estimates]
    if joined:
        axes.plot(xs, values, color=colour, lw=1.6, transform=moved, clip_on=False)
    for x, estimate in zip(xs, estimates, strict=True):
        if estimate.low is not None and estimate.high is not None:
            ends = [estimate.low, estimate.high]
            axes.plot([x, x], ends, color=colour, lw=1.6, transform=moved, clip_on=False)
    size = 5.6 if marker == "s" else 6.5
    axes.plot(xs, values, marker, ms=size, mfc=colour, mec=svg.PAPER, mew=1, transform=moved, clip_on=False)
