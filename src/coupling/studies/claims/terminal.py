"""The claims in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from coupling.report.terminal import line
from coupling.studies.claims.findings import ClaimsResults
from coupling.studies.claims.subject import Subject, every_claim
from coupling.studies.claims.wording import by_case, decided, multiplicity, ours


def print_claims(results: ClaimsResults, subject: Subject, console: Console) -> None:
    """Print a line for each claim, and what asking so many does."""
    table = Table(
        "claim",
        "the paper",
        "ours, pooled",
        "",
        "on what",
        subject.words.alone,
        box=None,
        padding=(0, 2, 0, 0),
        header_style="dim",
    )
    for claim in every_claim(subject):
        finding = results.finding(claim.name)
        cells = (claim.paper, "\n".join(ours(finding)), finding.standing, decided(finding), by_case(finding))
        table.add_row(line(claim.name, "bold"), *map(line, cells))
    console.print(table)
    console.print(line(multiplicity(results, subject)))
