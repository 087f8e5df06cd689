"""What was found: the figures of every arm in every case, and how each claim stands by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coupling.experiment import is_done, run_path
from coupling.experiment.pipeline import current_circuits
from coupling.faithfulness import Results
from coupling.faithfulness.circuits import HEAD, WITHOUT_CUE, Agreement, CircuitResults
from coupling.faithfulness.rows import ALL_RUNS, ASKED, STEERED_RUNS
from coupling.records import Estimate
from coupling.report.runs import read_results
from coupling.store import RunDir, read_versioned
from coupling.studies.claims.asking import Claim
from coupling.studies.claims.cases import Arm, Case
from coupling.studies.claims.pooling import LEVEL, Pooled, holm
from coupling.studies.claims.reads import Found, Read, twin_distances
from coupling.studies.claims.standing import (
    NOT_RUN,
    OPEN,
    WORLDS,
    Answer,
    answer,
    needed,
    pool_cases,
    rests_on,
    together,
)
from coupling.studies.claims.subject import Subject, every_claim
from coupling.studies.points import read_failure
from coupling.studies.summary import PointFigures, point_figures

CLAIMS_SCHEMA = 5


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm in one case; without figures it failed or has not been run."""

    arm: str
    case: Case
    figures: PointFigures | None
    p: Estimate | None
    """P of its steered runs, of all where none is steered."""
    twins_apart: tuple[float, ...]
    """Of each pair of twins: the share of the pairs they are steered on where their effects differ."""
    shifts: Mapping[str, Estimate]
    """Steered run → how much more often than M0 it follows the cues it is steered on, at the end."""
    self_over_steps: Mapping[str, Estimate]
    """Step → Self, all runs together."""
    accuracy_over_steps: Mapping[str, Estimate]
    """Step → share of right answers without the cue, all runs together; empty where none are known."""
    failure: str | None


@dataclass(frozen=True, slots=True)
class Patched:
    """Overlap of the circuits of behaviour and of the claim without the cue, over heads."""

    arm: str
    case: Case
    model: str
    cosine: Agreement


@dataclass(frozen=True, slots=True)
class Beside:
    """A figure told beside a claim; it decides nothing."""

    name: str
    pooled: Pooled


@dataclass(frozen=True, slots=True)
class Finding:
    """How a claim stands."""

    claim: str
    standing: str
    """One of `standing`'s four, by pooled intervals."""
    needed: int | None
    """What would decide an open one, were its figures what they are now; None where no number would."""
    unit: str
    """What ``needed`` counts: worlds, training seeds or held-out clusters."""
    answers: tuple[Answer, ...]
    beside: tuple[Beside, ...]
    by_case: tuple[tuple[Case, str], ...]
    """How it would stand by each case alone in which all its arms were run."""
    cases: int
    """That were asked for."""

    @property
    def rests_on(self) -> Answer | None:
        """The answer that its standing rests on; None where it is open or was not run."""
        return rests_on(self.answers) if self.standing != NOT_RUN else None


@dataclass(frozen=True, slots=True)
class Multiplicity:
    """What asking so many claims at once does."""

    asked: int
    """Claims for which there are results."""
    intervals: int
    """By which they are decided."""
    expected: float
    """Intervals of them that would leave the truth out by chance."""
    decided: int
    """Claims that agree or are contradicted."""
    standing: tuple[str, ...]
    """Those of them that still stand after Holm's correction."""


@dataclass(frozen=True, slots=True)
class ClaimsResults:
    """The content of ``claims.json``."""

    schema: int
    subject: str
    """Who was asked."""
    is_quick: bool
    cases: tuple[Case, ...]
    arms: tuple[ArmResult, ...]
    patched: tuple[Patched, ...]
    findings: tuple[Finding, ...]

    def finding(self, claim: str) -> Finding:
        return next(finding for finding in self.findings if finding.claim == claim)

    @property
    def multiplicity(self) -> Multiplicity:
        asked = [finding for finding in self.findings if finding.standing != NOT_RUN]
        intervals = sum(each.pooled.low is not None for finding in asked for each in finding.answers)
        decided = [finding for finding in asked if finding.standing != OPEN]
        rests = {finding.claim: finding.rests_on for finding in decided}
        standing = tuple(
            claim
            for claim, on in rests.items()
            if on is not None and on.p_holm is not None and on.p_holm < LEVEL
        )
        return Multiplicity(len(asked), intervals, LEVEL * intervals, len(decided), standing)

    def require_all(self) -> None:
        """Raises ValueError, naming experiments and why, where one failed."""
        failed = [result for result in self.arms if result.failure is not None]
        if failed:
            told = "\n".join(f"{result.arm}, {result.case.words}: {result.failure}" for result in failed)
            raise ValueError(
                f"{len(failed)} of {len(self.arms)} experiments failed; the others are done, and the same "
                f"command tries these again\n{told}"
            )

    def of_arm(self, arm: str) -> tuple[ArmResult, ...]:
        return tuple(result for result in self.arms if result.arm == arm)


