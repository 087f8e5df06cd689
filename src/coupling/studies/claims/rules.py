"""When one world and seed bear a claim out: functions of the results of its arms.

Each says yes, no, or (None) that the intervals leave it open. Intervals are those of the results; nothing is
tested here that does not stand on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from coupling.faithfulness import FROZEN, Results
from coupling.faithfulness.circuits import HEAD, WITHOUT_CUE, CircuitResults
from coupling.faithfulness.panel import COUPLED, RunResult
from coupling.records import Estimate
from coupling.report.reading import twin_estimate
from coupling.studies.claims.arms import SIMILARITY_ARMS

SIMILAR, DISSIMILAR = 0.7, 0.6
"""The paper's thresholds: coupling works from the first on, and collapses below the second."""
SHIFT = 0.15
"""How far apart twins must follow the steered cue before a shift counts as one."""
EARLY = 20
"""The step at which the speed of shifts is compared: later they are complete."""


@dataclass(frozen=True, slots=True)
class Found:
    """The results of one world and seed."""

    arms: Mapping[str, Results]
    circuits: CircuitResults | None


Rule = Callable[[Found], bool | None]


def _above(estimate: Estimate, bound: float) -> bool | None:
    """Whether the interval lies above the bound, or below it; None where it holds it or there is none."""
    if estimate.low is None or estimate.high is None:
        return None
    if estimate.low > bound:
        return True
    return False if estimate.high < bound else None


def _delta(found: Found, arm: str) -> Estimate:
    return found.arms[arm].headline.pooled.delta


def gap_is_positive(*arms: str) -> Rule:
    def rule(found: Found) -> bool | None:
        return _every(_above(_delta(found, arm), 0) for arm in arms)

    return rule


def gap_is_not_positive(arm: str) -> Rule:
    def rule(found: Found) -> bool | None:
        return _delta(found, arm).low is not None and not _above(_delta(found, arm), 0)

    return rule


def _every(answers: Iterable[bool | None]) -> bool | None:
    given = list(answers)
    if False in given:
        return False
    return None if None in given else True


def follows(arm: str) -> Rule:
    """Δ and T as the verdict `coupled` wants them, on a shift that is one."""

    def rule(found: Found) -> bool | None:
        panel = found.arms[arm].headline
        if not has_shifted(found.arms[arm]):
            return None
        return _every((_above(panel.pooled.delta, 0), _above(twin_estimate(panel), FROZEN.twin_margin)))

    return rule


def has_shifted(results: Results) -> bool:
    """Whether each pair of twins stands ``SHIFT`` or more apart in how often they follow the cue steered."""
    return all(distance >= SHIFT for distance in twin_distances(results))


def twin_distances(results: Results, step: int | None = None) -> list[float]:
    """Of each pair of twins: how far apart they follow their steered cues; by default at the end."""
    rows = {row.step: row for row in results.trajectory}
    runs = {run.name: run for run in rows[results.step if step is None else step].runs}
    twins = results.headline.twins
    distances = []
    for comparison in twins.comparisons if twins else ():
        first, second = (runs[name].followed_steered.value for name in comparison.runs)
        if first is not None and second is not None:
            distances.append(abs(first - second))
    return distances


def taught(results: Results) -> list[RunResult]:
    """The runs that were steered to follow a cue that no label mentions."""
    return [run for run in results.headline.runs if run.name.startswith("follow-")]


def tells_of_new_behavior(found: Found) -> bool | None:
    runs = taught(found.arms["jabberwocky"])
    selves = [run.steered_pairs.self_share for run in runs if run.steered_pairs]
    return _every(_above(share, 0.5) for share in selves)


def labels_of_others_are_worse(found: Found) -> bool | None:
    own, other = (found.arms[arm].headline.pooled.self_parts.exact for arm in ("main", "other-family"))
    return _ahead(own, other)


def _ahead(first: Estimate, second: Estimate) -> bool | None:
    """Whether the first interval lies above the second, or below it; None where they overlap."""
    if None in (first.low, first.high, second.low, second.high):
        return None
    assert first.low is not None and first.high is not None
    assert second.low is not None and second.high is not None
    if first.low > second.high:
        return True
    return False if first.high < second.low else None


def threshold(found: Found) -> bool | None:
    pooled = [found.arms[arm].headline.pooled for arm in ("main", *SIMILARITY_ARMS.values())]
    similar = [p for p in pooled if (p.similarity.value or 0) >= SIMILAR]
    dissimilar = [p for p in pooled if (p.similarity.value or 0) < DISSIMILAR]
    if not similar or not dissimilar:
        return None
    works = _every(_above(p.delta, 0) for p in similar)
    collapses = all(not _above(p.delta, 0) for p in dissimilar)
    return works if collapses else False


def rank_matters(found: Found) -> bool | None:
    return _every((gap_is_not_positive("lora-32")(found), _above(_delta(found, "lora-96"), 0)))


def rate_matters(found: Found) -> bool | None:
    slow, fast = (found.arms[arm].headline.pooled.gap for arm in ("slow", "fast"))
    return _ahead(fast, slow)


def shares_circuits(found: Found) -> bool | None:
    if found.circuits is None:
        return None
    for overlap in found.circuits.models[-1].overlaps:
        if overlap.claim == WITHOUT_CUE and overlap.kind == HEAD:
            p = overlap.cosine.p
            return None if p is None else p < 0.05
    return None


def collapses(found: Found) -> bool | None:
    pooled = found.arms["constant"].headline.pooled
    skilled = _above(pooled.self_skill.advantage, 0)
    return not skilled


def silence_matters(silent: str, outspoken: str) -> Rule:
    def rule(found: Found) -> bool | None:
        return _ahead(*(twin_estimate(found.arms[arm].headline) for arm in (silent, outspoken)))

    return rule


def slows_the_shift(explained: str, alone: str) -> Rule:
    """By 0.05 or more at the early step; faster by as much says no."""

    def rule(found: Found) -> bool | None:
        with_, without = (twin_distances(found.arms[arm], EARLY) for arm in (explained, alone))
        if not with_ or not without:
            return None
        slower = sum(without) / len(without) - sum(with_) / len(with_)
        if abs(slower) < 0.05:
            return None
        return slower > 0

    return rule


def goes_stale(found: Found) -> bool | None:
    rows = {row.step: row.pooled.self_share for row in found.arms["explained-before"].trajectory}
    return _ahead(rows[80], rows[160])


def is_not_coupled(arm: str) -> Rule:
    def rule(found: Found) -> bool | None:
        return found.arms[arm].headline.verdict.verdict != COUPLED

    return rule
