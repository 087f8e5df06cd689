"""One registry of figures: complete, and what the documentation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from coupling.faithfulness import FIGURES, FROZEN, Figures, Row
from coupling.faithfulness.definitions import DEFINITIONS
from coupling.faithfulness.registry import DIFFERENCE, markdown_table
from coupling.faithfulness.rows import (
    ALL,
    ALL_RUNS,
    OWN,
    baseline_explainer,
    best_baseline,
    counted,
    measured,
)
from coupling.faithfulness.statistics import NO_DATA

DOCS = Path(__file__).parents[2] / "docs" / "judging.md"


def test_every_figure_is_defined_and_every_definition_used() -> None:
    assert FIGURES.keys() == DEFINITIONS.keys()
    assert all("|" not in text and not text.endswith(".") for text in DEFINITIONS.values())


def test_the_documentation_lists_them() -> None:
    """Made anew by ``python -c "from coupling.faithfulness.registry import *; print(markdown_table())"``."""
    assert markdown_table() in DOCS.read_text(encoding="utf-8")


def test_thresholds_are_those_of_the_verdict() -> None:
    bounds = {name: figure.bound(FROZEN) for name, figure in FIGURES.items()}
    assert (bounds["p"], bounds["delta"]) == (0, 0)
    # These are told beside the verdict, which does not turn on them.
    assert (bounds["t"], bounds["a"], bounds["r"]) == (None, None, None)
    assert (bounds["parse_rate"], bounds["similarity"], bounds["self"]) == (0.9, 0.7, None)
    assert FIGURES["delta"].signed and FIGURES["p"].signed and not FIGURES["t"].signed
    assert FIGURES["a"].unit == DIFFERENCE


def row(figure: str, value: float, explainer: str = OWN, step: int = 3) -> Row:
    return Row(figure, ALL_RUNS, step, ALL, explainer, measured(value))


def test_rows_are_looked_up_and_none_is_doubled() -> None:
    figures = Figures([row("self", 0.5), row("self", 0.25, step=0)], 3)
    assert figures("self").value == 0.5 and figures("self", step=0).value == 0.25
    assert figures("orig") == figures("self", "nobody") == NO_DATA
    assert figures.count("pairs") is None
    assert ("self", ALL_RUNS, 0, ALL, OWN) in figures and len(list(figures)) == 2
    with pytest.raises(AssertionError, match="two rows are about"):
        Figures([row("self", 0.5), row("self", 0.6)], 3)


def test_counts_have_no_interval_and_nothing_measured_is_no_data() -> None:
    assert (counted(7, 3).value, counted(7, 3).clusters, counted(7).low) == (7, 3, None)
    assert measured(None) == NO_DATA


def test_the_best_baseline_is_the_first_of_the_greatest() -> None:
    said = {"majority": 0.2, "copy": 0.4, "always": 0.4}
    figures = Figures([row("self", value, baseline_explainer(name)) for name, value in said.items()], 3)
    assert best_baseline(figures) == "copy"
    assert best_baseline(figures, against="orig") is None