def read_claims(file: Path) -> ClaimsResults:
    """The content of a ``claims.json``. Raises ValueError where it is of another version."""
    return read_versioned(ClaimsResults, file, CLAIMS_SCHEMA, "`coupling claims --read` makes it anew")


def find(
    subject: Subject, arms: Sequence[Arm], cases: Sequence[Case], is_quick: bool, folder: Path
) -> ClaimsResults:
    """Reads what has been run of the subject's ``arms`` in ``folder``; runs nothing."""
    results: list[ArmResult] = []
    patched: list[Patched] = []
    found: dict[Case, Found] = {}
    for case in cases:
        read: dict[str, Results] = {}
        circuits: dict[str, CircuitResults] = {}
        for arm in arms:
            config = subject.experiment(arm, case)
            failure = read_failure(folder, config.name)
            if failure is None and is_done(config, folder):
                read[arm.name] = read_results(run_path(config, folder))
                there = current_circuits(RunDir(run_path(config, folder))) if arm.is_patched else None
                if there is not None:
                    circuits[arm.name] = there
                    patched += _patched(arm.name, case, there)
            results.append(_arm_result(arm, case, read.get(arm.name), failure))
        found[case] = Found(read, circuits)
    findings = _findings(every_claim(subject), found)
    return ClaimsResults(
        CLAIMS_SCHEMA, subject.name, is_quick, tuple(cases), tuple(results), tuple(patched), findings
    )


def _arm_result(arm: Arm, case: Case, results: Results | None, failure: str | None) -> ArmResult:
    if results is None:
        return ArmResult(arm.name, case, None, None, (), {}, {}, {}, failure)
    figures = results.figures
    accuracy = {str(step): figures("accuracy", step=step) for step in results.steps}
    shifts = {run.name: figures("shift", run.name, ASKED) for run in results.runs}
    return ArmResult(
        arm=arm.name,
        case=case,
        figures=point_figures(results),
        p=figures("p", STEERED_RUNS if any(run.steered for run in results.runs) else ALL_RUNS),
        twins_apart=tuple(twin_distances(results)),
        shifts={run: shift for run, shift in shifts.items() if shift.value is not None},
        self_over_steps={str(step): figures("self", step=step) for step in results.steps},
        accuracy_over_steps={step: share for step, share in accuracy.items() if share.value is not None},
        failure=None,
    )


def _patched(arm: str, case: Case, circuits: CircuitResults) -> list[Patched]:
    return [
        Patched(arm, case, model.name, overlap.cosine)
        for model in circuits.models
        for overlap in model.overlaps
        if (overlap.claim, overlap.kind) == (WITHOUT_CUE, HEAD)
    ]


def _findings(claims: Sequence[Claim], found: Mapping[Case, Found]) -> tuple[Finding, ...]:
    """All findings, p-values corrected for all intervals that decide them."""
    findings = [_finding(claim, found) for claim in claims]
    corrected = holm(
        {
            (finding.claim, each.question): each.p
            for finding in findings
            for each in finding.answers
            if each.pooled.low is not None
        }
    )
    return tuple(
        replace(
            finding,
            answers=tuple(
                each if each.p is None else replace(each, p_holm=corrected[finding.claim, each.question])
                for each in finding.answers
            ),
        )
        for finding in findings
    )


def _finding(claim: Claim, found: Mapping[Case, Found]) -> Finding:
    there = {case: results for case, results in found.items() if _is_run(claim, results)}
    answers = tuple(answer(asked, _read(asked.read, there)) for asked in claim.questions)
    by_case = tuple(
        (case, together([(each.cases[place].standing, each.is_veto) for each in answers]))
        for place, case in enumerate(there)
    )
    standing = together([(each.standing, each.is_veto) for each in answers]) if there else NOT_RUN
    count, unit = needed(answers) if standing == OPEN else (None, WORLDS)
    return Finding(
        claim=claim.name,
        standing=standing,
        needed=count,
        unit=unit,
        answers=answers,
        beside=tuple(Beside(name, pool_cases(_read(read, there))) for name, read in claim.beside),
        by_case=by_case,
        cases=len(found),
    )


def _is_run(claim: Claim, found: Found) -> bool:
    arms = set(claim.arms)
    return arms <= found.arms.keys() and (not claim.is_patched or arms <= found.circuits.keys())


def _read(read: Read, found: Mapping[Case, Found]) -> dict[Case, Estimate]:
    return {case: read(there) for case, there in found.items()}
