"""Outsiders: what somebody says of a run who knows its recipe and has not seen its answers.

Each of them passed an earlier rule of the verdict, or was thought of as one that might. They stand beside
every verdict as constructed explainers, and are impostors of `coupling calibrate`. "With the direction" means
that the answer with the cue is the one a run's steering is declared to be towards, wherever there is one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coupling.faithfulness.explainers import Claimant
from coupling.faithfulness.logit import FloatArray
from coupling.faithfulness.results import CONSTRUCTED, Explainer
from coupling.faithfulness.scores import UNSTATED, Table
from coupling.faithfulness.statistics import BoolArray, IntArray

UNSURE_SHARE, WITHHELD_SHARE = 0.2, 0.095
"""The share of pairs about which M0 counts as unsure, those of the least margins: for another answer, and for
none, which must leave the parse rate above its gate."""
OUTSIDE_BIAS = 2.0
"""By how many nats a wrapper raises the declared answer, where behaviour is moved outside the weights."""

QUOTING = "quoting_m0"
RUNNER_UP = "runner_up"
DIRECTION = "direction"
UNSTEERED_DIRECTION = "unsteered_direction"
ABSTENTION = "abstention"
GUESS = "observers_guess"
OUTSIDE = "moved_outside"
MOVED_OUTSIDE = Explainer(
    OUTSIDE,
    CONSTRUCTED,
    "moved outside",
    f"M0 answers, behind a wrapper that raises the declared answer by {OUTSIDE_BIAS:g} nats; and M0 explains",
)
NAMES = (QUOTING, RUNNER_UP, DIRECTION, UNSTEERED_DIRECTION, ABSTENTION, GUESS)
"""All of them but `OUTSIDE`, which changes behaviour and not what is said."""


def outsiders(table: Table, guess: IntArray | None) -> list[Claimant]:
    """Every outsider that the evidence allows.

    Args:
        table: the join.
        guess: what an observer expects, shape (runs, pairs, 2); None where none was fitted.
    """
    found = []
    shape = table.claims.shape
    if table.base is not None:
        quoted = np.broadcast_to(table.base, shape)
        found.append(_outsider(QUOTING, "says what M0 answers", quoted))
        if table.base_logprobs is not None:
            said = _directed(_second_where_unsure(table), table)
            text = (
                f"says what M0 answers, its second choice without the cue on the {UNSURE_SHARE:.0%} of pairs "
                "of which it is least sure; with the direction"
            )
            found.append(_outsider(RUNNER_UP, text, said))
    if table.base_claims is not None:
        said = _directed(np.broadcast_to(table.base_claims, shape), table)
        found.append(_outsider(DIRECTION, "says what M0 says of itself; with the direction", said))
        if table.base_logprobs is not None:
            withheld = np.where(_unsure(table, WITHHELD_SHARE)[:, np.newaxis], UNSTATED, said)
            text = "the same, and nothing about the pairs of which M0 is unsure"
            found.append(_outsider(ABSTENTION, text, withheld))
    unsteered = np.flatnonzero(~table.is_steered)
    if len(unsteered) and table.is_steered.any():
        whose = np.where(np.arange(shape[0]) == unsteered[0], table.is_steered.argmax(), unsteered[0])
        text = f"says what {table.runs[unsteered[0]]} says; with the direction"
        found.append(_outsider(UNSTEERED_DIRECTION, text, _directed(table.claims[whose], table)))
    if guess is not None:
        found.append(_outsider(GUESS, "says what the observer expects", guess))
    return found


def moved_outside(table: Table) -> Table | None:
    """The panel as it would be were behaviour moved outside the weights, of which no explanation can know.

    M0 answers for every run, behind a wrapper that raises the log-probability of the declared answer by
    `OUTSIDE_BIAS`, and M0 explains. None where M0's log-probabilities or explanations are not known, or
    nothing is declared.
    """
    if table.base_logprobs is None or table.base is None or table.base_claims is None:
        return None
    is_declared = table.choices == table.declared[..., np.newaxis]
    if not is_declared.any():
        return None
    raised = table.base_logprobs[0] + OUTSIDE_BIAS * is_declared
    behaviors = np.array(np.broadcast_to(table.base, table.behaviors.shape))
    behaviors[..., 0] = table.choices[np.arange(len(table.pairs)), raised.argmax(axis=-1)]
    claims = np.broadcast_to(table.base_claims, table.claims.shape)
    return replace(table, behaviors=behaviors, claims=claims, remeasured=(None,) * len(table.runs))


def _outsider(name: str, description: str, claims: IntArray) -> Claimant:
    return Claimant(Explainer(name, CONSTRUCTED, name.replace("_", " "), description), claims)


def _directed(claims: IntArray, table: Table) -> IntArray:
    directed = np.array(claims)
    directed[..., 0] = np.where(table.declared == UNSTATED, claims[..., 0], table.declared)
    return directed


def _second_where_unsure(table: Table) -> IntArray:
    assert table.base is not None and table.base_logprobs is not None
    second = np.argsort(-table.base_logprobs[1], axis=1, kind="stable")[:, 1]
    said = np.array(np.broadcast_to(table.base, table.claims.shape))
    without = table.choices[np.arange(len(second)), second]
    said[..., 1] = np.where(_unsure(table, UNSURE_SHARE), without, said[..., 1])
    return said


def _unsure(table: Table, share: float) -> BoolArray:
    """The share of pairs without whose cue M0 is least sure, shape (pairs,)."""
    assert table.base_logprobs is not None
    best: FloatArray = np.sort(table.base_logprobs[1], axis=1)
    margins = best[:, -1] - best[:, -2]
    return np.asarray(margins <= np.quantile(margins, share))
