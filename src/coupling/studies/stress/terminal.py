"""A model under stress, in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from coupling.faithfulness.registry import FIGURES
from coupling.records import Estimate
from coupling.report.terminal import line
from coupling.report.text import in_words, number, typeset
from coupling.studies.stress.findings import WAY_WORDS, Findings, ProbesFound, ShiftsFound, StakesFound
from coupling.studies.stress.opening import opening
from coupling.studies.stress.page import judged_because, ways_shown
from coupling.studies.stress.shifts import SHIFTED
from coupling.studies.writing import told

STAKES = ("changed", "denied", "invented", "cost")
"""What is shown of the errors by consequence."""


def print_stress(found: Findings, console: Console) -> None:
    """Print how explanations fare before any probe, probes worst first, errors by consequence, and what came
    of moved behaviour."""
    heading = f"{found.name} · {found.model} · {found.pairs} {found.split} pairs in {found.clusters} clusters"
    console.print(line(heading, "dim"))
    first = opening(found)
    console.print()
    console.print(Padding(line(f"{first.label}: {first.headline}", "bold"), (0, 2)))
    for sentence in first.sentences:
        console.print(Padding(line(typeset(sentence)), (0, 2)))
    for note in found.notes:
        console.print(line(f"note: {note}"))
    if found.probes is not None:
        _print_probes(found.probes, console)
    if found.stakes is not None:
        _print_stakes(found.stakes, console)
    if found.shifts is not None:
        _print_shifts(found.shifts, console)


def _print_probes(probes: ProbesFound, console: Console) -> None:
    console.print()
    for sentence in probes.worst:
        console.print(Padding(line(f"- {typeset(sentence)}"), (0, 0, 0, 2)))
    console.print()
    console.print(line(judged_because(probes), "dim"))
    ways = ways_shown(probes)
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column("probe", min_width=max((len(each.name) for each in probes.results), default=0))
    for name in (*(f"Self: {way}" for way in ways), "parse", "moved", "lost"):
        table.add_column(name)
    plain = [f"{number(probes.plain[way].self_share.value, 2)} without a probe" for way in ways]
    table.add_row(
        line("unprobed", "bold"), *map(line, plain), line(number(probes.plain[ways[0]].parse_rate.value, 2))
    )
    for each in probes.results:
        judged = each.figures[ways[0]]
        changes = [told(each.figures[way].self_change, 2, signed=True) for way in ways]
        rates = [number(figure.value, 2) for figure in (judged.parse_after, judged.moved, judged.lost)]
        table.add_row(line(each.name, "bold"), *map(line, (*changes, *rates)))
    console.print(table)
    for unasked in probes.unasked:
        console.print(line(f"not asked: {unasked.probe}: {unasked.reason}"))


def _print_stakes(found: StakesFound, console: Console) -> None:
    console.print()
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for name in ("errors by consequence", "the cue decides", "denied", "invented", "cost of a pair"):
        table.add_column(name)
    for way, each in found.by_way.items():
        table.add_row(line(WAY_WORDS[way], "bold"), *(line(in_words(each[name])) for name in STAKES))
    console.print(table)


def _print_shifts(found: ShiftsFound, console: Console) -> None:
    console.print()
    if found.left_out is not None:
        console.print(line(found.left_out))
        return
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for name in ("shift", "moment", "step", *(FIGURES[figure].symbol for figure in SHIFTED)):
        table.add_column(name)
    for each in found.results:
        if each.failure is not None:
            table.add_row(line(each.experiment, "bold"), line(f"failed: {each.failure}"))
        for moment in each.moments:
            table.add_row(
                line(each.experiment, "bold"),
                line(moment.name),
                line(str(moment.step)),
                *(line(_of_moment(name, moment.figures[name])) for name in SHIFTED),
            )
    console.print(table)
    for each in found.results:
        for sentence in each.told:
            console.print(line(f"{each.experiment}: {typeset(sentence)}"))


def _of_moment(name: str, estimate: Estimate) -> str:
    """Of runs steered in opposite directions Self and Orig are means: their intervals tell little."""
    if name in ("self", "orig"):
        return number(estimate.value, 2)
    return in_words(estimate, signed=FIGURES[name].signed)
