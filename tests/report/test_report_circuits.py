"""What patching found, on the page and in a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from test_report_page import Outline

from coupling.faithfulness import Results
from coupling.faithfulness.circuits import AFTER, ANSWER, HEAD, MLP, RESIDUAL, CircuitResults, Component
from coupling.faithfulness.overlap import Moved, compare
from coupling.report.circuits import panels, print_circuits
from coupling.report.page import render_page
from synthetic_results import HOSTILE

COMPONENTS = [
    *(Component(HEAD, 0, position, head) for position in (AFTER, ANSWER) for head in range(6)),
    *(Component(kind, 0, ANSWER) for kind in (MLP, RESIDUAL)),
    Component(RESIDUAL, 0, AFTER),
]


@pytest.fixture(scope="module")
def circuits() -> CircuitResults:
    random = np.random.default_rng(2)
    clusters = [f"c{pair % 9}" for pair in range(45)]
    models = []
    for name in ("M0", f"{HOSTILE}, step 80"):
        own, with_cue, other = (
            Moved(random.random(45) + 3, random.random((45, len(COMPONENTS)))) for _ in range(3)
        )
        aimless = replace(other, influence=random.standard_normal(45))
        models.append(compare(name, COMPONENTS, clusters, own, with_cue, aimless, 100))
    return CircuitResults(1, "mini", "answer_pair", "test", 3, 100, 5000, 0, tuple(models), {})


def test_the_page_has_the_section_only_where_something_was_patched(
    coupled: Results, circuits: CircuitResults
) -> None:
    page = render_page(coupled, circuits)
    outline = Outline(page)
    assert "mechanism" in outline.values("id") and "#mechanism" in outline.values("href")
    assert page == render_page(coupled, circuits)
    assert "mechanism" not in render_page(coupled)
    assert HOSTILE in outline.text and HOSTILE not in page
    assert "n/a" in outline.text and not re.search(r"\b(None|nan|NaN)\b", outline.text)


def test_a_figure_shows_every_component_of_each_claim_that_has_shares(circuits: CircuitResults) -> None:
    for drawn in panels(circuits):
        assert drawn.count("claim with the cue") == len(COMPONENTS)
        assert drawn.count("claim without it") == 0


def test_the_terminal_shows_overlaps_and_their_null(circuits: CircuitResults) -> None:
    out = io.StringIO()
    print_circuits(circuits, Console(file=out, width=200))
    told = out.getvalue()
    assert told.count("cosine") == 16 and "n/a" in told and "None" not in told
