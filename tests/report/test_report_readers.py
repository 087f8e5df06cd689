"""Readers on the page and in a terminal: beside the verdict, n/a where not known, text that stays text."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console
from test_report_page import Outline

from coupling.faithfulness import Results
from coupling.faithfulness.readers import LANGUAGE_MODEL, OTHER_MODEL, TEXT_ON_BEHAVIOR, TEXT_ON_LABELS
from coupling.faithfulness.results import READER, Explainer
from coupling.faithfulness.rows import ALL, ALL_RUNS, Row, reader_explainer
from coupling.records import Estimate
from coupling.report.page import render_page
from coupling.report.reading import best_text_reader
from coupling.report.terminal import print_summary
from synthetic_results import HOSTILE


def around(value: float) -> Estimate:
    return Estimate(value, value - 0.03, value + 0.03, 100, 20)


def reader(name: str, kind: str, right: float | None) -> tuple[Explainer, dict[str, Estimate]]:
    """One that is right on a share ``right`` of the pairs of a model whose Self is 0.8; and its figures."""
    explainer = Explainer(reader_explainer(name), READER, name, f"the reader {name}", reader_kind=kind)
    if right is None:
        return explainer, {}
    found = {"self": right, "share_of_self": right / 0.8, "privileged": 0.8 - right, "parse_rate": 0.9}
    alike = {"similarity": 0.6} if kind == OTHER_MODEL else {}
    return explainer, {figure: around(value) for figure, value in (found | alike).items()}


def read(results: Results, *readers: tuple[Explainer, dict[str, Estimate]]) -> Results:
    rows = [
        Row(figure, run, results.step, ALL, explainer.name, estimate)
        for explainer, figures in readers
        for run in (ALL_RUNS, results.runs[1].name)
        for figure, estimate in figures.items()
    ]
    explainers = (*results.explainers, *(explainer for explainer, _ in readers))
    return replace(results, rows=results.rows + tuple(rows), explainers=explainers)


@pytest.fixture(scope="module")
def read_by(coupled: Results) -> Results:
    return read(
        coupled,
        reader("from labels", TEXT_ON_LABELS, None),
        reader("from behaviour", TEXT_ON_BEHAVIOR, 0.2),
        reader("small", LANGUAGE_MODEL, 0.24),
        reader(HOSTILE, OTHER_MODEL, 0.6),
    )


def told(results: Results) -> str:
    out = io.StringIO()
    print_summary(results, Console(file=out, width=200))
    return out.getvalue()


def test_the_page_has_the_section_only_where_readers_were_asked_for(
    coupled: Results, read_by: Results
) -> None:
    page = render_page(read_by)
    outline = Outline(page)
    assert "readers" in outline.values("id") and "#readers" in outline.values("href")
    assert "readers" not in Outline(render_page(coupled)).values("id")
    assert HOSTILE in outline.text and HOSTILE not in page
    assert page.count("Self \N{MINUS SIGN} reader, ") >= 4
    assert not re.search(r"\b(None|nan|NaN)\b", outline.text)


def test_the_terminal_tells_of_the_best_reader_of_text_alone(coupled: Results, read_by: Results) -> None:
    """Another model reads more than the text, however good it is."""
    best = best_text_reader(read_by)
    assert best is not None and best.words == "small"
    assert re.search(r"text alone +share of Self: small +0\.300 +\[0\.270, 0\.330\]", told(read_by))
    assert "text alone" not in told(coupled)


def test_nobody_is_best_where_nothing_is_known(coupled: Results) -> None:
    unknown = read(coupled, reader("from labels", TEXT_ON_LABELS, None))
    assert best_text_reader(unknown) is None
    assert re.search(r"text alone +share of Self a reader gets +n/a", told(unknown))


def test_they_come_back_from_json_as_they_were(read_by: Results) -> None:
    assert Results.from_json(read_by.to_json()) == read_by
