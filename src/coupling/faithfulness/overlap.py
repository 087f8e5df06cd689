"""Do two read-outs see the cue through the same components? Shares, their agreement, and its null.

A share is a ratio of sums over pairs, not a mean of ratios: a pair on which the cue hardly moves anything
would otherwise count most. Where the interval of the cue's influence holds 0 there is nothing to divide by,
and shares and agreements are n/a.

Agreement is taken over components. Some of it says nothing of circuits: in any decoder the answering position
matters more than others, and the residual stream more than one head. So the null shuffles components within
their kind and position only. The intervals resample clusters of pairs; noise makes rank correlations smaller,
so they tend to lie low.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata  # type: ignore[import-untyped]

from coupling.faithfulness.circuits import (
    CLAIMS,
    EVERY,
    KINDS,
    Agreement,
    ByReadOut,
    Carried,
    Circuits,
    Component,
    Overlap,
)
from coupling.faithfulness.statistics import NO_DATA, ClusterBootstrap, divide
from coupling.records import Estimate

Floats = npt.NDArray[np.float64]

TOP = 3
SHUFFLINGS = 5000
_FEWEST = 3
"""Components; over fewer a correlation says nothing. Of the largest three, at least twice as many."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What patching did to one read-out, in logits."""

    influence: Floats
    """m(x) - m(x\\C) of each pair, (pairs,)."""
    by_component: Floats
    """m(x) - m(x, component from x\\C), (pairs, components)."""


def compare(
    name: str,
    components: Sequence[Component],
    clusters: Sequence[str],
    behavior: Moved,
    with_cue: Moved,
    without_cue: Moved,
    resamples: int = 2000,
    seed: int = 0,
) -> Circuits:
    """The figures of one model; equal arguments give equal figures.

    Args:
        components: what was patched, aligned with the columns of ``by_component``.
        clusters: of each pair.
        behavior: what patching did to the model's answer; the others, to the two that an explanation names.
    """
    numbers = np.unique(clusters, return_inverse=True)[1].astype(np.int64)
    bootstrap = ClusterBootstrap(numbers, resamples, seed)
    every_pair = np.ones(len(clusters), dtype=np.int64)
    readouts = (behavior, with_cue, without_cue)
    influences = [bootstrap.share(moved.influence, every_pair) for moved in readouts]
    shares = [_shares(bootstrap, *each) for each in zip(readouts, influences, strict=True)]
    carried = [
        Carried(component, ByReadOut(*(bootstrap.estimate(each[:, column], every_pair) for each in shares)))
        for column, component in enumerate(components)
    ]
    overlaps = []
    for claim, said in zip(CLAIMS, shares[1:], strict=True):
        for kind in (EVERY, *KINDS):
            columns = [at for at, component in enumerate(components) if kind in (EVERY, component.kind)]
            orders = _shuffled([components[at] for at in columns], np.random.default_rng([seed, 1]))
            agreements = []
            for measure, fewest in ((spearman, _FEWEST), (cosine, _FEWEST), (top_in_common, 2 * TOP)):
                if len(columns) < fewest:
                    agreements.append(Agreement(NO_DATA, None, None, None))
                    continue
                estimate = bootstrap.estimate(measure(shares[0][:, columns], said[:, columns]), every_pair)
                by_chance = measure(shares[0][0, columns], said[0, columns][orders])
                agreements.append(_against_chance(estimate, by_chance))
            overlaps.append(Overlap(claim, kind, len(columns), *agreements))
    return Circuits(name, ByReadOut(*influences), tuple(carried), tuple(overlaps))


def spearman(one: Floats, other: Floats) -> Floats:
    """Rank correlation over the last axis; NaN where a row is constant or has NaN in it."""
    ranks = [rankdata(each, axis=-1, nan_policy="propagate") for each in (one, other)]
    return cosine(*(each - each.mean(-1, keepdims=True) for each in ranks))


def cosine(one: Floats, other: Floats) -> Floats:
    """Cosine of the angle between rows, over the last axis; NaN where a row is 0 or has NaN in it."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return divide(np.asarray((one * other).sum(-1)), np.asarray(lengths))


def top_in_common(one: Floats, other: Floats) -> Floats:
    """Share of the ``TOP`` entries of largest absolute value, over the last axis, that both rows have."""
    tops = []
    for each in (one, other):
        of_size = np.argsort(-np.abs(each), axis=-1, kind="stable")
        # Twice sorted: the place of each entry in that order.
        tops.append(np.argsort(of_size, axis=-1, kind="stable") < TOP)
    share = (tops[0] & tops[1]).sum(-1) / TOP
    return np.where(np.isnan(one).any(-1) | np.isnan(other).any(-1), np.nan, share)


def _shares(bootstrap: ClusterBootstrap, moved: Moved, influence: Estimate) -> Floats:
    """Share of each component in the data and in every resample, (1 + resamples, components)."""
    totals = bootstrap.totals(moved.by_component)
    if influence.low is not None and influence.high is not None and influence.low <= 0 <= influence.high:
        return np.full_like(totals, np.nan)
    return divide(totals, bootstrap.totals(moved.influence)[:, None])


def _shuffled(components: Sequence[Component], random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Orders in which each component stays within its kind and position, (``SHUFFLINGS``, components)."""
    strata = [(component.kind, component.position) for component in components]
    orders = np.tile(np.arange(len(strata)), (SHUFFLINGS, 1))
    for stratum in dict.fromkeys(strata):
        places = [at for at, each in enumerate(strata) if each == stratum]
        orders[:, places] = random.permuted(orders[:, places], axis=1)
    return orders


def _against_chance(estimate: Estimate, by_chance: Floats) -> Agreement:
    """The order as it is counts as one of the shufflings, so that p is never 0 (Phipson & Smyth 2010)."""
    if estimate.value is None or np.isnan(by_chance).any():
        return Agreement(estimate, None, None, None)
    low, high = np.quantile(by_chance, (0.025, 0.975))
    # Sums in another order may differ in the last bit.
    as_good = int((by_chance >= estimate.value - 1e-12).sum())
    return Agreement(estimate, float(low), float(high), (1 + as_good) / (1 + len(by_chance)))
