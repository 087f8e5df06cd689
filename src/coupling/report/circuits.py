"""What patching found, as figures of the page and as a table in a terminal."""

from __future__ import annotations

from markupsafe import Markup
from matplotlib.axes import Axes
from rich.console import Console
from rich.table import Column, Table

from coupling.faithfulness.circuits import (
    ANSWER,
    EVERY,
    HEAD,
    MLP,
    RESIDUAL,
    WITH_CUE,
    WITHOUT_CUE,
    Agreement,
    ByReadOut,
    CircuitResults,
    Circuits,
    Component,
)
from coupling.records import Estimate
from coupling.report import svg
from coupling.report.figures import DOTTED, SMALL, WIDTH, frame, label_below, outwards
from coupling.report.terminal import line
from coupling.report.text import in_words, interval, number

MARKERS = {HEAD: "o", MLP: "s", RESIDUAL: "D"}
KIND_WORDS = {EVERY: "all", HEAD: "heads", MLP: "MLPs", RESIDUAL: "residual stream"}
CLAIM_WORDS = {WITH_CUE: "with the cue", WITHOUT_CUE: "without it"}
_COLOURS = {WITH_CUE: svg.OWN, WITHOUT_CUE: svg.TARGET}
_LABELLED = 2
"""Components of each claim that are named in the figure: those that carry most."""


def panels(results: CircuitResults) -> list[Markup]:
    """A figure of each model, all of the same limits."""
    shares = [carried.share for circuits in results.models for carried in circuits.carried]
    behavior = [share.behavior.value for share in shares]
    claimed = [each.value for share in shares for each in _claimed(share).values()]
    across, upwards = (
        outwards([value for value in values if value is not None], (0.0, 1.0))
        for values in (behavior, claimed)
    )
    return [
        scatter(f"circuits-{place}", circuits, across, upwards)
        for place, circuits in enumerate(results.models)
    ]


def scatter(
    name: str, circuits: Circuits, across: tuple[float, float], upwards: tuple[float, float]
) -> Markup:
    """Each component's share of the cue's influence on explanations over its share of that on behaviour."""
    title = f"Shares of components in {circuits.name}"
    with svg.drawing():
        figure = svg.canvas(WIDTH, 260)
        axes = svg.axes_at(figure, left=34, bottom=44, right=14, top=8)
        margin = 0.05 * (across[1] - across[0])
        axes.set_xlim(across[0] - margin, across[1] + margin)
        frame(axes, upwards)
        start, end = max(across[0], upwards[0]), min(across[1], upwards[1])
        axes.plot([start, end], [start, end], color=svg.MUTED, lw=0.8, linestyle=DOTTED, zorder=0)
        for value in (0.0, 0.5, 1.0):
            if across[0] <= value <= across[1]:
                label_below(axes, value, number(value, 1), svg.MUTED)
        label_below(axes, sum(across) / 2, "share of the influence on behaviour", svg.MUTED, below=22)
        told, named = [], list[tuple[Component, float]]()
        for claim, colour in _COLOURS.items():
            drawn = [
                (carried.component, carried.share.behavior.value, _claimed(carried.share)[claim].value)
                for carried in circuits.carried
            ]
            points = [(c, x, y) for c, x, y in drawn if x is not None and y is not None]
            single = [point for point in points if point[0].kind != RESIDUAL]
            for component, x, y in sorted(single, key=lambda point: -abs(point[2]))[:_LABELLED]:
                # Once, where both claims would name it: the two would cover each other.
                if not any(component == other and abs(y - there) < 0.2 for other, there in named):
                    named.append((component, y))
                    _name(axes, component.label, (x, y))
            for component, x, y in points:
                fill = colour if component.position == ANSWER else svg.PAPER
                axes.plot(
                    [x], [y], MARKERS[component.kind], ms=6, mfc=fill, mec=colour, mew=1.2, clip_on=False
                )
                told.append(
                    f"{component.label} {component.position}, claim {CLAIM_WORDS[claim]}: "
                    f"{number(x, 2)}, {number(y, 2)}"
                )
        return svg.inline(figure, name, title, f"{title}. {'; '.join(told) or 'n/a'}.")


def print_circuits(results: CircuitResults, console: Console) -> None:
    """Print each model's influences, the components that carry most, and the overlaps with their null."""
    for circuits in results.models:
        console.print(line(circuits.name, "bold"))
        console.print(line("the cue's influence in logits: " + influences(circuits)))
        components = Table("component", "positions", *_READOUT_COLUMNS, box=None, pad_edge=False)
        for carried in sorted(circuits.carried, key=lambda each: -abs(each.share.behavior.value or 0))[:8]:
            shares = [carried.share.behavior, *_claimed(carried.share).values()]
            components.add_row(
                line(carried.component.label),
                line(carried.component.position),
                *(line(in_words(share, signed=True)) for share in shares),
            )
        console.print(components)
        columns = ("claim", "components", "n", "agreement of", "value", "95 % interval", "null")
        table = Table(*columns, Column("p", justify="right"), box=None, pad_edge=False)
        for overlap in circuits.overlaps:
            measures = (
                ("ranks", overlap.spearman),
                ("cosine", overlap.cosine),
                (f"top {results.top}", overlap.top),
            )
            for measure, agreement in measures:
                table.add_row(
                    CLAIM_WORDS[overlap.claim],
                    KIND_WORDS[overlap.kind],
                    str(overlap.components),
                    measure,
                    number(agreement.estimate.value),
                    interval(agreement.estimate),
                    interval(null_range(agreement)),
                    p_value(agreement),
                )
        console.print(table)


def influences(circuits: Circuits) -> str:
    """The cue's influence on each read-out, in one phrase."""
    found = circuits.influence
    return (
        f"on behaviour {in_words(found.behavior, signed=True)}, on the claimed answer with the cue "
        f"{in_words(found.with_cue, signed=True)}, without it {in_words(found.without_cue, signed=True)} "
        f"({found.behavior.n} changed pairs, {found.behavior.clusters} clusters)"
    )


def p_value(agreement: Agreement) -> str:
    """Three decimals, "< 0.001" below; "n/a" where there is none."""
    if agreement.p is not None and agreement.p < 0.001:
        return "< 0.001"
    return number(agreement.p)


def null_range(agreement: Agreement) -> Estimate:
    """The null's range, to be written as intervals are."""
    return Estimate(None, agreement.null_low, agreement.null_high, 0, 0)


_READOUT_COLUMNS = ("share of behaviour", "of the claim with the cue", "of the claim without it")


def _claimed(share: ByReadOut) -> dict[str, Estimate]:
    return {WITH_CUE: share.with_cue, WITHOUT_CUE: share.without_cue}


def _name(axes: Axes, label: str, point: tuple[float, float]) -> None:
    axes.annotate(
        label,
        point,
        (-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=SMALL,
        color=svg.MUTED,
    )
