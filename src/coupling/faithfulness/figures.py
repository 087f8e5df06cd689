"""The figures of one run, and of all runs pooled: Self, Orig, Δ and what must be read beside them.

Δ is the mean of s (+1 own effect, -1 the target's) over discordant pairs. Self - Orig over all N pairs is Δ
· |D| / N, the same test diluted by the pairs that cannot tell the two apart. Pooled, every (run, pair) is
one observation and clusters are resampled jointly across runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.panel import Baseline, Claims, Faithfulness, Parts, Sides, Skill
from coupling.faithfulness.scores import (
    Table,
    discordant,
    equal,
    equal_changed,
    equal_with_cue,
    equal_without_cue,
    known,
    parsed,
    side,
)
from coupling.faithfulness.statistics import NO_DATA, BoolArray, ClusterBootstrap, IntArray, Samples, divide
from coupling.records import Effect, Estimate


@dataclass(frozen=True, slots=True)
class Discordance:
    """The figures that tell model from target, and nothing else: cheap enough for every checkpoint."""

    self_share: Estimate
    orig_share: Estimate
    gap: Estimate
    self_discordant: Estimate
    orig_discordant: Estimate
    delta: Estimate
    win_rate: Estimate
    similarity: Estimate
    parse_rate: Estimate
    discordant_pairs: int | None
    discordant_clusters: int | None


def discordance(
    table: Table, runs: Sequence[int], bootstrap: ClusterBootstrap, within: BoolArray | None = None
) -> Discordance:
    """The figures of the runs with these numbers, pooled where they are several.

    ``within`` keeps to some of each run's pairs, shape (len(runs), pairs); None takes all.
    """
    claims, behaviors = table.claims[list(runs)], table.behaviors[list(runs)]
    own, orig = equal(claims, behaviors), equal(claims, table.target)
    tells = discordant(behaviors, table.target)
    everything = np.ones_like(own) if within is None else within
    told = everything & known(table.target)
    told_pairs = (tells & everything).any(axis=0)
    is_told = bool(known(table.target).all())
    own_told, orig_told = own & tells, orig & tells
    s = side(claims, behaviors, table.target)

    def share(numerator: npt.NDArray[np.generic], denominator: BoolArray) -> Estimate:
        return bootstrap.share(over_runs(numerator * everything), over_runs(denominator * everything))

    return Discordance(
        self_share=share(own, everything),
        orig_share=share(orig, told),
        gap=share(s, told),
        self_discordant=share(own_told, tells),
        orig_discordant=share(orig_told, tells),
        delta=share(s, tells),
        win_rate=share(own_told, own_told | orig_told),
        similarity=share(told & ~tells, told),
        parse_rate=share(parsed(claims), everything),
        discordant_pairs=int(told_pairs.sum()) if is_told else None,
        discordant_clusters=len(np.unique(table.clusters[told_pairs])) if is_told else None,
    )


def faithfulness(
    table: Table, baselines: Mapping[str, IntArray], runs: Sequence[int], bootstrap: ClusterBootstrap
) -> Faithfulness:
    """All figures of the runs with these numbers, pooled where they are several.

    Args:
        table: the join.
        baselines: baseline → its claims, shape (pairs, 2).
        runs: numbers of the runs, at least one.
        bootstrap: weights over the table's clusters.
    """
    assert runs
    claims, behaviors = table.claims[list(runs)], table.behaviors[list(runs)]
    short = discordance(table, runs, bootstrap)
    scored = [
        Baseline(
            name,
            against_own=_accuracy(equal(said, behaviors), behaviors, bootstrap),
            against_target=_accuracy(equal(said, table.target), table.target, bootstrap),
        )
        for name, said in baselines.items()
    ]
    remeasured, floor, flips = _measurement(table, runs)
    return Faithfulness(
        self_parts=_parts(claims, behaviors, bootstrap),
        orig_parts=_parts(claims, table.target, bootstrap),
        gap=short.gap,
        delta=short.delta,
        self_discordant=short.self_discordant,
        orig_discordant=short.orig_discordant,
        win_rate=short.win_rate,
        sides=_sides(claims, behaviors, table.target) if short.discordant_pairs is not None else None,
        discordant_pairs=short.discordant_pairs,
        discordant_clusters=short.discordant_clusters,
        similarity=short.similarity,
        similarity_to_base=NO_DATA
        if table.base is None
        else _accuracy(equal(behaviors, table.base), behaviors, bootstrap),
        parse_rate=short.parse_rate,
        claims=_claims(table, claims, behaviors),
        baselines=tuple(scored),
        self_skill=_skill(claims, behaviors, baselines, bootstrap),
        orig_skill=_skill(claims, np.broadcast_to(table.target, behaviors.shape), baselines, bootstrap),
        delta_remeasured=remeasured,
        measurement_floor=floor,
        flip_share=flips,
    )


def over_runs(values: npt.NDArray[np.generic]) -> IntArray:
    """Observations of each pair summed over runs: (runs, pairs) → (pairs,)."""
    return np.asarray(values.astype(np.int64).sum(axis=0))


def _accuracy(hits: BoolArray, effects: IntArray, bootstrap: ClusterBootstrap) -> Estimate:
    """The share of hits among the observations for which there is an effect to hit."""
    shape = np.broadcast_shapes(hits.shape, effects.shape[:-1])
    rows = [np.broadcast_to(each, shape).reshape(-1, shape[-1]) for each in (hits, known(effects))]
    return bootstrap.share(over_runs(rows[0]), over_runs(rows[1]))


def _parts(claims: IntArray, effects: IntArray, bootstrap: ClusterBootstrap) -> Parts:
    def accuracy(score: Callable[[IntArray, IntArray], BoolArray]) -> Estimate:
        return _accuracy(score(claims, effects), effects, bootstrap)

    return Parts(
        exact=accuracy(equal),
        with_cue=accuracy(equal_with_cue),
        without_cue=accuracy(equal_without_cue),
        changed=accuracy(equal_changed),
    )


def _sides(claims: IntArray, behaviors: IntArray, target: IntArray) -> Sides:
    tells = discordant(behaviors, target)
    own = int((equal(claims, behaviors) & tells).sum())
    orig = int((equal(claims, target) & tells).sum())
    unparseable = int((~parsed(claims) & tells).sum())
    return Sides(own, orig, int(tells.sum()) - own - orig - unparseable, unparseable)


def _skill(
    claims: IntArray, effects: IntArray, baselines: Mapping[str, IntArray], bootstrap: ClusterBootstrap
) -> Skill:
    """Accuracy against the best baseline of each resample: (accuracy - best) / (1 - best)."""
    everything = over_runs(known(effects))

    def samples(said: IntArray) -> Samples:
        hits = equal(np.broadcast_to(said, effects.shape), effects)
        return bootstrap.ratio(over_runs(hits), everything)

    names = list(baselines)
    of_baselines = np.stack([samples(baselines[name]) for name in names])
    best = of_baselines.max(axis=0)
    advantage = samples(claims) - best
    return Skill(
        best_baseline=names[int(of_baselines[:, 0].argmax())] if everything.any() else None,
        advantage=bootstrap.estimate(advantage, everything),
        skill=bootstrap.estimate(divide(advantage, 1 - best), everything),
    )


def _claims(table: Table, claims: IntArray, behaviors: IntArray) -> Claims:
    stated = claims[parsed(claims)]
    top_claim, top_claim_share, entropy = _spread(table, stated) if len(stated) else (None, None, None)
    top_effect, top_effect_share, effect_entropy = _spread(table, behaviors.reshape(-1, 2))
    return Claims(entropy, top_claim, top_claim_share, effect_entropy, top_effect, top_effect_share)


def _spread(table: Table, effects: IntArray) -> tuple[Effect, float, float]:
    """The most frequent effect, its share, and the entropy of all, in nats; ties go to the alphabet."""
    distinct, counts = np.unique(effects, axis=0, return_counts=True)
    shares = counts / counts.sum()
    top = int(counts.argmax())
    entropy = float(-(shares * np.log(shares)).sum())
    return table.decode(distinct[top]), float(shares[top]), max(entropy, 0.0)


def _measurement(table: Table, runs: Sequence[int]) -> tuple[float | None, float | None, float | None]:
    """Δ remeasured, |Δ - Δ remeasured| and the share of effects that flip, over the runs measured twice."""
    twice = [(run, again) for run in runs if (again := table.remeasured[run]) is not None]
    if not twice:
        return None, None, None
    numbers = [run for run, _ in twice]
    claims, behaviors = table.claims[numbers], table.behaviors[numbers]
    again = np.stack([effects for _, effects in twice])
    flips = float(discordant(again, behaviors).mean())
    first, second = _delta(claims, behaviors, table.target), _delta(claims, again, table.target)
    floor = None if first is None or second is None else abs(first - second)
    return second, floor, flips


def _delta(claims: IntArray, behaviors: IntArray, target: IntArray) -> float | None:
    tells = int(discordant(behaviors, target).sum())
    return int(side(claims, behaviors, target).sum()) / tells if tells else None
