"""What came of a model under stress as one HTML page that needs no network."""

from __future__ import annotations

from markupsafe import Markup

from coupling.faithfulness import FROZEN
from coupling.models import Way
from coupling.report.forest import Row, forest
from coupling.report.html import environment
from coupling.report.runs import REPORT_PAGE
from coupling.studies.stress.findings import WAY_WORDS, Findings, ProbesFound
from coupling.studies.stress.opening import opening
from coupling.studies.stress.shifts import SHIFTED


def render_stress(found: Findings) -> str:
    """The page as one HTML document; equal findings give equal documents."""
    probes = found.probes
    return (
        environment()
        .get_template("stress.html.j2")
        .render(
            found=found,
            probes=probes,
            opening=opening(found),
            shown_worst=() if probes is None else probes.worst,
            report_page=None if found.run is None else REPORT_PAGE,
            forest=None if probes is None or not probes.results else _forest(probes),
            judged_because="" if probes is None else judged_because(probes),
            ways=() if probes is None else ways_shown(probes),
            way_words=WAY_WORDS,
            shifted=SHIFTED,
        )
    )


def ways_shown(probes: ProbesFound) -> list[str]:
    """The ways of asking, the one by which probes are ordered first."""
    return sorted(probes.plain, key=lambda way: (way != probes.judged, list(WAY_WORDS).index(way)))


def judged_because(probes: ProbesFound) -> str:
    """Why probes are ordered by the one way of asking and not by another."""
    told, least = f"They are ordered by what is said {WAY_WORDS[probes.judged]}", FROZEN.min_parse_rate
    if probes.judged == Way.FREE:
        return f"{told}: under most probes {least:g} or more of that can be read."
    return (
        f"{told}: under most probes less than {least:g} of what is said with less given can be read, "
        "and a lost form tells nothing of the content."
    )


def _forest(probes: ProbesFound) -> Markup:
    first, second, *_ = ways_shown(probes)
    rows = [
        Row(each.name, each.figures[first].self_change, each.figures[second].self_change)
        for each in probes.results
    ]
    title = "Change of Self under each probe, worst first"
    return forest("probes-forest", title, rows, (WAY_WORDS[first], WAY_WORDS[second]))
