"""What a claim turns on, and when one world and seed bear it out: functions of the results of its arms.

A rule says yes, no, or (None) that it is open: intervals do not decide, or something was not measured at all.
An interval that holds 0 is no evidence of absence, and says neither yes nor no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from coupling.faithfulness import FROZEN, Results
from coupling.faithfulness.circuits import HEAD, WITHOUT_CUE, Agreement, CircuitResults
from coupling.faithfulness.registry import FIGURES
from coupling.faithfulness.results import COLLAPSED, COUPLED, IMITATES_TARGET, INVALID, SHARED_DRIFT
from coupling.faithfulness.rows import ASKED, STEERED, twins_name
from coupling.faithfulness.statistics import NO_DATA
from coupling.records import Estimate
from coupling.studies.claims.arms import EARLY, SIMILARITY_ARMS

SHIFT = 0.15
"""On how many of the steered pairs twins must act apart before a shift counts as one."""
CLOSE = 0.05
"""Shares that are nearer to each other are as good as equal."""
UNMEASURED = ("too_little_drift", "no_skill")
"""Reasons of a verdict under which Δ says nothing, wherever its interval lies."""


@dataclass(frozen=True, slots=True)
class Found:
    """The results of one world and seed."""

    arms: Mapping[str, Results]
    circuits: Mapping[str, CircuitResults]
    """Of the arms that were patched."""


Rule = Callable[[Found], bool | None]
Read = Callable[[Found], Estimate]


# What a claim turns on.


def pooled(figure: str, arm: str, step: int | None = None) -> Read:
    """A figure of all runs of an arm, by its name in the registry; at the verdict's step, or at another."""
    assert figure in FIGURES, f"{figure}: no such figure"
    return lambda found: found.arms[arm].figures(figure, step=step)


def apart(arm: str, step: int) -> Read:
    """How far apart twins follow their steered cues at one step: mean over twin pairs, with no interval."""

    def read(found: Found) -> Estimate:
        results = found.arms[arm]
        figures = results.figures
        shares = [
            [figures("followed", run, ASKED, step=step).value for run in pair] for pair in results.twins
        ]
        distances = [
            abs(first - second) for first, second in shares if first is not None and second is not None
        ]
        if not distances:
            return NO_DATA
        return Estimate(sum(distances) / len(distances), None, None, len(distances), 0)

    return read


def taught(number: int) -> Read:
    """Self on the pairs with the new word, of one of the runs that were taught it."""

    def read(found: Found) -> Estimate:
        results = found.arms["jabberwocky"]
        return results.figures("self", _taught(results)[number], STEERED)

    return read


def heads_in_common(arm: str) -> Read:
    """Cosine of the shares that heads carry in behaviour and in the claim without the cue, after training."""

    def read(found: Found) -> Estimate:
        agreement = _agreement_of_heads(found, arm)
        return NO_DATA if agreement is None else agreement.estimate

    return read


# When a claim is borne out.


def is_positive(*arms: str) -> Rule:
    """Δ above 0 in each arm, below 0 in one, or open."""
    return lambda found: _every(_side(found, arm) for arm in arms)


def is_ahead(figure: str, first: str, second: str) -> Rule:
    """A figure of the first arm above that of the second, intervals apart; below it says no."""
    return lambda found: _ahead(pooled(figure, first)(found), pooled(figure, second)(found))


def gap_takes(arm: str, without: str) -> Rule:
    """Δ above 0 in the first arm and not in the second, whose gap is lower, intervals apart."""

    def rule(found: Found) -> bool | None:
        if _side(found, without):
            return False
        return True if _side(found, arm) and is_ahead("gap", arm, without)(found) else None

    return rule


def has_threshold(found: Found) -> bool | None:
    arms = ("unsteered", *SIMILARITY_ARMS.values())
    likeness = {arm: pooled("similarity", arm)(found).value or 0.0 for arm in arms}
    works = _every(_side(found, arm) for arm in arms if likeness[arm] >= FROZEN.low_similarity)
    below = [arm for arm in arms if likeness[arm] < FROZEN.collapse_similarity]
    if works is False or any(_side(found, arm) for arm in below):
        return False
    # A wide interval that holds 0 is no collapse: it must lie below that of the model's own labels.
    collapsed = _every(is_ahead("delta", "unsteered", arm)(found) for arm in below)
    return True if works and collapsed else None


