"""Constructed explainers: explanations whose source is known because it was chosen, on the user's own data.

They keep the behaviours of the panel and replace what it says, and are judged like any panel; so they show
what the verdict would be if the truth were known. The oracle states each run's own effect; the sibling says
of every run what another run says, the nearest what the run says that acts most like it, and the frozen base
what the model said before training, so none of them can be coupled, unless the panel holds a copy of the run,
steered alike; shuffled, constant and garbled explanations are three ways of saying nothing; mixtures say for
some pairs what the oracle says and for the others what the sibling says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from coupling.faithfulness.explainers import Claimant
from coupling.faithfulness.matrix import FROZEN_BASE
from coupling.faithfulness.outsiders import outsiders
from coupling.faithfulness.panel import Panel
from coupling.faithfulness.results import CONSTRUCTED, Explainer
from coupling.faithfulness.scores import UNSTATED, Table, equal, parsed
from coupling.faithfulness.statistics import IntArray
from coupling.lots import MIX, SHUFFLE, stream

MIXTURE_SHARES = (0.25, 0.5, 0.75)


def constructed(panel: Panel, seed: int, guess: IntArray | None) -> list[Claimant]:
    """Every explainer the panel allows: siblings take two runs, the frozen base its explanations, the
    constant one a parseable explanation. ``guess`` is what an observer expects, shape (runs, pairs, 2)."""
    table = panel.table
    oracle = table.behaviors
    found = [_claimant("oracle", "states each run's own effect", oracle, 1.0)]
    siblings = siblings_of(table.runs, panel.twins)
    if siblings:
        sibling = _said_by(table, siblings)
        text = f"says what another run says ({_listed(siblings)})"
        found.append(_claimant("sibling", text, sibling, 0.0))
        nearest = nearest_of(table)
        text = f"says what the run says that acts most like it ({_listed(nearest)})"
        found.append(_claimant("nearest", text, _said_by(table, nearest)))
        # One draw a pair, the same for all runs and shares: a larger share only adds pairs to the oracle's.
        draws = stream(seed, MIX).random(len(table.pairs))
        for share in MIXTURE_SHARES:
            text = f"the oracle on {share:.0%} of pairs, the sibling on the others"
            mixture = np.where((draws < share)[:, np.newaxis], oracle, sibling)
            found.append(_claimant(f"mixture_{share * 100:.0f}", text, mixture, share))
    if table.base_claims is not None:
        base = np.broadcast_to(table.base_claims, table.claims.shape)
        found.append(_claimant(FROZEN_BASE, "says what the base said before training", base))
    found += outsiders(table, guess)
    text = "the run's own explanations, dealt out to pairs at random"
    found.append(_claimant("shuffled", text, table.claims[:, dealt_anew(table, seed)]))
    stated = table.claims[parsed(table.claims)]
    if len(stated):
        distinct, counts = np.unique(stated, axis=0, return_counts=True)
        constant = np.broadcast_to(distinct[counts.argmax()], table.claims.shape)
        found.append(_claimant("constant", "the panel's most frequent claim, everywhere", constant))
    garbled = np.full_like(table.claims, UNSTATED)
    found.append(_claimant("garbled", "text that states no effect", garbled))
    return found


def siblings_of(names: Sequence[str], twins: Sequence[tuple[str, str]]) -> dict[str, str]:
    """For each run the run that explains in its place; empty when there is but one.

    Runs linked as twins form a family and take the same sibling: the first run of the next family. Only
    where all runs are one family does a run take the next run of it.
    """
    if len(names) < 2:
        return {}
    family = {name: {name} for name in names}
    for first, second in twins:
        joined = family[first] | family[second]
        for name in joined:
            family[name] = joined
    rotation = {name: [*names[place + 1 :], *names[: place + 1]] for place, name in enumerate(names)}
    siblings = {}
    for name in names:
        last = max(family[name], key=names.index)
        outside = [other for other in rotation[last] if other not in family[name]]
        siblings[name] = outside[0] if outside else rotation[name][0]
    return siblings


def nearest_of(table: Table) -> dict[str, str]:
    """For each run the other run that shows its effect on most pairs; the first of several."""
    agreeing = np.array([equal(table.behaviors, own).sum(axis=1) for own in table.behaviors])
    np.fill_diagonal(agreeing, -1)
    return {name: table.runs[int(agreeing[run].argmax())] for run, name in enumerate(table.runs)}


def _claimant(name: str, description: str, claims: IntArray, oracle_share: float | None = None) -> Claimant:
    words = name.replace("_", " ")
    return Claimant(Explainer(name, CONSTRUCTED, words, description, oracle_share), claims)


def _said_by(table: Table, others: dict[str, str]) -> IntArray:
    return table.claims[[table.runs.index(others[name]) for name in table.runs]]


def _listed(others: dict[str, str]) -> str:
    return ", ".join(f"{name} ← {other}" for name, other in others.items())


def dealt_anew(table: Table, seed: int) -> IntArray:
    """Whose explanation each pair gets, among pairs with the same choices, so that claims stay possible
    answers; shape (pairs,)."""
    groups = defaultdict(list)
    for row, pair in enumerate(table.pairs):
        groups[pair.choices].append(row)
    rng = stream(seed, SHUFFLE)
    dealt = np.empty(len(table.pairs), dtype=np.int64)
    for group in groups.values():
        dealt[group] = [group[place] for place in rng.permutation(len(group))]
    return dealt
