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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.observer import FOLDS, SIDES, FloatArray, chosen, folds_of, observe
from coupling.faithfulness.scores import Table
from coupling.faithfulness.statistics import IntArray

FOLD_SEEDS = (0, 1)
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


def fit_observers(
    table: Table, beyond_siblings: bool, known: Sequence[IntArray] = (), folds: int = FOLDS
) -> Observers:
    """Fits the observers of a panel.

    Args:
        table: the join.
        beyond_siblings: whether they know what the other runs do and say.
        known: claims of others that they have read, each of shape (runs, pairs, 2).
        folds: of clusters.

    Raises:
        ValueError: there are fewer clusters than folds.
    """
    dealt = tuple(folds_of(table.clusters, folds, seed) for seed in FOLD_SEEDS)
    return Observers(table, dealt, tuple(observe(table, dealt, beyond_siblings, known)))


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
        trust += float(np.clip(step, -1, 1))
        if abs(step) < 1e-12:
            break
    return trust


def _worth(trust: float, probability: FloatArray, hit: npt.NDArray[np.bool_]) -> FloatArray:
    return np.asarray(trust * hit - np.log1p(probability * np.expm1(trust)))
