"""P, privileged information: how many bits about a run do explanations give to somebody who knows all else?

An `observer` gives every choice k of a pair the probability q_k. Told that the explanation claims choice c,
it multiplies the odds of c by e^w:

    log2 P(answer) = log2 q_answer + (w [answer = c] - log(1 + q_c (e^w - 1))) / ln 2

The second term, both sides of the pair added, is what the explanation is worth on this pair: its *gain*, in
bits. P is the mean gain. How far to trust claims, w, is learned on the other folds of clusters, over all
runs: one w for each side, and apart for claims that are the cue's value and claims that are not. A ridge of
`CLAIM_RIDGE` holds it near 0. So whoever says what the observer knew already gains nothing, whatever it was
computed from, and a claim withheld neither gains nor loses. The oracle's P is what there is left to know.

Gains are averaged over `FOLD_SEEDS` ways to deal clusters into folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.controls import dealt_anew
from coupling.faithfulness.missing_claims import worst_case_claims
from coupling.faithfulness.observer import FOLDS, SIDES, FloatArray, chosen, expected, folds_of, observe
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.rows import ALL, OWN, Row, measured
from coupling.faithfulness.scores import Table, discordant, parsed
from coupling.faithfulness.scores import side as sides_with
from coupling.faithfulness.settling import HIGH, Deciding, deciding, settle
from coupling.faithfulness.statistics import IntArray
from coupling.records import Estimate

FOLD_SEEDS = (0, 1)
NULL_DEALS = 20
"""How often claims are dealt to other pairs, to see what P is where they say nothing."""
CLAIM_RIDGE = 1.0
_STEPS = 100


@dataclass(frozen=True, slots=True)
class Observers:
    """One observer for each way to deal clusters into folds."""

    table: Table
    """Whose behaviours they predict; claims are no part of it."""
    folds: tuple[IntArray, ...]
    """The fold of each pair, shape (pairs,), for each way."""
    log_probabilities: tuple[FloatArray, ...]
    """What each expects of the choices, shape (2, runs, pairs, choices), in nats."""

    def gains(self, claims: IntArray) -> FloatArray:
        """What claims are worth on each pair, in bits, both sides added.

        Args:
            claims: shape (runs, pairs, 2).

        Returns:
            Shape (runs, pairs).
        """
        each = zip(self.log_probabilities, self.folds, strict=True)
        return np.asarray(np.mean([_gains(of, self.table, claims, fold_of) for of, fold_of in each], axis=0))

    def unknown(self) -> FloatArray:
        """What the observer does not know: -log2 of the probability it gives to the answers, both sides
        added, shape (runs, pairs)."""
        is_answer = chosen(self.table, np.moveaxis(self.table.behaviors, -1, 0))
        nats = [-np.where(is_answer, of, 0).sum(axis=(0, -1)) for of in self.log_probabilities]
        return np.asarray(np.mean(nats, axis=0) / np.log(2))


def fit_observers(table: Table, beyond_siblings: bool, folds: int = FOLDS) -> Observers:
    """Fits the observers of a panel.

    Args:
        table: the join.
        beyond_siblings: whether they know what the other runs do and say.
        folds: of clusters.

    Raises:
        ValueError: there are fewer clusters than folds.
    """
    dealt = tuple(folds_of(table.clusters, folds, seed) for seed in FOLD_SEEDS)
    return Observers(table, dealt, tuple(observe(table, dealt, beyond_siblings)))


def _gains(log_probabilities: FloatArray, table: Table, claims: IntArray, fold_of: IntArray) -> FloatArray:
    gains = np.zeros(claims.shape[:2])
    for side in SIDES:
        claimed = claims[..., side]
        is_claimed = chosen(table, claimed)
        stated = is_claimed.any(axis=-1)
        probability = (np.exp(log_probabilities[side]) * is_claimed).sum(axis=-1)
        hit = claimed == table.behaviors[..., side]
        is_cue = claimed == table.cues
        for group in (stated & is_cue, stated & ~is_cue):
            for fold in range(int(fold_of.max()) + 1):
                held_out, taught = group & (fold_of == fold), group & (fold_of != fold)
                trust = _trust(probability[taught], hit[taught])
                gains[held_out] += _worth(trust, probability[held_out], hit[held_out])
    return np.asarray(gains / np.log(2))


def _trust(probability: FloatArray, hit: npt.NDArray[np.bool_]) -> float:
    """w: the logarithm of the factor by which the odds of a claimed answer are to be multiplied.

    The maximum over w of Σ (w hit - log(1 + q (e^w - 1))) - ridge w²/2, which is concave, by Newton's method.
    """
    trust = 0.0
    for _ in range(_STEPS):
        chance = probability * np.exp(trust) / (1 + probability * np.expm1(trust))
        slope = float(hit.sum() - chance.sum()) - CLAIM_RIDGE * trust
        step = slope / (float((chance * (1 - chance)).sum()) + CLAIM_RIDGE)
        trust += min(max(step, -1.0), 1.0)
        if abs(step) < 1e-12:
            break
    return trust


def _worth(trust: float, probability: FloatArray, hit: npt.NDArray[np.bool_]) -> FloatArray:
    return np.asarray(trust * hit - np.log1p(probability * np.expm1(trust)))


@dataclass(frozen=True, slots=True)
class Outside:
    """Who observes a panel from outside."""

    alone: Observers | None
    """They know this run's answers about other clusters, and no other run; None where clusters are too
    few."""
    beyond: Observers | None
    """They know the siblings, too; None where there are none."""

    @property
    def strongest(self) -> Observers | None:
        return self.alone if self.beyond is None else self.beyond

    def of(self, table: Table) -> Outside:
        """The strongest of these observers, fitted anew to other behaviours of the same runs."""
        if self.strongest is None:
            return Outside(None, None)
        fitted = fit_observers(table, self.beyond is not None)
        return Outside(fitted, None) if self.beyond is None else Outside(None, fitted)

    @property
    def guess(self) -> IntArray | None:
        """What the strongest observer expects, as claims of shape (runs, pairs, 2)."""
        if self.strongest is None:
            return None
        return expected(self.strongest.log_probabilities[0], self.strongest.table)


def observed(table: Table) -> Outside:
    """The observers of a panel, as far as its size allows.

    Args:
        table: the join.
    """
    if int(table.clusters.max()) + 1 < FOLDS:
        return Outside(None, None)
    if len(table.runs) == 1:
        return Outside(fit_observers(table, False), None)
    # Linear algebra leaves the interpreter free, so two threads use two cores.
    with ThreadPoolExecutor(2) as pool:
        alone, beyond = pool.map(lambda siblings: fit_observers(table, siblings), (False, True))
    return Outside(alone, beyond)


def privilege_rows(
    panel: Panel, outside: Outside, runs: Mapping[str, Sequence[int]], explainer: str = OWN
) -> list[Row]:
    """P and what the verdict asks beside it, of the claims in the panel's table.

    Args:
        panel: whose behaviours are observed.
        outside: its observers.
        runs: what rows call them → numbers of the runs that are pooled.
        explainer: what rows call whoever made the claims.
    """
    table = panel.table
    gains = _gains_of(table, outside)
    rows = []
    for run, numbers in runs.items():
        chosen_runs = list(numbers)
        asked = {name: _mean(each[chosen_runs], table) for name, each in gains.items()}
        asked |= _sides(table, chosen_runs)
        for name, found in settle(asked, panel.bootstrap).items():
            if name != "delta":  # Its interval is told with the other figures.
                rows += panel.rows({name: found.estimate}, run, ALL, explainer)
            if np.isfinite(found.errors):
                rows += panel.rows({f"{name}_errors": measured(found.errors)}, run, ALL, explainer)
    return rows


def beside_rows(panel: Panel, outside: Outside, runs: Mapping[str, Sequence[int]]) -> list[Row]:
    """What P is to be read beside: what the observer does not know, how much of that the runs' own claims
    tell, and P of the same claims dealt to other pairs (mean, and the range that holds 95 % of deals)."""
    observers, table = outside.strongest, panel.table
    if observers is None:
        return []
    unknown, gains, oracle = (
        observers.unknown(),
        observers.gains(table.claims),
        observers.gains(table.behaviors),
    )
    deals = [observers.gains(table.claims[:, dealt_anew(table, seed)]) for seed in range(NULL_DEALS)]
    rows = []
    for run, numbers in runs.items():
        chosen_runs = list(numbers)
        asked = _mean(unknown[chosen_runs], table)
        share = panel.bootstrap.quotient(gains[chosen_runs].sum(axis=0), oracle[chosen_runs].sum(axis=0))
        nulls = [float(each[chosen_runs].mean()) for each in deals]
        low, high = np.quantile(nulls, (0.025, 0.975))
        estimates = {
            "p_unknown": settle({"": asked}, panel.bootstrap)[""].estimate,
            "p_share": replace(share, n=asked.n),
            "p_null": Estimate(float(np.mean(nulls)), float(low), float(high), asked.n, share.clusters),
        }
        rows += panel.rows(estimates, run)
    return rows


def _gains_of(table: Table, outside: Outside) -> dict[str, FloatArray]:
    """What claims are worth to whom, shape (runs, pairs) each; in the worst case those that are missing name
    the target's effect."""
    gains = {}
    if outside.alone is not None:
        gains["p_alone"] = outside.alone.gains(table.claims)
    if outside.beyond is not None:
        gains["p"] = outside.beyond.gains(table.claims)
        if outside.alone is not None:
            gains["p_shared"] = gains["p_alone"] - gains["p"]
        if not parsed(table.claims).all():
            gains["p_worst"] = outside.beyond.gains(worst_case_claims(table))
    return gains


def _sides(table: Table, runs: Sequence[int]) -> dict[str, Deciding]:
    """Δ, and Δ in the worst case; each is asked not to lie below 0."""
    behaviors = table.behaviors[list(runs)]
    tells = discordant(behaviors, table.target)
    claims = {"delta": table.claims}
    if not parsed(table.claims).all():
        claims["delta_worst"] = worst_case_claims(table)
    return {
        name: deciding(
            (sides_with(said[list(runs)], behaviors, table.target) * tells).sum(axis=0),
            tells.sum(axis=0),
            table.clusters,
            HIGH,
        )
        for name, said in claims.items()
    }


def _mean(values: FloatArray, table: Table) -> Deciding:
    """The mean over runs and pairs of values of shape (runs, pairs)."""
    count = np.full(values.shape[1], len(values))
    return deciding(values.sum(axis=0), count, table.clusters)
