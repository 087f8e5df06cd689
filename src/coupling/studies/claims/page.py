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
from coupling.studies.claims.arms import SIMILARITY_ARMS
from coupling.studies.claims.findings import ArmResult, ClaimsResults
from coupling.studies.claims.standing import NOT_RUN
from coupling.studies.claims.table import BEYOND, CLAIMS, UNTESTED, Claim
from coupling.studies.claims.wording import (
    WORLDS_WORDS,
    beside,
    by_world,
    decided,
    excludes_paper,
    introduction,
    multiplicity,
    ours,
    rule,
)
from coupling.studies.summary import PointFigures
from coupling.studies.writing import table, told

ARM_COLUMNS = (
    "arm",
    "world, seed",
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
SCHEDULES = ("main", "explained-before", "explained-after")


def render_markdown(results: ClaimsResults) -> str:
    """``docs/claims.md``; equal results give equal texts."""
    parts = [
        "# The paper's claims, and what organisms show",
        "",
        *wrap(introduction(results), 120),
        "",
        "## Claims of the paper",
        "",
        *_claims_table(CLAIMS, results),
        "",
        *(f"- {claim.words} ({claim.paper}): cannot be tested here; {claim.why}." for claim in UNTESTED),
        "",
        "## Beyond the paper",
        "",
        *_claims_table(BEYOND, results),
        "",
        "## So many claims at once",
        "",
        *wrap(multiplicity(results), 120),
        "",
        "## What decides a claim",
        "",
        *(f"- **{each.name}**: {rule(each)}. Arms: {', '.join(each.arms)}." for each in (*CLAIMS, *BEYOND)),
        "",
        "## World by world",
        "",
        *wrap(WORLDS_WORDS, 120),
        "",
        *_worlds_table(results),
        "",
        "## Every arm",
        "",
        *wrap(ARM_WORDS, 120),
        "",
        *table(ARM_COLUMNS, map(_arm_cells, results.arms)),
        "",
        *_schedules_table(results),
        *_patched_table(results),
    ]
    return "\n".join(parts).rstrip() + "\n"


def render_html(results: ClaimsResults) -> str:
    """The same as one HTML document that needs no network."""
    return (
        environment()
        .get_template("claims.html.j2")
        .render(
            results=results,
            sections=(("Claims of the paper", CLAIMS), ("Beyond the paper", BEYOND)),
            untested=UNTESTED,
            findings={finding.claim: finding for finding in results.findings},
            ours=ours,
            beside=beside,
            decided=decided,
            excludes_paper=excludes_paper,
            by_world=by_world,
            rule=rule,
            multiplicity=multiplicity(results),
            worlds_words=WORLDS_WORDS,
            introduction=introduction(results).replace("`", ""),
            columns=ARM_COLUMNS,
            arms=results.arms,
            arm_cells=_arm_cells,
            told=told,
            over_similarity=_over_similarity(results),
            thresholds=FROZEN,
        )
    )


def verdict_words(figures: PointFigures) -> str:
    """The verdict, and its reason where that says more."""
    reason = figures.reason.replace("_", " ")
    return figures.verdict if reason == figures.verdict else f"{figures.verdict} ({reason})"


def _claims_table(claims: Iterable[Claim], results: ClaimsResults) -> list[str]:
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
                by_world(finding),
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
        "each world alone",
    )
    return table(columns, rows)


def _worlds_table(results: ClaimsResults) -> list[str]:
    rows = []
    for finding in results.findings:
        for asked in finding.answers:
            told_by = {each.case: f"{told(each.estimate)} {each.standing}" for each in asked.cases}
            cells = (told_by.get(case, NOT_RUN) for case in results.cases)
            rows.append((finding.claim, asked.question, *cells, told(asked.pooled.estimate)))
    cases = (f"world {case.world}, seed {case.seed}" for case in results.cases)
    return table(("claim", "question", *cases, "pooled"), rows)


def _arm_cells(arm: ArmResult) -> list[str]:
    cells = [arm.arm, f"{arm.case.world}, {arm.case.seed}"]
    if arm.figures is None:
        state = "failed" if arm.failure else NOT_RUN
        return [*cells, state, *[""] * (len(ARM_COLUMNS) - 3)]
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


def _schedules_table(results: ClaimsResults) -> list[str]:
    found = [result for name in SCHEDULES for result in results.of_arm(name) if result.self_over_steps]
    rows = [
        (
            result.arm,
            f"{result.case.world}, {result.case.seed}",
            "; ".join(f"{step}: {told(share)}" for step, share in result.self_over_steps.items()),
        )
        for result in found
    ]
    return _section("Self over steps", ("arm", "world, seed", "Self at each step"), rows)


def _over_similarity(results: ClaimsResults) -> Markup | None:
    """Δ of panels whose labels agree more and less with what the model does; None where fewer than two were
    run."""
    names = ("unsteered", *SIMILARITY_ARMS.values())
    found = [each.figures.estimates for name in names for each in results.of_arm(name) if each.figures]
    similarities = [each["similarity"].value for each in found]
    known = [round(value, 3) for value in similarities if value is not None]
    if len(known) < len(found) or len(set(known)) < 2:
        return None
    deltas = [each["delta"] for each in found]
    return over_values(
        "over-similarity",
        "Δ over the measured similarity of model and target, in every world",
        Places(tuple(known), tuple(f"{similarity:.2f}" for similarity in known)),
        [Series("Δ", deltas)],
        limits_of(deltas, [0.0]),
        [Mark(0, "0")],
        joined=False,
        across=(FROZEN.collapse_similarity, FROZEN.low_similarity),
    )


def _patched_table(results: ClaimsResults) -> list[str]:
    rows = [
        (
            row.arm,
            f"{row.case.world}, {row.case.seed}",
            row.model,
            told(row.cosine.estimate),
            f"{number(row.cosine.null_low, 2)} to {number(row.cosine.null_high, 2)}",
            number(row.cosine.p, 4),
        )
        for row in results.patched
    ]
    heading = "Circuits: behaviour and the claim without the cue, heads"
    return _section(heading, ("arm", "world, seed", "model", "cosine", "null", "p"), rows)


def _section(heading: str, columns: Iterable[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"### {heading}", "", *table(columns, rows), ""] if rows else []
