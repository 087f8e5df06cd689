"""Between twins: do the answer with the cue and the claim about it turn at the same point, pair by pair?

The weights θ(a) = (1 - a) θ_first + a θ_second lead from one twin to the other. On a pair on which the two
answer differently with the cue, the answer turns somewhere on the way: at the first point from which on it is
the second twin's. A claim *turns* where it names the first twin's answer at a = 0 and the second's at a = 1;
its turn is likewise the first point from which on it names the second's. Answers always turn, for pairs are
chosen by that. A claim that is read from what the model does turns where the answer does.

Chance is what comes of dealing claims to other pairs of the same twins with the same choices, each to
another pair than its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coupling import lots, store
from coupling.faithfulness.overlap import spearman
from coupling.faithfulness.rows import ALL, ALL_RUNS, OWN, Figures, Row, twins_name
from coupling.faithfulness.statistics import (
    NO_DATA,
    BoolArray,
    ClusterBootstrap,
    IntArray,
    Samples,
    divide,
)
from coupling.records import CounterfactualPair, Estimate

INTERPOLATION_SCHEMA = 1
NULL_DEALS = 500
"""How often claims are dealt to other pairs."""

NEVER = -1
"""The turn of a claim that does not turn."""
_UNSTATED = -1
_FEWEST = 3
"""Pairs; over fewer a correlation says nothing."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What was answered and claimed on the way from one twin to the other."""

    first: str
    second: str
    points: tuple[float, ...]
    """Of the way, from 0 to 1, evenly spaced."""
    pairs: tuple[CounterfactualPair, ...]
    """On which the twins' answers with the cue differ."""
    answers: tuple[tuple[str, ...], ...]
    """The answer with the cue at each point, on each pair."""
    claims: tuple[tuple[str | None, ...], ...]
    """The answer with the cue that the explanation names there; None where it states no effect."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Where one pair turns."""

    pair_id: str
    cluster: str
    answer: float
    claim: float | None
    """None where the claim does not name the first twin's answer at 0 and the second's at 1."""


@dataclass(frozen=True, slots=True)
class TwinTurns:
    first: str
    second: str
    differing: int
    """Held-out pairs on which their answers with the cue differ."""
    turns: tuple[Turn, ...]
    """Of those that were asked about along the way."""


@dataclass(frozen=True, slots=True)
class Interpolation:
    """The content of ``interpolation.json``."""

    schema: int
    experiment: str
    explanation_format: str
    split: str
    step: int
    """The checkpoint that both twins are taken from."""
    points: tuple[float, ...]
    twins: tuple[TwinTurns, ...]
    rows: tuple[Row, ...]
    """Of each twin pair (`twins_name`) and of all pooled; along the way with the subset `point_name`."""
    resamples: int
    deals: int
    seed: int
    artifacts: Mapping[str, str]
    """Name of an artifact the figures were made from → its SHA-256."""

    @property
    def figures(self) -> Figures:
        return Figures(self.rows, self.step)

    def to_json(self) -> dict[str, store.Json]:
        return store.to_json(self)


def read_interpolation(file: Path) -> Interpolation:
    """What `coupling interpolate` left.

    Raises:
        ValueError: no such file, or of another version.
    """
    remedy = "interpolate again with this version (`coupling interpolate`)"
    return store.read_versioned(Interpolation, file, INTERPOLATION_SCHEMA, remedy)


def point_name(point: float) -> str:
    """What rows call a point of the way."""
    return f"a={point:.4g}"


def turns_of(passage: Passage) -> tuple[Turn, ...]:
    """Where each pair of a passage turns."""
    way = _way([passage])
    last = len(passage.points) - 1
    return tuple(
        Turn(
            pair.id,
            pair.cluster,
            passage.points[answer],
            None if claim == NEVER else passage.points[claim],
        )
        for pair, answer, claim in zip(
            passage.pairs, _turns(way.answers, way, last), _turns(way.claims, way, last), strict=True
        )
    )


