"""The audit as one HTML page that needs no network."""

from __future__ import annotations

from markupsafe import Markup

from coupling.faithfulness.results import GroupResult, Results
from coupling.report import reading
from coupling.report.html import environment, script_hash
from coupling.report.page import question_strip, reader_rows
from coupling.studies.audit.findings import Findings

_ASKED = ("self", "delta")
"""The verdict's questions that one model can be asked."""


def render_audit(results: Results, findings: Findings) -> str:
    """The page as one HTML document; equal arguments give equal documents."""
    panel = results.headline
    made = environment()
    script = made.get_template("filter.js.j2").render()
    asked = {each.name: each for each in reading.questions(panel)}
    groups: dict[str, list[GroupResult]] = {}
    for group in results.groups:
        groups.setdefault(group.tag, []).append(group)
    return made.get_template("audit.html.j2").render(
        results=results,
        panel=panel,
        findings=findings,
        heading=reading.heading(results),
        questions=[
            (asked[name], question_strip(f"question-{name}", asked[name].symbol, asked[name]))
            for name in _ASKED
        ],
        groups=groups,
        readers=reader_rows(results),
        run_gates={},
        run_gate_names=[],
        dose_response=None,
        examples=results.examples,
        script=Markup(script),
        script_hash=script_hash(script),
    )
