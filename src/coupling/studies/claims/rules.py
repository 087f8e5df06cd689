"""What a claim turns on, and when one world and seed bear it out: functions of the results of its arms.

A rule says yes, no, or (None) that it is open: intervals do not decide, or something was not measured at all.
An interval that holds 0 is no evidence of absence, and says neither yes nor no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from coupling.faithfulness import FROZEN, Results
from coupling.faithfulness.circuits import HEAD, WITHOUT_CUE, Agreement, CircuitResults
from coupling.faithfulness.panel import COLLAPSED, COUPLED, IMITATES_TARGET, INVALID, SHARED_DRIFT
from coupling.records import Estimate
from coupling.report.reading import twin_estimate
from coupling.studies.claims.arms import EARLY, SIMILARITY_ARMS

SIMILAR, DISSIMILAR = 0.7, 0.6
"""The paper's thresholds: coupling works from the first on, and collapses below the second."""
SHIFT = 0.15
"""On how many of the steered pairs twins must act apart before a shift counts as one."""
UNMEASURED = ("too_little_drift", "no_skill")
"""Reasons of a verdict under which Δ says nothing, wherever its interval lies."""


@dataclass(frozen=True, slots=True)
class Found:
    """The results of one world and seed."""

    arms: Mapping[str, Results]
    circuits: Mapping[str, CircuitResults]
    """Of the arms that were patched."""


Rule = Callable[[Found], bool | None]
Read = Callable[[Found], Estimate | None]


# What a claim turns on.


def delta(arm: str) -> Read:
    return lambda found: found.arms[arm].headline.pooled.delta


def gap(arm: str) -> Read:
    """Self - Orig over all pairs: the paper's own figure."""
    return lambda found: found.arms[arm].headline.pooled.gap


def self_share(arm: str, step: int | None = None) -> Read:
    def read(found: Found) -> Estimate | None:
        results = found.arms[arm]
        wanted = results.step if step is None else step
        return next((row.pooled.self_share for row in results.trajectory if row.step == wanted), None)

    return read


def similarity(arm: str) -> Read:
    return lambda found: found.arms[arm].headline.pooled.similarity


def twins(arm: str) -> Read:
    return lambda found: twin_estimate(found.arms[arm].headline)


def advantage_over_baselines(arm: str) -> Read:
    return lambda found: found.arms[arm].headline.pooled.self_skill.advantage


def apart(arm: str, step: int) -> Read:
    """How far apart twins follow their steered cues at one step: mean over twin pairs, with no interval."""

    def read(found: Found) -> Estimate | None:
        rows = {row.step: row for row in found.arms[arm].trajectory}
        runs = {run.name: run.followed_steered.value for run in rows[step].runs}
        tested = found.arms[arm].headline.twins
        shares = [[runs[name] for name in pair.runs] for pair in tested.comparisons] if tested else []
        distances = [
            abs(first - second) for first, second in shares if first is not None and second is not None
        ]
        if not distances:
            return None
        return Estimate(sum(distances) / len(distances), None, None, len(distances), 0)

    return read


def taught(number: int) -> Read:
    """Self on the pairs with the new word, of one of the runs that were taught it."""

    def read(found: Found) -> Estimate | None:
        runs = [run for run in found.arms["jabberwocky"].headline.runs if run.name.startswith("follow-")]
        subset = runs[number].steered_pairs
        return None if subset is None else subset.self_share

    return read


def heads_in_common(arm: str) -> Read:
    """Cosine of the shares that heads carry in behaviour and in the claim without the cue, after training."""

    def read(found: Found) -> Estimate | None:
        agreement = _agreement_of_heads(found, arm)
        return None if agreement is None else agreement.estimate

    return read


# When a claim is borne out.


def is_positive(*arms: str) -> Rule:
    """Δ above 0 in each arm, below 0 in one, or open."""
    return lambda found: _every(_side(found, arm) for arm in arms)


def vanishes_without_kl(found: Found) -> bool | None:
    if _side(found, "without-kl"):
        return False
    is_less = _ahead(gap("unsteered")(found), gap("without-kl")(found))
    return True if _side(found, "unsteered") and is_less else None


def is_less_accurate(found: Found) -> bool | None:
    return _ahead(self_share("unsteered")(found), self_share("other-family")(found))


def has_threshold(found: Found) -> bool | None:
    arms = ("unsteered", *SIMILARITY_ARMS.values())
    likeness = {arm: (similarity(arm)(found) or _NOTHING).value or 0.0 for arm in arms}
    works = _every(_side(found, arm) for arm in arms if likeness[arm] >= SIMILAR)
    below = [arm for arm in arms if likeness[arm] < DISSIMILAR]
    if works is False or any(_side(found, arm) for arm in below):
        return False
    # A wide interval that holds 0 is no collapse: it must lie below that of the model's own labels.
    collapsed = _every(_ahead(delta("unsteered")(found), delta(arm)(found)) for arm in below)
    return True if works and collapsed else None