def interpolation_rows(passages: Sequence[Passage], step: int, resamples: int, seed: int) -> list[Row]:
    """All figures of some twin pairs, and of all pooled.

    Args:
        passages: of the same points; some with pairs.
        step: the checkpoint that the twins are taken from.
        resamples: of clusters.
        seed: of resamples and of deals.
    """
    way = _way(passages)
    bootstrap = ClusterBootstrap(way.clusters, resamples, seed)
    steps = len(passages[0].points) - 1
    answer_turns, claim_turns = _turns(way.answers, way, steps), _turns(way.claims, way, steps)
    dealt = _Dealt.draw(way, claim_turns != NEVER, seed)
    among: dict[str, BoolArray] = {
        twins_name(passage.first, passage.second): way.passage == place
        for place, passage in enumerate(passages)
    }
    among[ALL_RUNS] = np.ones(len(way.clusters), dtype=np.bool_)
    rows = []
    for run, chosen in among.items():
        found = {
            **_together(bootstrap, answer_turns, claim_turns, chosen, steps),
            **_by_chance(dealt, way, answer_turns, claim_turns, chosen, steps),
        }
        rows += _rows(found, run, step, ALL)
        for place, point in enumerate(passages[0].points):
            rows += _rows(_along(bootstrap, way, place, chosen), run, step, point_name(point))
    return rows


@dataclass(frozen=True, slots=True)
class _Way:
    """Several passages as arrays over observations: the pairs of each, one passage after another."""

    passage: IntArray
    """Number of the passage, (observations,)."""
    clusters: IntArray
    groups: IntArray
    """Number of those of one passage that have the same choices, (observations,)."""
    answers: IntArray
    """(points, observations)."""
    claims: IntArray
    """The same of the answer that is claimed; `_UNSTATED` where none is."""

    @property
    def first(self) -> IntArray:
        """The first twin's answer, (observations,)."""
        return np.asarray(self.answers[0])

    @property
    def second(self) -> IntArray:
        return np.asarray(self.answers[-1])


def _way(passages: Sequence[Passage]) -> _Way:
    pairs = [(place, pair) for place, passage in enumerate(passages) for pair in passage.pairs]
    numbers: dict[str, int] = {}
    groups: dict[tuple[int, tuple[str, ...]], int] = {}

    def numbered(said: Sequence[Sequence[str | None]]) -> IntArray:
        rows = [
            [_UNSTATED if one is None else numbers.setdefault(one, len(numbers)) for one in row]
            for row in said
        ]
        return np.array(rows, dtype=np.int64)

    return _Way(
        passage=np.array([place for place, _ in pairs], dtype=np.int64),
        clusters=np.unique([pair.cluster for _, pair in pairs], return_inverse=True)[1].astype(np.int64),
        groups=np.array(
            [groups.setdefault((place, pair.choices), len(groups)) for place, pair in pairs], dtype=np.int64
        ),
        answers=np.concatenate([numbered(passage.answers) for passage in passages], axis=1),
        claims=np.concatenate([numbered(passage.claims) for passage in passages], axis=1),
    )


def _turns(said: IntArray, way: _Way, last: int) -> IntArray:
    """The first point from which on the second twin's answer is said, `NEVER` where the first's is not said
    at 0 or the second's at 1; (observations,)."""
    is_second = said == way.second
    # From the end: how many points in a row say it.
    kept = np.logical_and.accumulate(is_second[::-1], axis=0).sum(axis=0)
    turns = (said[0] == way.first) & is_second[-1]
    return np.where(turns, last + 1 - kept, NEVER)


def _together(
    bootstrap: ClusterBootstrap, answers: IntArray, claims: IntArray, chosen: BoolArray, steps: int
) -> dict[str, Estimate]:
    both = chosen & (claims != NEVER)
    behind = np.where(both, claims - answers, 0)
    order = NO_DATA
    if both.sum() >= _FEWEST:
        order = bootstrap.estimate(rank_correlations(bootstrap, answers, claims, both), both)
    return {
        "both_turn": bootstrap.share(both, chosen),
        "turn_distance": bootstrap.estimate(bootstrap.ratio(np.abs(behind), both) / steps, both),
        "turn_lag": bootstrap.estimate(bootstrap.ratio(behind, both) / steps, both),
        "turn_order": order,
    }


def _along(bootstrap: ClusterBootstrap, way: _Way, place: int, chosen: BoolArray) -> dict[str, Estimate]:
    """What is answered and claimed at one point."""
    answers, claims = way.answers[place], way.claims[place]
    is_second = answers == way.second
    is_a_twins = chosen & (is_second | (answers == way.first))
    own = is_a_twins & (claims == answers)
    others = is_a_twins & (claims == np.where(is_second, way.first, way.second))
    return {
        "answers_second": bootstrap.share(chosen & is_second, chosen),
        "claims_second": bootstrap.share(chosen & (claims == way.second), chosen),
        "t_along": bootstrap.share(own, own | others),
    }


