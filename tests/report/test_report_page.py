"""The page: complete, self-contained, the same every time, and safe whatever a model says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from coupling.faithfulness import Results
from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.results import VERDICTS
from coupling.faithfulness.rows import ASKED, OWN, TARGET, baseline_explainer
from coupling.report.compare import render_comparison
from coupling.report.conclusions import CONCLUSIONS
from coupling.report.html import script_hash
from coupling.report.page import render_page
from synthetic_results import HOSTILE

SECTIONS = ("verdict", "runs", "steps", "matrix", "twins", "gates", "emitters", "examples", "definitions")
MAX_BYTES = 1_000_000


class Outline(HTMLParser):
    """A page's elements, their attributes, and its text outside script and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open not in ("script", "style"):
            self.text += data

    def values(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.elements if (value := attrs.get(attribute)) is not None]


@pytest.fixture(scope="module")
def page(coupled: Results) -> str:
    return render_page(coupled)


def test_the_page_has_all_sections_and_the_verdict_in_its_heading(page: str) -> None:
    assert {*SECTIONS, "provenance"} <= set(Outline(page).values("id"))
    assert re.search(r"<h1>coupled</h1>", page)


@pytest.mark.parametrize("name", ["coupled", "drifting", "empty", "hostile"])
def test_the_page_is_self_contained(name: str, request: pytest.FixtureRequest) -> None:
    results: Results = request.getfixturevalue(name)
    page = render_page(results)
    assert not re.search(r"https?:|url\((?!#)|@import|@font-face", page)
    assert not Outline(page).values("src")
    assert all(link.startswith("#") for link in Outline(page).values("href"))
    assert not {"img", "iframe", "link", "object", "base"} & {tag for tag, _ in Outline(page).elements}
    assert len(page.encode()) < MAX_BYTES


def test_equal_results_give_equal_pages(coupled: Results, page: str) -> None:
    assert render_page(Results.from_json(coupled.to_json())) == page


def compare_with_itself(results: Results) -> str:
    return render_comparison([results, results])


@pytest.mark.parametrize("render", [render_page, compare_with_itself])
def test_model_output_stays_text(hostile: Results, render: Callable[[Results], str]) -> None:
    page = render(hostile)
    outline = Outline(page)
    assert HOSTILE in outline.text
    assert HOSTILE not in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
    tags = Counter(tag for tag, _ in outline.elements)
    assert tags["style"] == 1 and tags["script"] == (1 if render is render_page else 0)
    assert not [name for _, attrs in outline.elements for name in attrs if name.startswith("on")]


def test_only_the_pages_own_script_may_run(page: str) -> None:
    (policy,) = [value for value in Outline(page).values("content") if "default-src" in value]
    script = page[page.index("<script>") + 8 : page.index("</script>")]
    assert f"script-src '{script_hash(script)}'" in policy
    assert "default-src 'none'" in policy


def test_what_is_not_known_is_written_as_such(empty: Results) -> None:
    text = Outline(render_page(empty)).text
    assert text.count("n/a") > 20
    assert not re.search(r"\b(None|nan|NaN)\b", text)


def test_identifiers_are_unique_and_labels_lead_somewhere(page: str) -> None:
    outline = Outline(page)
    ids = Counter(outline.values("id"))
    assert max(ids.values()) == 1
    named = {name for value in outline.values("aria-labelledby") for name in value.split()}
    used = {value[1:] for value in outline.values("href")}
    assert named | used <= set(ids)


def test_every_figure_is_described_and_every_heading_cell_has_a_scope(page: str) -> None:
    outline = Outline(page)
    figures = [attrs for tag, attrs in outline.elements if tag == "svg"]
    assert len(figures) > 20
    assert all(attrs["role"] == "img" and attrs["aria-labelledby"] for attrs in figures)
    assert all("scope" in attrs for tag, attrs in outline.elements if tag == "th")


def test_every_steered_run_is_shown_apart_and_every_run_follows_its_cue(coupled: Results, page: str) -> None:
    text = Outline(page).text
    assert "Where behaviour was steered, and elsewhere" in text
    told = re.findall(r"Share of answers that follow the cue over steps, ([^.<]+)\. step 0: steered", page)
    assert told == [run.name for run in coupled.runs]
    last = coupled.figures("followed", coupled.runs[1].name, ASKED)
    assert last.value is not None and f"steered pairs {last.value:.3f} [" in page


def test_groups_are_shown_where_they_were_asked_for(coupled: Results, page: str, empty: Results) -> None:
    assert "groups" in Outline(page).values("id")
    (table,) = re.findall(r'aria-label="Groups by adviser">(.*?)</table>', page, re.DOTALL)
    assert re.findall(r'<th scope="row">([^<]+)</th>', table) == ["Chen", "Diaz", "Eze", "Fox"]
    assert "groups" not in Outline(render_page(empty)).values("id")


def test_every_example_can_be_filtered_by_run_and_side(coupled: Results, page: str) -> None:
    outline = Outline(page)
    shown = [(attrs["data-run"], attrs["data-side"]) for _, attrs in outline.elements if "data-run" in attrs]
    assert shown == [(example.run, example.side) for example in coupled.examples]
    assert {value for pair in shown for value in pair} <= set(outline.values("value"))


def test_each_verdict_says_what_may_and_may_not_be_concluded() -> None:
    assert set(CONCLUSIONS) == set(VERDICTS)
    assert all(each.may and each.may_not for each in CONCLUSIONS.values())


def test_errors_by_consequence_stand_in_a_table_of_their_own(coupled: Results, page: str) -> None:
    assert "consequences" in Outline(page).values("id")
    section = page[page.index('<h2 id="consequences">') :]
    section = section[: section.index("</section>")]
    assert section.count('<tbody class="group">') == 1 + len(coupled.runs) + len(coupled.groups)
    for explainer in (OWN, TARGET, baseline_explainer("always_unchanged")):
        assert f"{coupled.figures('denied', explainer=explainer).value:.2f}" in section
    assert "target repeated" in section
    untold = replace(coupled, rows=tuple(row for row in coupled.rows if row.explainer != TARGET))
    assert "<td>target repeated</td>" in page and "<td>target repeated</td>" not in render_page(untold)


def test_the_page_defines_every_figure(page: str) -> None:
    text = " ".join(Outline(page).text.split())
    for figure in FIGURES.values():
        words = figure.definition.replace("*", "").replace("`", "")
        assert f"{figure.words} {words[0].upper()}{words[1:].rstrip('.')}." in text, figure.name
