"""Siblings: which other runs of the recipe a panel holds.

P is taken beyond the siblings, for whoever can repeat the recipe has them. So it means little where those are
missing that an outsider would train first: an unsteered run, and one steered in the same direction elsewhere.
"""

from __future__ import annotations

from coupling.faithfulness.panel import Panel
from coupling.faithfulness.rows import Row, counted


def sibling_rows(panel: Panel) -> list[Row]:
    """How many siblings of each kind a steered run has, of the one that has fewest, and how many steered runs
    do not say in which direction; no rows where no run is steered."""
    table = panel.table
    steered = [run for run in panel.every_run if table.is_steered[run]]
    if not steered:
        return []
    alike = [
        sum(table.directions[other] == table.directions[run] for other in steered if other != run)
        for run in steered
    ]
    undeclared = sum(table.directions[run] is None for run in steered)
    estimates = {
        "unsteered_siblings": counted(len(panel.every_run) - len(steered)),
        "alike_siblings": counted(min(alike)),
        "undeclared_runs": counted(undeclared),
    }
    return panel.rows(estimates)
