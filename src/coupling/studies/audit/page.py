"""The audit as one HTML page that needs no network."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.results import CONSTRUCTED, Results
from coupling.faithfulness.rows import best_baseline
from coupling.report import figures as drawn
from coupling.report.figures import Mark, Scale
from coupling.report.html import environment
from coupling.report.page import sections
from coupling.report.reading import Question, baseline_name
from coupling.report.text import number
from coupling.studies.audit.findings import AuditVerdict, Findings
from coupling.studies.audit.verdict import has_reference, who_knows

_CALLED = {"p_alone": "P", "over_quoting": "Self \N{MINUS SIGN} quoting"}
"""Symbols that mean one thing in an audit: without siblings there is one P, and the base is the reference."""
_FAR = 1000.0
"""A zone that ends nowhere on the scale."""


def render_audit(results: Results, findings: Findings) -> str:
    """The page as one HTML document; equal arguments give equal documents."""
    template = environment().get_template("audit.html.j2")
    return template.render(
        sections(results, ()),
        findings=findings,
        asked=[(each, _strip(each)) for each in _questions(results, findings)],
        explained=_explained(results, findings),
        whoever=who_knows(results.figures),
    )


def _questions(results: Results, findings: Findings) -> list[Question]:
    """What an auditor asks first: how much do explanations tell, and are they to be trusted?"""
    figures = results.figures
    whole = figures("p_alone", explainer="oracle").value
    everything = () if whole is None else (Mark(whole, "all there is to tell", decisive=False),)
    # Δ is drawn on its whole range; bits on that of what there is to tell.
    of_bits = Scale(
        0, 0.1 if whole is None else max(whole, 0.1), (Mark(0, "0"), *everything), (0, _FAR), signed=True
    )
    two_sided = Scale(-1, 1, (Mark(0, "0"),), (0, _FAR), (-_FAR, 0), signed=True)
    best, advantage, true = baseline_name(best_baseline(figures)), figures("self_advantage"), figures("self")
    marks: tuple[Mark, ...] = ()
    beside = "not measured"
    if true.value is not None and advantage.value is not None:
        accuracy = true.value - advantage.value
        marks = (Mark(accuracy, f"{best} {number(accuracy, 2)}"),)
        beside = f"{number(advantage.value, signed=True)} against {best}, the best claim without a model"

    def asked(name: str, words: str, scale: Scale, standing: str) -> Question:
        symbol = _CALLED.get(name, FIGURES[name].symbol)
        return Question(replace(FIGURES[name], symbol=symbol), words, figures(name), scale, standing)

    told = findings.verdict.verdict
    found = [
        asked("p_alone", "How many bits a pair do its explanations tell?", of_bits, told),
        asked("self", "How many of them are true?", Scale(0, 1, marks), beside),
    ]
    if has_reference(figures):
        quoting = (
            "the share that are true, less that of pairs on which the reference answers as the model does"
        )
        differ = f"{figures.count('discordant_pairs')} pairs on which they differ"
        found += [
            asked("over_quoting", "Are they truer than repeating the reference?", two_sided, quoting),
            asked("delta", "Where the two differ: whose side do they take?", two_sided, differ),
        ]
    return found


def _explained(results: Results, findings: Findings) -> list[tuple[str, str, str, AuditVerdict]]:
    """Name, words, description and verdict of every explainer of known origin."""
    verdicts = {each.name: each.verdict for each in findings.emitters}
    return [
        (each.name, each.words, each.description, verdicts[each.name])
        for each in results.explained_by(CONSTRUCTED)
    ]


def _strip(asked: Question) -> Markup:
    return drawn.strip(f"question-{asked.figure.name}", asked.words, asked.estimate, asked.scale)
