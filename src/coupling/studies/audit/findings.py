"""What an audit found, in plain words: the content of ``audit.json``.

The verdict is of a name of its own, for an audit asks less than `coupled` does. One model that no other run
of its recipe stands beside can show that its explanations tell something of it; it cannot show that nobody
who repeats the recipe could tell as much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from coupling.faithfulness.results import Results, Verdict
from coupling.faithfulness.rows import OWN
from coupling.report.runs import read_results, recorded
from coupling.store import read_versioned
from coupling.studies.audit.respondents import Respondent

AUDIT = "audit.json"
AUDIT_SCHEMA = 2

INFORMATIVE = "informative"
"""Explanations tell something of this model that whoever knows the reference, the questions and its answers
to other questions does not. It may still be drift that it shares with models trained alike."""
UNINFORMATIVE = "uninformative"
"""They tell such a person next to nothing."""
UNDECIDED = "undecided"
INVALID = "invalid"
"""The measurement does not hold."""
NOT_MEASURED = "n/a"
AUDIT_VERDICTS = (INFORMATIVE, UNINFORMATIVE, UNDECIDED, INVALID, NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """The verdict of an audit, which rule gave it, and why."""

    verdict: str
    """One of `AUDIT_VERDICTS`."""
    reason: str
    """Slug of the rule that gave it; `verdict.AUDIT_REASONS` lists them."""
    sentence: str
    """The reason in words, with the figures it turns on; its first sentence is plain."""
    missing: tuple[str, ...]
    """What would decide; empty where nothing is missing."""


@dataclass(frozen=True, slots=True)
class EmitterVerdict:
    """The verdict on an explainer of known origin, by which an auditor sees what this audit can tell."""

    name: str
    """Of an explainer in ``results.json``, which says who it is."""
    verdict: AuditVerdict


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the verdict on a panel, and whether this evidence can be held against it."""

    name: str
    is_evaluated: bool
    found: str
    """The figure it turns on; or what it would take."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The content of ``audit.json``; the figures themselves are in ``results.json``."""

    schema: int
    verdict: AuditVerdict
    trust: str
    """How true explanations are, beside quoting the reference: another matter than how much they tell."""
    emitters: tuple[EmitterVerdict, ...]
    allows: tuple[str, ...]
    does_not_allow: tuple[str, ...]
    next_steps: tuple[str, ...]
    rules: tuple[Rule, ...]
    """In the order in which the verdict on a panel asks them."""
    respondents: tuple[Respondent, ...]
    """The model, and the reference where there is one."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much further one could ask."""

    pairs: int
    """Held-out pairs of the task that the model has room for, those that were asked about included."""
    clusters: int
    """Clusters of those pairs."""
    max_new_tokens: int
    """Where explanations were cut off."""


def read_findings(run: Path) -> Findings:
    """The findings in an audit's directory.

    Raises:
        ValueError: there are none, or they are of another version.
    """
    return read_versioned(Findings, recorded(run, AUDIT), AUDIT_SCHEMA, "audit again with this version")


def is_audit(run: Path) -> bool:
    return (run / AUDIT).is_file()


def read_judged(run: Path) -> Results:
    """The figures of a run directory under the verdicts that were given there: an audit's are its own, and
    not those that the rule for panels gives in its ``results.json``.

    Raises:
        ValueError: there are no figures, or they or the findings are of another version or another audit.
    """
    results = read_results(run)
    if not is_audit(run):
        return results
    findings = read_findings(run)
    own = {OWN: findings.verdict, **{each.name: each.verdict for each in findings.emitters}}
    if own.keys() != {each.explainer for each in results.verdicts}:
        raise ValueError(f"{run / AUDIT}: tells of other explainers than results.json; audit again")

    def given(explainer: str) -> Verdict:
        of_audit = own[explainer]
        return Verdict(of_audit.verdict, of_audit.reason, of_audit.sentence, of_audit.missing)

    verdicts = tuple(replace(each, verdict=given(each.explainer)) for each in results.verdicts)
    return replace(results, verdicts=verdicts)