def follows(arm: str) -> Rule:
    """The verdict `coupled`, on a shift that is one."""

    def rule(found: Found) -> bool | None:
        results = found.arms[arm]
        verdict = results.verdict().verdict
        if not has_shifted(results):
            return None
        if verdict == COUPLED:
            return True
        is_at_chance = _above(results.figures("t"), FROZEN.twin_margin) is False and _is_measured(results)
        return False if is_at_chance or verdict in (IMITATES_TARGET, SHARED_DRIFT) else None

    return rule


def has_shifted(results: Results) -> bool:
    distances = twin_distances(results)
    return bool(distances) and min(distances) >= SHIFT


def twin_distances(results: Results) -> list[float]:
    """Of each pair of twins: the share of the pairs they are steered on where their effects differ."""
    figures = results.figures
    distances = []
    for twins in results.twins:
        steered = figures.count("pairs", twins[0], STEERED)
        if steered:
            distances.append((figures.count("twin_pairs", twins_name(*twins), STEERED) or 0) / steered)
    return distances


def tells_of_new_behavior(found: Found) -> bool | None:
    """More than half of the explanations about the new word true, in both runs, where the word is obeyed."""
    results = found.arms["jabberwocky"]
    runs = _taught(results)
    obeyed = [_above(results.figures("followed", run, STEERED), 0.5) for run in runs]
    if not all(obeyed) or not has_shifted(results) or results.verdict().verdict == INVALID:
        return None
    return _every(_above(taught(number)(found), 0.5) for number in range(len(runs)))


def shares_circuits(found: Found) -> bool | None:
    agreement = _agreement_of_heads(found, "unsteered")
    return True if agreement is not None and agreement.p is not None and agreement.p < 0.05 else None


def shares_more_circuits(found: Found) -> bool | None:
    return _ahead(heads_in_common("unsteered")(found), heads_in_common("third-person")(found))


def collapses(found: Found) -> bool | None:
    """No better than a claimant that reads no model: within 5 points of its best baseline, or below."""
    if found.arms["constant"].verdict().verdict == COLLAPSED:
        return True
    advantage = pooled("self_advantage", "constant")(found)
    if _above(advantage, 0):
        return False
    return True if _above(advantage, CLOSE) is False else None


def is_slower(explained: str, alone: str) -> Rule:
    """Twins nearer to each other by 5 points at the early step; farther apart by as much says no."""

    def rule(found: Found) -> bool | None:
        with_, without = apart(explained, EARLY)(found).value, apart(alone, EARLY)(found).value
        if with_ is None or without is None:
            return None
        slower = without - with_
        return None if abs(slower) < CLOSE else slower > 0

    return rule


def goes_stale(found: Found) -> bool | None:
    stopped, end = (pooled("self", "explained-before", step)(found) for step in (80, 160))
    return _ahead(stopped, end)


def teaches_nothing(found: Found) -> bool | None:
    results = found.arms["shuffled"]
    verdict = results.verdict()
    if verdict.verdict == COUPLED:
        return False
    is_at_chance = _above(results.figures("t"), FROZEN.twin_margin) is False
    return True if verdict.reason == "no_skill" or is_at_chance else None


def _taught(results: Results) -> list[str]:
    """The runs that were taught the new word."""
    return [run.name for run in results.runs if run.name.startswith("follow-")]


def _agreement_of_heads(found: Found, arm: str) -> Agreement | None:
    """Of behaviour and the claim without the cue, after training."""
    overlaps = found.circuits[arm].models[-1].overlaps
    return next((each.cosine for each in overlaps if (each.claim, each.kind) == (WITHOUT_CUE, HEAD)), None)


def _is_measured(results: Results) -> bool:
    verdict = results.verdict()
    return verdict.verdict not in (INVALID, COLLAPSED) and verdict.reason not in UNMEASURED


def _side(found: Found, arm: str) -> bool | None:
    """On which side of 0 the interval of Δ lies; None where it holds 0 or Δ is not measured."""
    results = found.arms[arm]
    return _above(results.figures("delta"), 0) if _is_measured(results) else None


def _every(answers: Iterable[bool | None]) -> bool | None:
    given = list(answers)
    if False in given:
        return False
    return None if None in given or not given else True


def _above(estimate: Estimate, bound: float) -> bool | None:
    """Whether the interval lies above the bound, or below it; None where it holds it or there is none."""
    if estimate.low is None or estimate.high is None:
        return None
    if estimate.low > bound:
        return True
    return False if estimate.high < bound else None


def _ahead(first: Estimate, second: Estimate) -> bool | None:
    """Whether the first interval lies above the second, or below it; None where they overlap."""
    if first.low is None or second.low is None:
        return None
    assert first.high is not None and second.high is not None
    if first.low > second.high:
        return True
    return False if first.high < second.low else None
