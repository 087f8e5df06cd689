"""How a claim stands: what is asked of pooled figures, and what their intervals answer.

A claim is one question or several, each about one figure. Its interval agrees when it leaves "no effect" out
in the claimed direction. It contradicts when it lies on the other side, or when it leaves the paper's figure
out and shows no effect either. A claim agrees when all its questions do, and is contradicted when any is;
else it is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coupling.records import Estimate
from coupling.studies.claims.cases import Case
from coupling.studies.claims.pooling import Pooled, pool, pool_seeds
from coupling.studies.claims.reads import Read

AGREES, CONTRADICTS, OPEN, NOT_RUN = "agrees", "contradicts", "open", "not run"
ABOVE, BELOW = "above", "below"
WORLDS, SEEDS, CLUSTERS = "worlds", "training seeds", "held-out clusters"
"""What can be counted of what would decide a claim."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one figure."""

    words: str
    read: Read
    wanted: str = ABOVE
    """On which side of ``bound`` the whole interval is to lie: `ABOVE` or `BELOW`."""
    bound: float = 0.0
    refuted_at: float | None = None
    """Bound beyond which, on the other side, it is contradicted; None where that is ``bound`` itself."""
    paper: tuple[float, float] | None = None
    """The paper's figure, or the range of its figures."""
    is_veto: bool = False
    """Whether it can contradict and no more: that an effect is gone cannot be shown, that it is there can."""

    @property
    def refuted(self) -> float:
        return self.bound if self.refuted_at is None else self.refuted_at

    def standing(self, pooled: Pooled) -> str:
        if pooled.low is None or pooled.high is None:
            return OPEN
        if self._beyond(pooled, self.refuted, not self._is_above):
            return CONTRADICTS
        if self._beyond(pooled, self.bound, self._is_above) and not self.is_veto:
            return AGREES
        return CONTRADICTS if self.excludes_paper(pooled) else OPEN

    def excludes_paper(self, pooled: Pooled) -> bool:
        if self.paper is None or pooled.low is None or pooled.high is None:
            return False
        return pooled.high < self.paper[0] or pooled.low > self.paper[1]

    def p_value(self, pooled: Pooled) -> float | None:
        """Of what its standing rests on; None where it is open."""
        standing = self.standing(pooled)
        if standing == AGREES:
            return pooled.p_value(self.bound)
        if standing == OPEN:
            return None
        if self._beyond(pooled, self.refuted, not self._is_above):
            return pooled.p_value(self.refuted)
        return pooled.p_value(self._edge(pooled))

    def needed(self, pooled: Pooled, standing: str) -> dict[str, int]:
        """How many of each unit would bring it to a standing, were the figure what it is now; units of which
        no number would are left out.

        Over several worlds these are counted; of a subject without worlds, seeds and held-out clusters; of a
        single world or seed, held-out clusters.
        """
        if pooled.value is None:
            return {}
        is_above = pooled.value > (self.bound if standing == AGREES else self.refuted)
        bounds = []
        if standing == AGREES and is_above == self._is_above and not self.is_veto:
            bounds.append(self.bound)
        if standing == CONTRADICTS and is_above != self._is_above:
            bounds.append(self.refuted)
        if standing == CONTRADICTS and self.paper and not self.paper[0] <= pooled.value <= self.paper[1]:
            bounds.append(self._edge(pooled))
        ways = {WORLDS: pooled.worlds_needed, SEEDS: pooled.seeds_needed, CLUSTERS: pooled.clusters_needed}
        found = {
            unit: [count for count in map(ask, bounds) if count is not None] for unit, ask in ways.items()
        }
        return {unit: min(counts) for unit, counts in found.items() if counts}

    @property
    def _is_above(self) -> bool:
        return self.wanted == ABOVE

    def _beyond(self, pooled: Pooled, bound: float, is_above: bool) -> bool:
        assert pooled.low is not None and pooled.high is not None
        return pooled.low > bound if is_above else pooled.high < bound

    def _edge(self, pooled: Pooled) -> float:
        """The paper's figure that lies nearest."""
        assert self.paper is not None and pooled.value is not None
        low, high = self.paper
        return low if pooled.value < low else high