def rank_correlations(
    bootstrap: ClusterBootstrap, one: IntArray, other: IntArray, among: BoolArray
) -> Samples:
    """Spearman's correlation with mid-ranks for ties, in the data and in every resample; NaN where one of
    the two is constant.

    Values are few, so resamples are totals of the cells of their cross table.

    Args:
        one: whole numbers, shape (observations,); so ``other``.
        among: the observations that count.
    """
    cells, cell_of = np.unique(np.stack([one, other])[:, among], axis=1, return_inverse=True)
    held = np.zeros((len(one), cells.shape[1]), dtype=np.int64)
    held[np.flatnonzero(among), cell_of.reshape(-1)] = 1
    counts = bootstrap.totals(held)
    away = [_from_mean_rank(counts, values) for values in cells]
    across, within, beside = (
        (counts * left * right).sum(axis=1)
        for left, right in ((away[0], away[1]), (away[0], away[0]), (away[1], away[1]))
    )
    return divide(across, np.sqrt(within * beside))


def _from_mean_rank(counts: npt.NDArray[np.float64], values: IntArray) -> npt.NDArray[np.float64]:
    """How far the mid-rank of each cell's value lies from the mean rank, shape (1 + resamples, cells)."""
    distinct, value_of = np.unique(values, return_inverse=True)
    of_value = np.stack([counts[:, value_of == place].sum(axis=1) for place in range(len(distinct))], axis=1)
    middle = of_value.cumsum(axis=1) - of_value / 2
    return np.asarray(middle[:, value_of] - counts.sum(axis=1, keepdims=True) / 2)


@dataclass(frozen=True, slots=True)
class _Dealt:
    """Whose claims each observation gets in each deal, shape (deals, observations); its own where there is no
    other to get."""

    all: IntArray
    """Dealt among all observations."""
    turning: IntArray
    """Dealt among those whose claims turn."""

    @classmethod
    def draw(cls, way: _Way, turning: BoolArray, seed: int) -> _Dealt:
        every = np.ones_like(turning)
        return cls(*(_deals(way.groups, among, seed) for among in (every, turning)))


def _deals(groups: IntArray, among: BoolArray, seed: int) -> IntArray:
    random = lots.stream(seed, lots.TURNS)
    members: dict[int, list[int]] = defaultdict(list)
    for place in np.flatnonzero(among):
        members[int(groups[place])].append(int(place))
    dealt = np.tile(np.arange(len(groups)), (NULL_DEALS, 1))
    for group in members.values():
        # Around a circle in an order drawn by lot, so that nobody gets their own.
        circle = random.permuted(np.tile(group, (NULL_DEALS, 1)), axis=1)
        np.put_along_axis(dealt, circle, np.roll(circle, 1, axis=1), axis=1)
    return dealt


def _by_chance(
    dealt: _Dealt, way: _Way, answers: IntArray, claims: IntArray, chosen: BoolArray, steps: int
) -> dict[str, Estimate]:
    """The figures of claims that were dealt to other pairs: mean over deals, and 95 % of them."""
    own = np.arange(len(answers))
    any_other, turning = (chosen & (deals[0] != own) for deals in (dealt.all, dealt.turning))
    first, last = (way.claims[place][dealt.all] for place in (0, -1))
    turn = ((first == way.first) & (last == way.second))[:, any_other]
    got = claims[dealt.turning][:, turning].astype(np.float64)
    met = answers[turning].astype(np.float64)
    found = {}
    if any_other.any():
        found["both_turn_null"] = _range(turn.mean(axis=1), way, any_other)
    if turning.any():
        found["turn_distance_null"] = _range(np.abs(got - met).mean(axis=1) / steps, way, turning)
    if turning.sum() >= _FEWEST:
        orders = spearman(np.broadcast_to(met, got.shape), got)
        found["turn_order_null"] = _range(orders, way, turning)
    return found


def _range(by_deal: Samples, way: _Way, among: BoolArray) -> Estimate:
    if np.isnan(by_deal).any():
        return NO_DATA
    low, high = np.quantile(by_deal, (0.025, 0.975))
    clusters = len(np.unique(way.clusters[among]))
    return Estimate(float(by_deal.mean()), float(low), float(high), int(among.sum()), clusters)


def _rows(estimates: Mapping[str, Estimate], run: str, step: int, subset: str) -> list[Row]:
    return [
        Row(figure, run, step, subset, OWN, estimate)
        for figure, estimate in estimates.items()
        if estimate.value is not None
    ]
