"""Which other runs of the recipe a panel holds, and what the verdict makes of those that are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from coupling.faithfulness import Evidence, Figures
from coupling.faithfulness.siblings import sibling_rows
from synthetic_panels import drifting_panel, looked_up, panel_of

PANEL = drifting_panel(clusters=4, pairs_each=8)


def only(*names: str, undirected: Sequence[str] = ()) -> Evidence:
    runs = tuple(
        replace(run, direction=None, declared={}) if run.name in undirected else run
        for run in PANEL.runs
        if run.name in names
    )
    return replace(PANEL, runs=runs, twins=())


def siblings(evidence: Evidence) -> Figures:
    panel = panel_of(evidence)
    return looked_up(panel, sibling_rows(panel))


def counts(evidence: Evidence) -> tuple[int | None, int | None, int | None]:
    found = siblings(evidence)
    return (
        found.count("unsteered_siblings"),
        found.count("alike_siblings"),
        found.count("undeclared_runs"),
    )


def test_a_whole_panel_has_all_that_an_outsider_would_train() -> None:
    assert counts(PANEL) == (1, 1, 0)


def test_the_run_with_fewest_siblings_counts() -> None:
    assert counts(only("plain", "follow-Chen", "follow-Diaz", "ignore-Chen")) == (1, 0, 0)
    assert counts(only("plain", "follow-Chen")) == (1, 0, 0)
    assert counts(only("follow-Chen", "follow-Diaz")) == (0, 1, 0)


def test_where_no_run_is_steered_nothing_is_asked() -> None:
    assert counts(only("plain")) == (None, None, None)


def test_runs_that_do_not_say_where_to_are_counted() -> None:
    """They are no siblings of those that do."""
    every_run = [run.name for run in PANEL.runs]
    assert counts(only(*every_run, undirected=["follow-Diaz"])) == (1, 0, 1)
    assert counts(only(*every_run, undirected=every_run))[2] == 4
