"""The verdict in a terminal: the figures of the page's first screen in one short table.

Everything is printed as `Text`, which rich takes as it is: brackets in a model's name or words are no
markup.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from coupling.faithfulness.registry import COUNT, FIGURES, Figure
from coupling.faithfulness.results import COUPLED, FAIL, IMITATES_TARGET, READER, WARNING, Results
from coupling.faithfulness.rows import group_name, source_name
from coupling.faithfulness.statistics import NO_DATA
from coupling.faithfulness.thresholds import Thresholds
from coupling.records import Estimate
from coupling.report import reading, shifts
from coupling.report.runs import Sweep
from coupling.report.text import in_words, interval, number, typeset
from coupling.shown import one_line

VERDICT_STYLES = {COUPLED: "bold blue", IMITATES_TARGET: "bold yellow"}
"""The two verdicts that take a side have a colour, as on the page."""

_OF_RUNS = ("p", "delta", "self", "over_quoting")
_OF_GROUPS = {
    "pairs": "pairs",
    "discordant_pairs": "disc.",
    "self": "Self",
    "orig": "Orig",
    "delta": "Δ",
    "t": "T",
    "followed": "followed",
    "changed": "changed",
    "parse_rate": "parsed",
}
"""Figures of groups, and how they are headed: narrow, for they are many; intervals are on the page."""


def print_summary(results: Results, console: Console) -> None:
    """Print the verdict, why, the figures it turns on, and what a reader must know beside them."""
    verdict = results.verdict()
    console.print(line(reading.heading(results), "dim"))
    console.print()
    told = [verdict_line(verdict.verdict), line(typeset(verdict.sentence))]
    told += [line(f"missing: {typeset(missing)}", "dim") for missing in verdict.missing]
    for each in told:
        console.print(Padding(each, (0, 2)))
    console.print()
    console.print(_figures(results))
    console.print(line(reading.errors_in_words(results)))
    for sentence in shifts.told_on_one_screen(results):
        console.print(line(typeset(sentence)))
    if results.sources:
        console.print()
        console.print(_sources(results))
    for warning in _warnings(results):
        console.print(line(warning, "yellow"))
    for note in results.notes:
        console.print(line(f"note: {note}"))
    if results.groups:
        console.print()
        console.print(_groups(results))


def print_runs(
    found: Mapping[str, Results | str],
    console: Console,
    dates: Mapping[str, datetime] | None = None,
    sweeps: Mapping[str, Sweep] | None = None,
) -> None:
    """Print one line a run directory, its figures or why there are none, and one a sweep.

    Args:
        dates: when they were evaluated, by name.
        sweeps: folders of run directories, by name.
    """
    dates = dates or {}
    headed = [Column(FIGURES[name].symbol, justify="right", no_wrap=True) for name in _OF_RUNS]
    table = Table(
        Column("run", min_width=12, overflow="fold"),
        Column("date", no_wrap=True),
        Column("model", overflow="fold"),
        *headed,
        "verdict",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for name, results in found.items():
        date = line(_day(dates.get(name)), "dim")
        if isinstance(results, str):
            table.add_row(line(name), date, *[line("n/a", "dim")] * (1 + len(headed)), line(results, "dim"))
            continue
        told = [number(results.judged(figure).value, 2) for figure in _OF_RUNS]
        verdict = verdict_line(results.verdict().verdict)
        table.add_row(line(name), date, line(results.model.name), *told, verdict)
    for name, sweep in (sweeps or {}).items():
        blank = [""] * (1 + len(headed))
        table.add_row(line(f"{name}/"), line(_day(sweep.date), "dim"), *blank, line(sweep.words))
    console.print(table)


def _day(date: datetime | None) -> str:
    return "n/a" if date is None else f"{date:%Y-%m-%d}"


def line(words: str, style: str = "") -> Text:
    """Words from anywhere as one line, without control characters and never read as markup."""
    return Text(one_line(words), style=style)


def verdict_line(verdict: str) -> Text:
    return line(verdict, VERDICT_STYLES.get(verdict, "bold"))


def figure_row(figure: Figure, estimate: Estimate, limits: Thresholds) -> list[Text]:
    """A figure, what it is, its value and interval, and what coupling asks of it."""
    return [
        line(figure.symbol, "bold"),
        line(figure.words, "dim"),
        line(number(estimate.value, signed=figure.signed)),
        line(interval(estimate, signed=figure.signed)),
        line(reading.asked_of(figure, limits), "dim"),
    ]


def _figures(results: Results) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("figure", no_wrap=True)
    table.add_column()
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    table.add_column("coupling asks")
    for name in reading.SUMMARY:
        table.add_row(*figure_row(FIGURES[name], results.judged(name), results.thresholds))
    if results.explained_by(READER):
        best = reading.best_text_reader(results)
        words = "share of Self a reader gets" if best is None else f"share of Self: {best.words}"
        text_alone = replace(FIGURES["share_of_self"], symbol="text alone", words=words)
        estimate = NO_DATA if best is None else results.figures("share_of_self", explainer=best.name)
        table.add_row(*figure_row(text_alone, estimate, results.thresholds))
    return table


def _sources(results: Results) -> Table:
    """Each source of the labels in the target's place."""
    names = ("orig", "gap", "delta", "similarity", "discordant_pairs")
    wide = {FIGURES[name].symbol for name in names if FIGURES[name].signed}
    table = _narrow("labels of", ["number", *(FIGURES[name].symbol for name in names)], (0, 2), wide)
    figures = results.figures
    for source in results.sources:
        told = [
            _cell(name, figures(name, subset=source_name(source.name)), has_interval=FIGURES[name].signed)
            for name in names
        ]
        table.add_row(line(source.name, "bold"), str(source.labels), *told)
    return table


def _groups(results: Results) -> Table:
    table = _narrow("group", _OF_GROUPS.values(), (0, 1, 0, 0))
    figures = results.figures
    for group in results.groups:
        subset = group_name(group.tag, group.value)
        told = [_cell(name, figures(name, subset=subset), digits=2) for name in _OF_GROUPS]
        table.add_row(line(f"{group.tag}: {group.value}", "bold"), *told)
    return table


def _narrow(
    of: str,
    headings: Iterable[str],
    padding: tuple[int, int] | tuple[int, int, int, int],
    wide: Collection[str] = (),
) -> Table:
    """A table of figures; what stands under the ``wide`` of its headings may break, for want of room."""
    table = Table(box=None, padding=padding, header_style="dim")
    table.add_column(of)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=heading not in wide)
    return table


def _cell(name: str, estimate: Estimate, digits: int = 3, has_interval: bool = False) -> Text:
    figure = FIGURES[name]
    if has_interval:
        return line(in_words(estimate, figure.signed))
    return line(number(estimate.value, 0 if figure.unit == COUNT else digits, figure.signed))


def _warnings(results: Results) -> list[str]:
    """Gates that are not passed: those of the panel in words, those of single runs by name; of a run that is
    the whole panel its own are not told again."""
    said, of_runs = [], dict[tuple[str, str], list[str]]()
    failed = [gate for gate in results.gates if gate.status in (WARNING, FAIL)]
    of_panel = {gate.name for gate in failed if gate.run is None}
    for gate in failed:
        name = gate.name.replace("_", " ")
        if gate.run is None:
            said.append(f"{gate.status}: {name}: {typeset(gate.words)}")
        elif len(results.runs) > 1 or gate.name not in of_panel:
            of_runs.setdefault((gate.status, name), []).append(gate.run)
    return said + [f"{status}: {name} of {', '.join(runs)}" for (status, name), runs in of_runs.items()]
