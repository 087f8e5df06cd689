"""Findings in words, for the terminal and both pages."""

from __future__ import annotations

from coupling.report.text import NOT_AVAILABLE, number
from coupling.studies.claims.asking import Claim
from coupling.studies.claims.cases import told_together
from coupling.studies.claims.findings import ClaimsResults, Finding
from coupling.studies.claims.pooling import MOST_WORLDS, Pooled
from coupling.studies.claims.standing import ABOVE, BELOW, CLUSTERS, NOT_RUN, OPEN, SEEDS, Question
from coupling.studies.claims.subject import Subject
from coupling.studies.writing import told

DECISION = (
    "A claim agrees where the interval leaves no effect out, in the paper's direction. It contradicts "
    "where the interval leaves out that direction, or shows no effect and leaves out the paper's figure: "
    "what was found in models of 8 billion parameters is not so in {here}, and no more than "
    "that. Otherwise it is open, and what would decide it stands beside it; an interval that holds 0 is no "
    "evidence of absence."
)


def introduction(results: ClaimsResults, subject: Subject) -> str:
    words = subject.words
    run = sum(arm.figures is not None for arm in results.arms)
    command = f"{words.command} --quick" if results.is_quick else words.command
    return (
        f"Written by `{command}`: {run} of {len(results.arms)} experiments have been run, "
        f"{told_together(results.cases)}. {words.asked} {words.pooled} {DECISION.format(here=words.here)} "
        f"{words.decided}"
    )


def ours(finding: Finding) -> list[str]:
    """What decides the claim, a phrase each, pooled over cases."""
    return [f"{each.question}: {told(each.pooled.estimate)}" for each in finding.answers]


def beside(finding: Finding) -> list[str]:
    """What is told beside it, a phrase each."""
    return [f"{each.name}: {told(each.pooled.estimate)}" for each in finding.beside]


def decided(finding: Finding) -> str:
    """On what a standing rests, or what would decide an open one."""
    if finding.standing == NOT_RUN:
        return ""
    if finding.standing != OPEN:
        on = finding.rests_on
        assert on is not None
        which = f"{on.question}: " if len(finding.answers) > 1 else ""
        return f"{which}p {_p(on.p)}, after Holm {_p(on.p_holm)}"
    if finding.needed is None:
        if any(each.pooled.value is None for each in finding.answers):
            return "not measured"
        return f"{MOST_WORLDS} {finding.unit} would not decide it, were its figures what they are"
    there = max(_size(each.pooled, finding.unit) for each in finding.answers)
    words = f"about {finding.needed} {finding.unit} would decide it, were its figures what they are"
    return f"{words} (there are {there})"


def excludes_paper(finding: Finding) -> bool:
    """Whether an interval leaves the paper's figure out, in whatever direction it agrees."""
    return any(each.excludes_paper for each in finding.answers)


def by_case(finding: Finding) -> str:
    """How it would stand by each case alone: the first look, before anything is pooled."""
    told = [f"{case.words}: {standing}" for case, standing in finding.by_case]
    missing = finding.cases - len(finding.by_case)
    return "; ".join([*told, *([f"{missing} {NOT_RUN}"] if missing else [])])


def rule(claim: Claim) -> str:
    """What decides it, in words."""
    asked = "; ".join(map(_asked, claim.questions))
    return f"{asked} ({claim.note})" if claim.note else asked


def multiplicity(results: ClaimsResults, subject: Subject) -> str:
    """What asking so many claims at once does, in words."""
    found = results.multiplicity
    if not found.asked:
        return "Nothing has been run."
    standing = ", ".join(found.standing) or "none"
    return (
        f"{found.asked} claims are asked, by {found.intervals} intervals of 95 %: {found.expected:.1f} of "
        f"these would be expected to leave the truth out by chance. {found.decided} claims are decided. "
        f"After Holm's correction for all intervals these still stand, at 5 % for all together: "
        f"{standing}. {subject.words.few} What "
        "stands before the correction and not after it is a lead, not a result."
    )


def _asked(question: Question) -> str:
    other = BELOW if question.wanted == ABOVE else ABOVE
    if question.is_veto:
        return f"contradicted where {question.words} lies {other} {question.refuted:g}"
    told = f"{question.words} {question.wanted} {question.bound:g}"
    if question.refuted != question.bound:
        told += f", contradicted {other} {question.refuted:g}"
    if question.paper is not None:
        told += f", the paper's figure {' to '.join(f'{each:g}' for each in dict.fromkeys(question.paper))}"
    return told


def _p(value: float | None) -> str:
    """A p-value: "< 0.0001", or to four places."""
    if value is None:
        return NOT_AVAILABLE
    return "< 0.0001" if value < 0.0001 else number(value, 4)


def _size(pooled: Pooled, unit: str) -> int:
    return {CLUSTERS: pooled.clusters, SEEDS: pooled.cases}.get(unit, pooled.worlds)
