"""The findings as a page of the documentation, and as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from markupsafe import Markup

from coupling.faithfulness import FROZEN
from coupling.faithfulness.statistics import NO_DATA
from coupling.report.figures import Mark
from coupling.report.html import environment
from coupling.report.over_settings import Places, Series, limits_of, over_values
from coupling.report.text import NOT_AVAILABLE, number
from coupling.studies.claims.asking import Claim
from coupling.studies.claims.cases import counted_together
from coupling.studies.claims.findings import ArmResult, ClaimsResults
from coupling.studies.claims.standing import NOT_RUN
from coupling.studies.claims.subject import Subject, every_claim
from coupling.studies.claims.wording import (
    beside,
    by_case,
    decided,
    excludes_paper,
    introduction,
    multiplicity,
    ours,
    rule,
)
from coupling.studies.summary import PointFigures
from coupling.studies.writing import table, told

ARM_FIGURES = (
    "Self (at step 0)",
    "Orig",
    "similarity",
    "discordant pairs",
    "Δ",
    "P",
    "T",
    "A",
    "R",
    "twins apart",
    "shifts",
    "verdict",
)
ARM_WORDS = (
    "P: of the steered runs where there are any, bits a pair. Twins apart: share of the pairs they are "
    "steered on where their effects differ. Shifts: how much more often than M0 each steered run follows the "
    "cues it is steered on."
)
ACCURACY = "Right answers without the cue: what training costs"
SCHEDULES = ("main", "explained-before", "explained-after")


def render_markdown(results: ClaimsResults, subject: Subject) -> str:
    """A page of the documentation; equal results give equal texts."""
    words, claims = subject.words, every_claim(subject)
    parts = [
        f"# {words.title}",
        "",
        *wrap(introduction(results, subject), 120),
        "",
        "## Claims of the paper",
        "",
        *_claims_table(subject.claims, results, words.alone),
        "",
        *(f"- {each.words} ({each.paper}): cannot be tested here; {each.why}." for each in subject.untested),
        "",
        "## Beyond the paper",
        "",
        *_claims_table(subject.beyond, results, words.alone),
        "",
        "## So many claims at once",
        "",
        *wrap(multiplicity(results, subject), 120),
        "",
        "## What decides a claim",
        "",
        *(f"- **{each.name}**: {rule(each)}. Arms: {', '.join(each.arms)}." for each in claims),
        "",
        f"## {words.by_case}",
        "",
        *wrap(words.by_case_asked, 120),
        "",
        *_cases_table(results),
        "",
        "## Every arm",
        "",
        *wrap(ARM_WORDS, 120),
        "",
        *_arms_told(subject),
        *table(_arm_columns(subject), map(_arm_cells, results.arms)),
        "",
        *_schedules_table(results, subject),
        *_accuracy_table(results, subject),
        *_patched_table(results, subject),
    ]
    return "\n".join(parts).rstrip() + "\n"


def render_html(results: ClaimsResults, subject: Subject) -> str:
    """The same as one HTML document that needs no network."""
    return (
        environment()
        .get_template("claims.html.j2")
        .render(
            results=results,
            words=subject.words,
            cases_told=counted_together(results.cases),
            sections=(("Claims of the paper", subject.claims), ("Beyond the paper", subject.beyond)),
            untested=subject.untested,
            findings={finding.claim: finding for finding in results.findings},
            ours=ours,
            beside=beside,
            decided=decided,
            excludes_paper=excludes_paper,
            by_case=by_case,
            rule=rule,
            multiplicity=multiplicity(results, subject),
            introduction=introduction(results, subject).replace("`", ""),
            columns=_arm_columns(subject),
            arms=results.arms,
            told_arms=[arm for arm in subject.arms if arm.words],
            accuracy=_accuracy_rows(results),
            arm_cells=_arm_cells,
            told=told,
            over_similarity=_over_similarity(results, subject),
            thresholds=FROZEN,
        )
    )


def verdict_words(figures: PointFigures) -> str:
    """The verdict, and its reason where that says more."""
    reason = figures.reason.replace("_", " ")
    return figures.verdict if reason == figures.verdict else f"{figures.verdict} ({reason})"


def _claims_table(claims: Iterable[Claim], results: ClaimsResults, alone: str) -> list[str]:
    rows = []
    for claim in claims:
        finding = results.finding(claim.name)
        standing = f"**{finding.standing}**"
        if excludes_paper(finding):
            standing += "<br>the paper's figure is left out"
        rows.append(
            (
                claim.name,
                claim.words,
                claim.paper or "not asked",
                "<br>".join(ours(finding)) or NOT_AVAILABLE,
                "<br>".join(beside(finding)),
                standing,
                decided(finding),
                by_case(finding),
            )
        )
    columns = (
        "",
        "claim",
        "the paper",
        "ours, pooled",
        "beside it",
        "standing",
        "on what",
        alone,
    )
    return table(columns, rows)


def _cases_table(results: ClaimsResults) -> list[str]:
    rows = []
    for finding in results.findings:
        for asked in finding.answers:
            told_by = {each.case: f"{told(each.estimate)} {each.standing}" for each in asked.cases}
            cells = (told_by.get(case, NOT_RUN) for case in results.cases)
            rows.append((finding.claim, asked.question, *cells, told(asked.pooled.estimate)))
    cases = (case.words for case in results.cases)
    return table(("claim", "question", *cases, "pooled"), rows)


def _arm_columns(subject: Subject) -> tuple[str, ...]:
    return ("arm", subject.words.case_columns, *ARM_FIGURES)


def _arms_told(subject: Subject) -> list[str]:
    told_arms = [arm for arm in subject.arms if arm.words]
    return [*(f"- **{arm.name}**: {arm.words}." for arm in told_arms), *([""] if told_arms else [])]


def _arm_cells(arm: ArmResult) -> list[str]:
    cells = [arm.arm, arm.case.numbers]
    if arm.figures is None:
        state = "failed" if arm.failure else NOT_RUN
        return [*cells, state, *[""] * (len(ARM_FIGURES) - 1)]
    figures = arm.figures
    at_first = number(arm.self_over_steps["0"].value) if "0" in arm.self_over_steps else NOT_AVAILABLE
    return [
        *cells,
        f"{number(figures.estimates['self'].value)} ({at_first})",
        *(number(figures.estimates[name].value) for name in ("orig", "similarity")),
        str(figures.discordant_pairs),
        told(figures.estimates["delta"]),
        told(arm.p or NO_DATA),
        *(told(figures.estimates[name]) for name in ("t", "a", "r")),
        ", ".join(f"{distance:.2f}" for distance in arm.twins_apart) or NOT_AVAILABLE,
        "; ".join(f"{run} {number(by.value, 2, signed=True)}" for run, by in arm.shifts.items())
        or NOT_AVAILABLE,
        verdict_words(figures),
    ]


def _schedules_table(results: ClaimsResults, subject: Subject) -> list[str]:
    found = [result for name in SCHEDULES for result in results.of_arm(name) if result.self_over_steps]
    rows = [
        (
            result.arm,
            result.case.numbers,
            "; ".join(f"{step}: {told(share)}" for step, share in result.self_over_steps.items()),
        )
        for result in found
    ]
    columns = ("arm", subject.words.case_columns, "Self at each step")
    return _section("Self over steps", columns, rows)


def _accuracy_rows(results: ClaimsResults) -> list[tuple[str, ...]]:
    """What training costs, of every arm whose questions have right answers."""
    rows: list[tuple[str, ...]] = []
    for result in results.arms:
        if result.accuracy_over_steps:
            at_first, *_, at_last = (told(share) for share in result.accuracy_over_steps.values())
            rows.append((result.arm, result.case.numbers, at_first, at_last))
    return rows


def _accuracy_table(results: ClaimsResults, subject: Subject) -> list[str]:
    columns = ("arm", subject.words.case_columns, "at step 0", "at the last step")
    return _section(ACCURACY, columns, _accuracy_rows(results))


def _over_similarity(results: ClaimsResults, subject: Subject) -> Markup | None:
    """Δ of panels whose labels agree more and less with what the model does; None where fewer than two were
    run."""
    names = subject.similarity_arms
    found = [each.figures.estimates for name in names for each in results.of_arm(name) if each.figures]
    similarities = [each["similarity"].value for each in found]
    known = [round(value, 3) for value in similarities if value is not None]
    if len(known) < len(found) or len(set(known)) < 2:
        return None
    deltas = [each["delta"] for each in found]
    return over_values(
        "over-similarity",
        "Δ over the measured similarity of model and target, in every case",
        Places(tuple(known), tuple(f"{similarity:.2f}" for similarity in known)),
        [Series("Δ", deltas)],
        limits_of(deltas, [0.0]),
        [Mark(0, "0")],
        joined=False,
        across=(FROZEN.collapse_similarity, FROZEN.low_similarity),
    )


def _patched_table(results: ClaimsResults, subject: Subject) -> list[str]:
    rows = [
        (
            row.arm,
            row.case.numbers,
            row.model,
            told(row.cosine.estimate),
            f"{number(row.cosine.null_low, 2)} to {number(row.cosine.null_high, 2)}",
            number(row.cosine.p, 4),
        )
        for row in results.patched
    ]
    heading = "Circuits: behaviour and the claim without the cue, heads"
    columns = ("arm", subject.words.case_columns, "model", "cosine", "null", "p")
    return _section(heading, columns, rows)


def _section(heading: str, columns: Iterable[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"### {heading}", "", *table(columns, rows), ""] if rows else []
