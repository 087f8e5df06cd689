"""What was found: the figures of every arm in every world and seed, and how each claim stands by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coupling.experiment import is_done, run_path
from coupling.experiment.pipeline import current_circuits
from coupling.faithfulness import Results
from coupling.faithfulness.circuits import HEAD, WITHOUT_CUE, Agreement, CircuitResults
from coupling.faithfulness.rows import ASKED
from coupling.faithfulness.statistics import NO_DATA, over_seeds
from coupling.records import Estimate
from coupling.report.runs import read_results
from coupling.store import RunDir, read_versioned
from coupling.studies.claims.arms import Arm, experiment_of
from coupling.studies.claims.rules import Found, Read, twin_distances
from coupling.studies.claims.table import BEYOND, CLAIMS, Claim
from coupling.studies.points import read_failure
from coupling.studies.summary import PointFigures, point_figures

CLAIMS_SCHEMA = 3
AGREES, DIFFERS, MIXED, OPEN, NOT_RUN = "agrees", "differs", "mixed", "open", "not run"


@dataclass(frozen=True, slots=True)
class Case:
    """Where an arm was run."""

    world: int
    seed: int


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm in one world and seed; without figures it failed or has not been run."""

    arm: str
    case: Case
    figures: PointFigures | None
    twins_apart: tuple[float, ...]
    """Of each pair of twins: the share of the pairs they are steered on where their effects differ."""
    shifts: Mapping[str, Estimate]
    """Steered run → how much more often than M0 it follows the cues it is steered on, at the end."""
    self_over_steps: Mapping[str, Estimate]
    """Step → Self, all runs together."""
    failure: str | None


@dataclass(frozen=True, slots=True)
class Patched:
    """Overlap of the circuits of behaviour and of the claim without the cue, over heads."""

    arm: str
    case: Case
    model: str
    cosine: Agreement


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that a claim turns on."""

    name: str
    estimate: Estimate
    """Of one case its own, with the interval from resampled clusters. Of several worlds the mean over worlds
    with a t-interval, seeds of a world averaged first; ``n`` counts worlds then, and ``clusters`` is 0."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a claim stands."""

    claim: str
    answers: tuple[tuple[Case, bool | None], ...]
    """Of each world and seed in which all its arms were run: borne out, contradicted, or (None) left open."""
    cases: int
    """Worlds and seeds that were asked for."""
    figures: tuple[Figure, ...]

    @property
    def standing(self) -> str:
        given = {answer for _, answer in self.answers}
        if not given:
            return NOT_RUN
        if given == {True}:
            return AGREES
        if given == {False}:
            return DIFFERS
        return OPEN if given == {None} else MIXED

    @property
    def counts(self) -> tuple[int, int, int]:
        """Borne out, contradicted, left open."""
        given = [answer for _, answer in self.answers]
        return given.count(True), given.count(False), given.count(None)


@dataclass(frozen=True, slots=True)
class ClaimsResults:
    """The content of ``claims.json``."""

    schema: int
    is_quick: bool
    cases: tuple[Case, ...]
    arms: tuple[ArmResult, ...]
    patched: tuple[Patched, ...]
    findings: tuple[Finding, ...]

    def finding(self, claim: str) -> Finding:
        return next(finding for finding in self.findings if finding.claim == claim)

    def require_all(self) -> None:
        """Raises ValueError, naming experiments and why, where one failed."""
        failed = [result for result in self.arms if result.failure is not None]
        if failed:
            told = "\n".join(
                f"{result.arm}, world {result.case.world}, seed {result.case.seed}: {result.failure}"
                for result in failed
            )
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
    arms: Sequence[Arm], cases: Sequence[Case], is_quick: bool, folder: Path, organisms: Path
) -> ClaimsResults:
    """Reads what has been run in ``folder``; runs nothing."""
    results: list[ArmResult] = []
    patched: list[Patched] = []
    found: dict[Case, Found] = {}
    for case in cases:
        read: dict[str, Results] = {}
        circuits: dict[str, CircuitResults] = {}
        for arm in arms:
            config = experiment_of(arm, case.world, case.seed, organisms)
            failure = read_failure(folder, config.name)
            if failure is None and is_done(config, folder):
                read[arm.name] = read_results(run_path(config, folder))
                there = current_circuits(RunDir(run_path(config, folder))) if arm.is_patched else None
                if there is not None:
                    circuits[arm.name] = there
                    patched += _patched(arm.name, case, there)
            results.append(_arm_result(arm, case, read.get(arm.name), failure))
        found[case] = Found(read, circuits)
    findings = tuple(_finding(claim, found) for claim in (*CLAIMS, *BEYOND))
    return ClaimsResults(CLAIMS_SCHEMA, is_quick, tuple(cases), tuple(results), tuple(patched), findings)


def _arm_result(arm: Arm, case: Case, results: Results | None, failure: str | None) -> ArmResult:
    if results is None:
        return ArmResult(arm.name, case, None, (), {}, {}, failure)
    figures = results.figures
    shifts = {run.name: figures("shift", run.name, ASKED) for run in results.runs}
    return ArmResult(
        arm=arm.name,
        case=case,
        figures=point_figures(results),
        twins_apart=tuple(twin_distances(results)),
        shifts={run: shift for run, shift in shifts.items() if shift.value is not None},
        self_over_steps={str(step): figures("self", step=step) for step in results.steps},
        failure=None,
    )


def _patched(arm: str, case: Case, circuits: CircuitResults) -> list[Patched]:
    return [
        Patched(arm, case, model.name, overlap.cosine)
        for model in circuits.models
        for overlap in model.overlaps
        if (overlap.claim, overlap.kind) == (WITHOUT_CUE, HEAD)
    ]


def _finding(claim: Claim, found: Mapping[Case, Found]) -> Finding:
    there = {case: results for case, results in found.items() if _is_run(claim, results)}
    answers = tuple((case, claim.holds(results)) for case, results in there.items())
    figures = tuple(Figure(name, _over_worlds(read, there)) for name, read in claim.figures if there)
    return Finding(claim.name, answers, len(found), figures)


def _is_run(claim: Claim, found: Found) -> bool:
    needed = set(claim.arms)
    return needed <= found.arms.keys() and (not claim.is_patched or needed <= found.circuits.keys())


def _over_worlds(read: Read, found: Mapping[Case, Found]) -> Estimate:
    estimates = {case: read(there) for case, there in found.items()}
    if len(estimates) == 1:
        return next(iter(estimates.values()))
    by_world: dict[int, list[float]] = {}
    for case, estimate in estimates.items():
        if estimate.value is not None:
            by_world.setdefault(case.world, []).append(estimate.value)
    if not by_world:
        return NO_DATA
    over = over_seeds([sum(values) / len(values) for values in by_world.values()])
    return Estimate(over.mean, over.low, over.high, len(by_world), 0)
