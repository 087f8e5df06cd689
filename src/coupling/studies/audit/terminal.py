"""The audit in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.results import CONSTRUCTED, Results
from coupling.report.terminal import line, print_summary, verdict_line
from coupling.report.text import in_words, typeset
from coupling.studies.audit.findings import Findings


def print_audit(results: Results, findings: Findings, console: Console) -> None:
    """Print the figures, the constructed emitters, and what the evidence allows and what it does not."""
    print_summary(results, console)
    console.print()
    console.print(_emitters(results))
    for heading, sentences in (
        ("What this evidence allows", findings.allows),
        ("What it does not allow", findings.does_not_allow),
        ("What to do next", findings.next_steps),
    ):
        _print_list(heading, sentences, console)


def _print_list(heading: str, sentences: Sequence[str], console: Console) -> None:
    console.print()
    console.print(line(heading, "bold"))
    for sentence in sentences:
        console.print(Padding(line(f"- {typeset(sentence)}"), (0, 0, 0, 2)))


def _emitters(results: Results) -> Table:
    names = ("self", "delta")
    headed = [FIGURES[name].symbol for name in names]
    table = Table("constructed emitter", *headed, "verdict", box=None, padding=(0, 2), header_style="dim")
    figures = results.figures
    for each in results.explained_by(CONSTRUCTED):
        told = (in_words(figures(name, explainer=each.name), signed=FIGURES[name].signed) for name in names)
        verdict = results.verdict(explainer=each.name).verdict
        table.add_row(line(each.words, "bold"), *map(line, told), verdict_line(verdict))
    return table
