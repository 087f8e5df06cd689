"""The audit in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from coupling.faithfulness.registry import COUNT, FIGURES
from coupling.faithfulness.results import CONSTRUCTED, FAIL, WARNING, Results
from coupling.faithfulness.rows import OWN, group_name
from coupling.report import reading
from coupling.report.terminal import line, verdict_line
from coupling.report.text import in_words, interval, number, typeset
from coupling.studies.audit.findings import Findings

_SUMMARY: Mapping[str, tuple[str, str]] = {
    "p_alone": ("P", "bits a pair that its explanations tell"),
    "p_unknown": ("unknown", "bits a pair not known without them"),
    "p_share": ("share of it", "P of what true ones would tell"),
    "p_null": ("P, null", "of the same claims on other pairs"),
    "self": ("Self", "true of the model"),
    "over_quoting": ("Self \N{MINUS SIGN} quoting", "beats repeating the reference"),
    "orig": ("Orig", "true of the reference"),
    "delta": ("Δ", "own side or the reference's"),
    "similarity": ("similarity", "model and reference act alike"),
    "parse_rate": ("parse rate", "claims that could be read"),
}
"""The figures of one screen: what an audit calls them, and what they are."""
_OF_GROUPS = ("pairs", "self", "orig", "delta", "changed", "parse_rate")


def print_audit(results: Results, findings: Findings, console: Console) -> None:
    """Print the verdict and its figures, emitters of known origin, and what the evidence allows and what it
    does not."""
    verdict = findings.verdict
    console.print(line(reading.heading(results), "dim"))
    console.print()
    told = [verdict_line(verdict.verdict), line(typeset(verdict.sentence))]
    told += [line(f"missing: {typeset(missing)}", "dim") for missing in verdict.missing]
    told.append(line(f"trust: {typeset(findings.trust)}"))
    for each in told:
        console.print(Padding(each, (0, 2)))
    console.print()
    console.print(_figures(results))
    console.print(line(reading.errors_in_words(results)))
    for gate in results.gates:
        if gate.run is None and gate.status in (WARNING, FAIL):
            name = gate.name.replace("_", " ")
            console.print(line(f"{gate.status}: {name}: {typeset(gate.words)}", "yellow"))
    for note in results.notes:
        console.print(line(f"note: {note}"))
    if results.groups:
        console.print()
        console.print(_groups(results))
    console.print()
    console.print(_emitters(results, findings))
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


def _figures(results: Results) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("figure", no_wrap=True)
    table.add_column()
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    figures = results.figures
    for name, (symbol, words) in _SUMMARY.items():
        estimate, signed = figures(name), FIGURES[name].signed and name != "p_unknown"
        value, its_interval = number(estimate.value, signed=signed), interval(estimate, signed=signed)
        table.add_row(line(symbol, "bold"), line(words, "dim"), line(value), line(its_interval))
    return table


def _groups(results: Results) -> Table:
    table = Table("group", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in _OF_GROUPS:
        table.add_column(FIGURES[name].symbol, justify="right", no_wrap=True)
    figures = results.figures
    for group in results.groups:
        subset = group_name(group.tag, group.value)
        told = (
            number(
                figures(name, subset=subset).value,
                0 if FIGURES[name].unit == COUNT else 2,
                FIGURES[name].signed,
            )
            for name in _OF_GROUPS
        )
        table.add_row(line(f"{group.tag}: {group.value}", "bold"), *map(line, told))
    return table


def _emitters(results: Results, findings: Findings) -> Table:
    """The model's own explanations, and those whose origin is known."""
    names = ("p_alone", "self")
    headed = [_SUMMARY[name][0] for name in names]
    table = Table("explanations of", *headed, "verdict", box=None, padding=(0, 2), header_style="dim")
    figures = results.figures
    verdicts = {each.name: each.verdict for each in findings.emitters}
    rows = [(OWN, "the model itself", findings.verdict)]
    rows += [(each.name, each.words, verdicts[each.name]) for each in results.explained_by(CONSTRUCTED)]
    for name, words, verdict in rows:
        told = (in_words(figures(figure, explainer=name), signed=FIGURES[figure].signed) for figure in names)
        table.add_row(line(words, "bold"), *map(line, told), verdict_line(verdict.verdict))
    return table
