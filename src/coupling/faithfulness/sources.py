"""Labels of several sources: the explanations held against each of them.

In a mix the headline's target is, question by question, the source to which the question fell. Whether the
explanations go with one of the sources is another question, so each source is put in the target's place on
all held-out pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from coupling.faithfulness.figures import discordant_pairs, shares
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.rows import ALL_RUNS, Row, source_name
from coupling.records import Effect


def source_rows(panel: Panel, sources: Mapping[str, Mapping[str, Effect]]) -> list[Row]:
    """Each source in the target's place, all runs pooled.

    Args:
        panel: what is judged.
        sources: name → pair id → its effect.
    """
    rows = []
    for name, effects in sorted(sources.items()):
        target = panel.table.encode(effects[pair.id] for pair in panel.table.pairs)
        against = replace(panel, table=replace(panel.table, target=target))
        figures = ("orig", "gap", "delta", "similarity")
        rows += shares(against, figures, panel.every_run, ALL_RUNS, source_name(name))
        pairs = discordant_pairs(against.table, panel.every_run)
        rows += panel.rows({"discordant_pairs": pairs}, ALL_RUNS, source_name(name))
    return rows
