"""The headline: the figures a verdict turns on, pooled over the runs of a panel, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping

from coupling.faithfulness.baselines import baseline_claims
from coupling.faithfulness.evidence import Evidence
from coupling.faithfulness.figures import baseline_rows, judged_rows, shares
from coupling.faithfulness.matrix import advantage_rows
from coupling.faithfulness.panel import Panel, Steered, Twins
from coupling.faithfulness.privilege import Outside, privilege_rows
from coupling.faithfulness.results import Verdict
from coupling.faithfulness.rows import ALL, ALL_RUNS, OTHER, OWN, STEERED_RUNS, Figures
from coupling.faithfulness.scores import Table
from coupling.faithfulness.siblings import sibling_rows
from coupling.faithfulness.statistics import ClusterBootstrap, IntArray
from coupling.faithfulness.thresholds import FROZEN, Thresholds
from coupling.faithfulness.twins import deciding_rows, t_rows
from coupling.faithfulness.verdict import decide


def headline_rows(
    table: Table,
    baselines: Mapping[str, IntArray],
    twins: Twins,
    steered: Steered,
    bootstrap: ClusterBootstrap,
    outside: Outside,
    step: int = 0,
    explainer: str = OWN,
    thresholds: Thresholds = FROZEN,
) -> tuple[Figures, Verdict]:
    """What the verdict on the runs pooled turns on, and nothing beside it: cheap enough for many panels.

    Args:
        table: the join; other claims by ``dataclasses.replace(table, claims=…)``.
        baselines: baseline → its claims, shape (pairs, 2).
        twins: names of runs that differ in nothing but how they were steered.
        steered: run → tag → values of the pairs on which it was steered.
        bootstrap: weights over the table's clusters.
        outside: the observers of the table's behaviours.
        step: of the rows.
        explainer: what the rows call whoever made the table's claims.
        thresholds: the numbers of the verdict.

    Returns:
        The rows of the runs pooled, of the steered ones too where the verdict asks for them, and of this
        explainer; self and orig of the baselines. `decide` holds them against other thresholds.
    """
    panel = Panel(table, bootstrap, step, twins, steered)
    return headline(panel, baselines, outside, explainer, thresholds)


def headline(
    panel: Panel,
    baselines: Mapping[str, IntArray],
    outside: Outside,
    explainer: str,
    thresholds: Thresholds,
    forced: Verdict | None = None,
) -> tuple[Figures, Verdict]:
    """`headline_rows` of a panel; ``forced`` as in `decide`."""
    rows, spread = judged_rows(panel, baselines, panel.every_run, ALL_RUNS, explainer)
    rows += shares(panel, ("self", "orig", "parse_rate"), panel.every_run, explainer=explainer)
    pooled = {name: numbers for name, numbers in panel.moved.items() if name in (ALL_RUNS, STEERED_RUNS)}
    for name, numbers in pooled.items():
        rows += shares(panel, ("delta",), numbers, name, explainer=explainer)
    rows += t_rows(panel, explainer, (ALL, OTHER)) + deciding_rows(panel, explainer)
    rows += advantage_rows(panel, thresholds.min_panel_runs, explainer)
    rows += baseline_rows(panel, baselines, panel.every_run)
    rows += privilege_rows(panel, outside, pooled, explainer) + sibling_rows(panel)
    figures = Figures(rows, panel.step)
    return figures, decide(figures, thresholds, explainer=explainer, spread=spread, forced=forced)


def encoded_baselines(evidence: Evidence, table: Table) -> dict[str, IntArray]:
    """The claims of each baseline about the pairs of the table, shape (pairs, 2)."""
    return {name: table.encode(said) for name, said in baseline_claims(evidence, table.pairs).items()}
