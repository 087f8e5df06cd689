"""The claims in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from coupling.report.terminal import line
from coupling.studies.claims.findings import ClaimsResults
from coupling.studies.claims.page import counted, ours
from coupling.studies.claims.table import BEYOND, CLAIMS


def print_claims(results: ClaimsResults, console: Console) -> None:
    """Print a line for each claim."""
    table = Table(
        "claim", "the paper", "ours", "", "worlds", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    for claim in (*CLAIMS, *BEYOND):
        finding = results.finding(claim.name)
        cells = (claim.paper, "\n".join(ours(finding)), finding.standing, counted(finding))
        table.add_row(line(claim.name, "bold"), *map(line, cells))
    console.print(table)