@dataclass(frozen=True, slots=True)
class InCase:
    """A question in one case."""

    case: Case
    estimate: Estimate
    standing: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What pooled figures answer to one question."""

    question: str
    pooled: Pooled
    standing: str
    is_veto: bool
    paper: tuple[float, float] | None
    excludes_paper: bool
    """An interval may agree in direction and leave out the paper's figure."""
    p: float | None
    """Of its standing; None where it is open."""
    p_holm: float | None
    """Corrected for all intervals of all claims."""
    to_agree: Mapping[str, int]
    """Unit → how many of it would, were the figure what it is now; empty where none would, or it is not
    open."""
    to_contradict: Mapping[str, int]
    cases: tuple[InCase, ...]


def answer(question: Question, read: Mapping[Case, Estimate]) -> Answer:
    pooled = pool_cases(read)
    is_open = question.standing(pooled) == OPEN
    return Answer(
        question=question.words,
        pooled=pooled,
        standing=question.standing(pooled),
        is_veto=question.is_veto,
        paper=question.paper,
        excludes_paper=question.excludes_paper(pooled),
        p=question.p_value(pooled),
        p_holm=None,
        to_agree=question.needed(pooled, AGREES) if is_open else {},
        to_contradict=question.needed(pooled, CONTRADICTS) if is_open else {},
        cases=tuple(
            InCase(case, estimate, question.standing(pool_cases({case: estimate})))
            for case, estimate in read.items()
        ),
    )


def pool_cases(read: Mapping[Case, Estimate]) -> Pooled:
    by_world: dict[int, list[Estimate]] = {}
    for case, estimate in read.items():
        if case.world is None:
            return pool_seeds(list(read.values()))
        by_world.setdefault(case.world, []).append(estimate)
    return pool(by_world)


def together(standings: Sequence[tuple[str, bool]]) -> str:
    """How a claim stands by its questions: a standing each, and whether it can contradict and no more."""
    if any(standing == CONTRADICTS for standing, _ in standings):
        return CONTRADICTS
    return AGREES if all(standing == AGREES or is_veto for standing, is_veto in standings) else OPEN


def rests_on(answers: Sequence[Answer]) -> Answer | None:
    """The answer that a standing rests on: of those that contradict the surest, of those that agree the least
    sure; None where the claim is open."""
    standing = together([(each.standing, each.is_veto) for each in answers])
    decided = [each for each in answers if each.standing == standing and each.p is not None]
    if standing == OPEN or not decided:
        return None
    ordered = sorted(decided, key=lambda each: each.p or 0.0)
    return ordered[0] if standing == CONTRADICTS else ordered[-1]


def needed(answers: Sequence[Answer]) -> tuple[int | None, str]:
    """How many worlds would decide an open claim; how many seeds of a subject without worlds, or where none
    would, and of a single world or seed, how many held-out clusters.

    None where no number would, were its figures what they are now.
    """
    if any(each.pooled.worlds > 1 for each in answers):
        units: tuple[str, ...] = (WORLDS,)
    else:
        units = (SEEDS, CLUSTERS) if any(each.pooled.is_over_seeds for each in answers) else (CLUSTERS,)
    for unit in units:
        count = _needed_of(unit, answers)
        if count is not None:
            return count, unit
    return None, units[0]


def _needed_of(unit: str, answers: Sequence[Answer]) -> int | None:
    ways = [each.to_contradict[unit] for each in answers if unit in each.to_contradict]
    lacking = [each for each in answers if each.standing == OPEN and not each.is_veto]
    to_agree = [each.to_agree[unit] for each in lacking if unit in each.to_agree]
    if lacking and len(to_agree) == len(lacking):
        ways.append(max(to_agree))
    return min(ways, default=None)