def follows(arm: str) -> Rule:
    """The verdict `coupled`, on a shift that is one."""

    def rule(found: Found) -> bool | None:
        panel = found.arms[arm].headline
        if not has_shifted(found.arms[arm]):
            return None
        if panel.verdict.verdict == COUPLED:
            return True
        t = twin_estimate(panel)
        is_at_chance = t.high is not None and t.high < FROZEN.twin_margin and _is_measured(found.arms[arm])
        return False if is_at_chance or panel.verdict.verdict in (IMITATES_TARGET, SHARED_DRIFT) else None

    return rule


def has_shifted(results: Results) -> bool:
    distances = twin_distances(results)
    return bool(distances) and min(distances) >= SHIFT


def twin_distances(results: Results) -> list[float]:
    """Of each pair of twins: the share of the pairs they are steered on where their effects differ."""
    tested = results.headline.twins
    steered = {run.name: run.steered_pairs for run in results.headline.runs}
    distances = []
    for pair in tested.comparisons if tested else ():
        region = steered[pair.runs[0]]
        if region is not None and region.pairs:
            distances.append(pair.steered.pairs / region.pairs)
    return distances


def tells_of_new_behavior(found: Found) -> bool | None:
    """More than half of the explanations about the new word true, in both runs, where the word is obeyed."""
    results = found.arms["jabberwocky"]
    runs = [run.steered_pairs for run in results.headline.runs if run.name.startswith("follow-")]
    obeyed = [subset is not None and _above(subset.followed, 0.5) for subset in runs]
    if not all(obeyed) or not has_shifted(results) or results.headline.verdict.verdict == INVALID:
        return None
    return _every(_above(taught(number)(found), 0.5) for number in range(len(runs)))


def rank_matters(found: Found) -> bool | None:
    if _side(found, "lora-32"):
        return False
    is_less = _ahead(gap("lora-96")(found), gap("lora-32")(found))
    return True if _side(found, "lora-96") and is_less else None


def rate_matters(found: Found) -> bool | None:
    return _ahead(gap("fast")(found), gap("slow")(found))


def shares_circuits(found: Found) -> bool | None:
    agreement = _agreement_of_heads(found, "unsteered")
    return True if agreement is not None and agreement.p is not None and agreement.p < 0.05 else None


def shares_more_circuits(found: Found) -> bool | None:
    return _ahead(heads_in_common("unsteered")(found), heads_in_common("third-person")(found))


def collapses(found: Found) -> bool | None:
    """No better than a claimant that reads no model: within 5 points of its best baseline, or below."""
    if found.arms["constant"].headline.verdict.verdict == COLLAPSED:
        return True
    advantage = advantage_over_baselines("constant")(found)
    is_above = _above(advantage, 0)
    if is_above:
        return False
    return True if advantage and advantage.high is not None and advantage.high < 0.05 else None


def is_ahead_in_twins(first: str, second: str) -> Rule:
    return lambda found: _ahead(twins(first)(found), twins(second)(found))


def is_slower(explained: str, alone: str) -> Rule:
    """Twins nearer to each other by 5 points at the early step; farther apart by as much says no."""

    def rule(found: Found) -> bool | None:
        with_, without = apart(explained, EARLY)(found), apart(alone, EARLY)(found)
        if with_ is None or without is None or with_.value is None or without.value is None:
            return None
        slower = without.value - with_.value
        return None if abs(slower) < 0.05 else slower > 0

    return rule


def goes_stale(found: Found) -> bool | None:
    return _ahead(self_share("explained-before", 80)(found), self_share("explained-before", 160)(found))


def teaches_nothing(found: Found) -> bool | None:
    results = found.arms["shuffled"]
    if results.headline.verdict.verdict == COUPLED:
        return False
    t = twin_estimate(results.headline)
    is_at_chance = t.high is not None and t.high < FROZEN.twin_margin
    return True if results.headline.verdict.reason == "no_skill" or is_at_chance else None


_NOTHING = Estimate(None, None, None, 0, 0)


def _agreement_of_heads(found: Found, arm: str) -> Agreement | None:
    """Of behaviour and the claim without the cue, after training."""
    overlaps = found.circuits[arm].models[-1].overlaps
    return next((each.cosine for each in overlaps if (each.claim, each.kind) == (WITHOUT_CUE, HEAD)), None)


def _is_measured(results: Results) -> bool:
    verdict = results.headline.verdict
    return verdict.verdict not in (INVALID, COLLAPSED) and verdict.reason not in UNMEASURED


def _side(found: Found, arm: str) -> bool | None:
    """On which side of 0 the interval of Δ lies; None where it holds 0 or Δ is not measured."""
    results = found.arms[arm]
    return _above(results.headline.pooled.delta, 0) if _is_measured(results) else None


def _every(answers: Iterable[bool | None]) -> bool | None:
    given = list(answers)
    if False in given:
        return False
    return None if None in given or not given else True


def _above(estimate: Estimate | None, bound: float) -> bool | None:
    """Whether the interval lies above the bound, or below it; None where it holds it or there is none."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return None
    if estimate.low > bound:
        return True
    return False if estimate.high < bound else None


def _ahead(first: Estimate | None, second: Estimate | None) -> bool | None:
    """Whether the first interval lies above the second, or below it; None where they overlap."""
    if first is None or second is None or first.low is None or second.low is None:
        return None
    assert first.high is not None and second.high is not None
    if first.low > second.high:
        return True
    return False if first.high < second.low else None
