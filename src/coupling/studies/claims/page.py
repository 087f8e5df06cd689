"""The findings as a page of the documentation, and as HTML."""

from __future__ import annotations

from collections.abc import Iterable

from coupling.faithfulness.statistics import SeedInterval
from coupling.records import Estimate
from coupling.report.html import environment
from coupling.report.text import interval, number
from coupling.studies.claims.findings import ArmResult, ClaimsResults, Finding
from coupling.studies.claims.table import BEYOND, CLAIMS, UNTESTED, Claim
from coupling.studies.summary import DELTA, ORIG, SELF, SIMILARITY, PointFigures, T

ARM_COLUMNS = (
    "arm",
    "world, seed",
    "Self",
    "Orig",
    "similarity",
    "discordant pairs",
    "Δ",
    "T",
    "A",
    "twins apart",
    "verdict",
)


def render_markdown(results: ClaimsResults) -> str:
    """``docs/claims.md``; equal results give equal texts."""
    parts = [
        "# The paper's claims, and what organisms show",
        "",
        *_introduction(results),
        "",
        "## Claims of the paper",
        "",
        *_claims_table(CLAIMS, results),
        "",
        *(f"- {claim.words} ({claim.paper}): cannot be tested here, {claim.why}." for claim in UNTESTED),
        "",
        "## Beyond the paper",
        "",
        *_claims_table(BEYOND, results),
        "",
        "## When a world bears a claim out",
        "",
        *(
            f"- **{claim.name}**: {claim.rule}. Arms: {', '.join(claim.arms)}."
            for claim in (*CLAIMS, *BEYOND)
        ),
        "",
        "## Every arm",
        "",
        *_arms_table(results),
        "",
        *_taught_table(results),
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
            ours=lambda claim: ours(claim, results),
            standing=lambda claim: results.finding(claim.name).standing,
            counted=lambda claim: counted(results.finding(claim.name)),
            introduction=" ".join(_introduction(results)).replace("`", ""),
            arms=results.arms,
            arm_cells=_arm_cells,
            taught=results.of_arm("jabberwocky"),
            told=_told,
        )
    )


def ours(claim: Claim, results: ClaimsResults) -> str:
    """Δ and T of the claim's last arm: mean over worlds and seeds, or the estimate where there is but one."""
    finding = results.finding(claim.name)
    if not finding.answers:
        return "n/a"
    figures = [arm.figures for arm in results.of_arm(claim.arms[-1]) if arm.figures]
    told = []
    for name, key in (("Δ", DELTA), ("T", T)):
        mean = finding.over_worlds[key]
        shown = _told(figures[0].estimates[key]) if len(figures) == 1 else _mean(mean)
        told.append(f"{name} {shown}")
    return ", ".join(told)


def counted(finding: Finding) -> str:
    """How many worlds and seeds say what."""
    yes, no, undecided = finding.counts
    told = ((yes, "bear it out"), (no, "contradict it"), (undecided, "leave it open"))
    return ", ".join(f"{count} {words}" for count, words in told if count) or "none was run"


def _introduction(results: ClaimsResults) -> list[str]:
    cases = ", ".join(f"{case.world} (seed {case.seed})" for case in results.cases)
    run = sum(arm.figures is not None for arm in results.arms)
    command = "coupling claims --quick" if results.is_quick else "coupling claims"
    return [
        f"Written by `{command}`: {run} of {len(results.arms)} experiments have been run, worlds {cases}.",
        "The model is the coupled organism of each world (0.4 million parameters). Every figure stands on",
        "held-out countries; brackets are 95 % intervals, of single experiments from resampled countries, of",
        "means over worlds t-intervals. The organism agrees with a claim where every world bears it out and",
        "differs where every world contradicts it; in between it is mixed, open where no interval decides.",
        "Nothing was chosen on these worlds.",
    ]


def _claims_table(claims: Iterable[Claim], results: ClaimsResults) -> list[str]:
    lines = ["| | claim | the paper | ours, mean | worlds | |", "|---|---|---|---|---|---|"]
    for claim in claims:
        finding = results.finding(claim.name)
        words = (claim.name, claim.words, claim.paper)
        cells = (*words, ours(claim, results), counted(finding), f"**{finding.standing}**")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _arms_table(results: ClaimsResults) -> list[str]:
    lines = [
        f"| {' | '.join(ARM_COLUMNS)} |",
        f"|{'---|' * len(ARM_COLUMNS)}",
    ]
    for arm in results.arms:
        lines.append(f"| {' | '.join(_arm_cells(arm))} |")
    return lines


def _arm_cells(arm: ArmResult) -> list[str]:
    cells = [arm.arm, f"{arm.case.world}, {arm.case.seed}"]
    if arm.figures is None:
        return [*cells, "failed" if arm.failure else "not run", *[""] * 8]
    figures = arm.figures
    plain = [number(figures.estimates[key].value, 3) for key in (SELF, ORIG, SIMILARITY)]
    told = [_told(figures.estimates[key]) for key in (DELTA, T, "advantage")]
    apart = ", ".join(f"{distance:.2f}" for distance in arm.twins_apart) or "n/a"
    return [*cells, *plain, str(figures.discordant_pairs), *told, apart, verdict_words(figures)]


def verdict_words(figures: PointFigures) -> str:
    """The verdict, and for `not shown` why."""
    reason = figures.reason.replace("_", " ")
    return figures.verdict if reason == figures.verdict else f"{figures.verdict} ({reason})"


def _taught_table(results: ClaimsResults) -> list[str]:
    rows = [
        f"| {result.case.world}, {result.case.seed} | {run} | {_told(share)} |"
        for result in results.of_arm("jabberwocky")
        for run, share in result.taught.items()
    ]
    if not rows:
        return []
    head = ["### Jabberwocky: Self on the new cue", ""]
    columns = ["| world, seed | run | Self on pairs with its word |", "|---|---|---|"]
    return [*head, *columns, *rows, ""]


def _schedules_table(results: ClaimsResults) -> list[str]:
    found = [
        (name, result)
        for name in ("main", "explained-before", "explained-after")
        for result in results.of_arm(name)
        if result.self_over_steps
    ]
    if not found:
        return []
    lines = ["### Self over steps", "", "| arm | world, seed | Self at each step |", "|---|---|---|"]
    for name, result in found:
        steps = "; ".join(f"{step}: {_told(share)}" for step, share in result.self_over_steps.items())
        lines.append(f"| {name} | {result.case.world}, {result.case.seed} | {steps} |")
    return [*lines, ""]


def _patched_table(results: ClaimsResults) -> list[str]:
    if not results.patched:
        return []
    lines = [
        "### Circuits: behaviour and the claim without the cue, heads",
        "",
        "| world, seed | model | cosine | null | p |",
        "|---|---|---|---|---|",
    ]
    for row in results.patched:
        null = f"{number(row.cosine.null_low, 2)} to {number(row.cosine.null_high, 2)}"
        cells = (f"{row.case.world}, {row.case.seed}", row.model, _told(row.cosine.estimate), null)
        lines.append(f"| {' | '.join(cells)} | {number(row.cosine.p, 4)} |")
    return [*lines, ""]


def _told(estimate: Estimate) -> str:
    value = number(estimate.value, 3)
    return value if estimate.low is None else f"{value} {interval(estimate, 3)}"


def _mean(found: SeedInterval | None) -> str:
    if found is None:
        return "n/a"
    if found.low is None or found.high is None:
        return number(found.mean, 2)
    return f"{number(found.mean, 2)} [{number(found.low, 2)}, {number(found.high, 2)}]"
