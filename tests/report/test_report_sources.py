"""Reports on labels of several sources, and on a target whose behaviour is not known."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.console import Console
from test_report_page import Outline
from test_report_terminal import printed

from coupling.faithfulness import Evidence, Provenance, Results, evaluate
from coupling.faithfulness.results import ModelDescription
from coupling.faithfulness.rows import source_name
from coupling.report.compare import render_comparison
from coupling.report.page import render_page
from coupling.report.terminal import print_summary
from synthetic_results import HOSTILE, LAST_STEP, evidence_at

PANEL = evidence_at(LAST_STEP)


def results(evidence: Evidence) -> Results:
    model = ModelDescription("model", None)
    provenance = Provenance("capitals", "0" * 64, model, model, "answer_pair", {})
    return evaluate([evidence], LAST_STEP, provenance, resamples=50)


@pytest.fixture(scope="module")
def mixed() -> Results:
    return results(replace(PANEL, sources={"base": PANEL.target, HOSTILE: PANEL.runs[0].behaviors}))


@pytest.fixture(scope="module")
def without_target() -> Results:
    return results(replace(PANEL, target={}))


def test_each_source_has_its_line(mixed: Results) -> None:
    page = render_page(mixed)
    assert "sources" in Outline(page).values("id") and "#sources" in Outline(page).values("href")
    assert HOSTILE in Outline(page).text and HOSTILE not in page

    def show(console: Console) -> None:
        print_summary(mixed, console)

    (line,) = [line for line in printed(show).splitlines() if line.strip().startswith("base ")]
    count = mixed.figures.count("discordant_pairs", subset=source_name(mixed.sources[1].name))
    assert count is not None and str(count) in line.split()


def test_one_source_needs_no_section(coupled: Results) -> None:
    assert "sources" not in Outline(render_page(coupled)).values("id")


def test_what_needs_the_target_is_written_as_not_available(without_target: Results) -> None:
    page = render_page(without_target)
    text = Outline(page).text
    assert "no target" in text and "The target's behaviour is not known: n/a." in text
    assert not re.search(r"\b(None|nan|NaN|n n/a|n/a clusters)\b", text)
    assert render_page(Results.from_json(without_target.to_json())) == page
    render_comparison([without_target, without_target])


def test_the_terminal_says_so_too(without_target: Results) -> None:
    table = printed(lambda console: print_summary(without_target, console)).splitlines()
    (orig,) = [line for line in table if line.split()[:1] == ["Orig"]]
    assert orig.split()[-2:] == ["n/a", "n/a"]
