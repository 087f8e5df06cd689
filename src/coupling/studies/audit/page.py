"""The audit as one HTML page that needs no network."""

from __future__ import annotations

from coupling.faithfulness.results import Results
from coupling.report.html import environment
from coupling.report.page import sections
from coupling.studies.audit.findings import Findings

_ASKED = ("self", "delta")
"""The verdict's figures that one model can be asked for."""


def render_audit(results: Results, findings: Findings) -> str:
    """The page as one HTML document; equal arguments give equal documents."""
    template = environment().get_template("audit.html.j2")
    return template.render(sections(results, _ASKED), findings=findings)
