"""The verdict in a terminal: the figures of the page's first screen in one short table.

Everything is printed as `Text`, which rich takes as it is: brackets in a model's name or words are no
markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from coupling.faithfulness.results import (
    COUPLED,
    FAIL,
    IMITATES_TARGET,
    WARNING,
    GroupResult,
    PanelResult,
    Results,
)
from coupling.report import reading, shifts
from coupling.report.text import in_words, interval, number, one_line, typeset

VERDICT_STYLES = {COUPLED: "bold blue", IMITATES_TARGET: "bold yellow"}
"""The two verdicts that take a side have a colour, as on the page."""


def print_summary(results: Results, console: Console) -> None:
    """Print the verdict, why, the figures it turns on, and what a reader must know beside them."""
    panel = results.headline
    console.print(line(reading.heading(results), "dim"))
    console.print()
    told = [verdict_line(panel.verdict.verdict), line(typeset(panel.verdict.sentence))]
    told += [line(f"missing: {typeset(missing)}", "dim") for missing in panel.verdict.missing]
    for each in told:
        console.print(Padding(each, (0, 2)))
    console.print()
    console.print(_figures(results))
    console.print(line(reading.errors_in_words(results.consequences)))
    for sentence in shifts.told_on_one_screen(results.shift):
        console.print(line(typeset(sentence)))
    if results.sources:
        console.print()
        console.print(_sources(results))
    for warning in _warnings(panel):
        console.print(line(warning, "yellow"))
    for note in results.notes:
        console.print(line(f"note: {note}"))
    if results.groups:
        console.print()
        console.print(_groups(results.groups))


def print_runs(found: Mapping[str, Results | str], console: Console) -> None:
    """Print one line a run directory: its figures, or why there are none."""
    run = Column("run", no_wrap=True)
    table = Table(run, "model", "Self", "Δ", "T", "A", "R", "verdict", box=None, pad_edge=False)
    for name, results in found.items():
        if isinstance(results, str):
            table.add_row(line(name), *[line("n/a", "dim")] * 6, line(results, "dim"))
            continue
        panel = results.headline
        figures = (
            panel.pooled.self_parts.exact.value,
            panel.pooled.delta.value,
            panel.twins.pooled.all_pairs.t.value if panel.twins else None,
            panel.matrix.advantage.value,
            panel.matrix.rivalry.value,
        )
        table.add_row(
            line(name),
            line(results.model.name),
            *(number(figure) for figure in figures),
            verdict_line(panel.verdict.verdict),
        )
    console.print(table)


def line(words: str, style: str = "") -> Text:
    """Words from anywhere as one line, without control characters and never read as markup."""
    return Text(one_line(words), style=style)


def verdict_line(verdict: str) -> Text:
    return line(verdict, VERDICT_STYLES.get(verdict, "bold"))


def _sources(results: Results) -> Table:
    """Each source of the labels in the target's place."""
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for name in ("labels of", "number", "Orig", "Self \N{MINUS SIGN} Orig", "Δ", "similarity", "discordant"):
        table.add_column(name, justify="left" if name == "labels of" else "right")
    for source in results.sources:
        table.add_row(
            line(source.name, "bold"),
            str(source.labels),
            line(number(source.orig_share.value)),
            line(in_words(source.gap, signed=True)),
            line(in_words(source.delta, signed=True)),
            line(number(source.similarity.value)),
            str(source.discordant_pairs),
        )
    return table


def _warnings(panel: PanelResult) -> list[str]:
    """Gates that are not passed: those of the panel in words, those of single runs by name; of a run that is
    the whole panel its own are not told again."""
    said, of_runs = [], dict[tuple[str, str], list[str]]()
    of_panel = {gate.name for gate in panel.gates if gate.run is None and gate.status in (WARNING, FAIL)}
    for gate in panel.gates:
        if gate.status in (WARNING, FAIL):
            name = gate.name.replace("_", " ")
            if gate.run is None:
                said.append(f"{gate.status}: {name}: {typeset(gate.words)}")
            elif len(panel.runs) > 1 or gate.name not in of_panel:
                of_runs.setdefault((gate.status, name), []).append(gate.run)
    return said + [f"{status}: {name} of {', '.join(runs)}" for (status, name), runs in of_runs.items()]


def _figures(results: Results) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("figure", no_wrap=True)
    table.add_column()
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    table.add_column("coupling asks")
    rows = reading.summary(results.headline)
    if results.readers:
        rows = (*rows, reading.text_reader_row(results))
    for row in rows:
        table.add_row(
            line(row.name, "bold"),
            line(row.words, "dim"),
            line(number(row.estimate.value, signed=row.signed)),
            line(interval(row.estimate, signed=row.signed)),
            line(row.asked, "dim"),
        )
    return table


def _groups(groups: Sequence[GroupResult]) -> Table:
    """Narrow, for there are many figures: whole intervals are on the page."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("group")
    for name in ("pairs", "disc.", "Self", "Orig", "Δ", "T", "followed", "changed", "parsed"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in groups:
        figures = group.figures
        table.add_row(
            line(f"{group.tag}: {group.value}", "bold"),
            line(str(figures.pairs)),
            line(str(figures.discordant_pairs)),
            line(number(figures.self_share.value, 2)),
            line(number(figures.orig_share.value, 2)),
            line(number(figures.delta.value, 2, signed=True)),
            line(number(group.twins.t.value if group.twins else None, 2)),
            line(number(figures.followed.value, 2)),
            line(number(figures.changed.value, 2)),
            line(number(figures.parse_rate.value, 2)),
        )
    return table
