"""The observer: how well can somebody outside a run predict its answers?

An observer knows what anybody may know who has not seen the answer at hand: M0's log-probabilities on both
inputs, M0's explanations, the cue and what it speaks for, the tags, the target, how each run is declared to
be steered, and this run's own answers about *other* clusters. *Beyond the siblings* it knows, too, what the
other runs of the panel answer and say on the same pair, for whoever can repeat the recipe has them.

It is a conditional logit (McFadden 1974) for each side, the input with the cue and the one without: choice k
of a pair has the utility u_k = Σ_f w_f x_kf, and is answered with probability exp(u_k) / Σ_j exp(u_j). It is
fitted twice. All runs share most of what there is to learn, so one w is fitted to all of them, with a ridge
of `SHARED_RIDGE` around 0. Then each run has a w of its own, with a ridge of `OWN_RIDGE` around the shared
one; there the answers and claims of every single sibling are features as well. Clusters are few: an observer
that is fitted to one run alone predicts worse (docs/judging.md has figures).

Folds of clusters are predicted by an observer that was fitted on the others (*cross-fitting*). What comes out
is scaled by one further number, learned on the predictions of the other folds, so that nobody earns anything
by saying what the observer guesses anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.logit import ConditionalLogit
from coupling.faithfulness.scores import NO_CHOICE, Table, equal
from coupling.faithfulness.statistics import BoolArray, IntArray

FloatArray = npt.NDArray[np.float64]

SHARED_RIDGE, OWN_RIDGE = 3.0, 30.0
"""Chosen on development world 0 for the likelihood of held-out answers."""
FOLDS = 7
LEAST_LOGPROB = -12.0
"""Log-probabilities below this tell no more."""
GREATEST_MARGIN = 4.0
MAX_TAG_VALUES = 24
"""Values of tags that become features, the most frequent."""
LEAST_OFFERED = 0.5
"""Share of pairs of which an answer must be a choice to become a feature, as a letter is. Of rarer ones too
little is known: with 24 of them the observer of development world 0 left 0.54 bits unknown and not 0.51."""
LEAST_TAG_CLUSTERS = 5
"""Clusters in which a tag's value must occur, or nothing could be learned of it elsewhere."""
MAX_SIBLINGS = 8
"""Single siblings that become features: those that act most like the run. All are in the votes."""

WITH, WITHOUT = 0, 1
SIDES = (WITH, WITHOUT)


def observe(table: Table, folds: Sequence[IntArray], beyond_siblings: bool) -> list[FloatArray]:
    """Fits observers to the runs of a table; each predicts the pairs of a fold by what the others taught.

    Args:
        table: the join.
        folds: the fold of each pair, shape (pairs,), for each way to deal clusters into folds.
        beyond_siblings: whether they know what the other runs do and say.

    Returns:
        For each way, natural-log probabilities of the choices, shape (2, runs, pairs, choices), with the cue
        and without it; those of padding are very low.
    """
    sides = [unscaled(table, side, folds, beyond_siblings) for side in SIDES]
    both = [np.stack(each) for each in zip(*sides, strict=True)]
    return [_scaled(each, table, fold_of) for each, fold_of in zip(both, folds, strict=True)]


def folds_of(clusters: IntArray, folds: int, seed: int) -> IntArray:
    """The fold of each pair: clusters are dealt out in random order, shape (pairs,).

    Raises:
        ValueError: there are fewer clusters than folds.
    """
    count = int(clusters.max()) + 1
    if count < folds:
        raise ValueError(f"{count} clusters cannot be dealt into {folds} folds")
    dealt = np.random.default_rng(seed).permutation(count) % folds
    return np.asarray(dealt[clusters], dtype=np.int64)


def chosen(table: Table, answers: IntArray) -> BoolArray:
    """Which choice is the answer, shape (..., pairs, choices), of answer numbers of shape (..., pairs)."""
    return np.asarray(table.choices == answers[..., np.newaxis])


def unscaled(table: Table, side: int, folds: Sequence[IntArray], beyond_siblings: bool) -> list[FloatArray]:
    """For each way to deal folds: out-of-fold log-probabilities of one side, shape (runs, pairs, choices)."""
    runs, valid = range(len(table.runs)), table.choices != NO_CHOICE
    shared = [_shared_features(table, run, side, beyond_siblings) for run in runs]
    answered = chosen(table, table.behaviors[..., side]).argmax(axis=-1)
    everybody = ConditionalLogit(np.concatenate(shared), answered.reshape(-1), np.tile(valid, (len(runs), 1)))
    weights = everybody.cross_fit([np.tile(each, len(runs)) for each in folds], SHARED_RIDGE)
    predicted = []
    for run in runs:
        single = _single_features(table, run, side) if beyond_siblings else np.zeros((*valid.shape, 0))
        around = [np.pad(each, ((0, 0), (0, single.shape[-1]))) for each in weights]
        own = ConditionalLogit(np.concatenate([shared[run], single], axis=-1), answered[run], valid)
        fitted = own.cross_fit(folds, OWN_RIDGE, around)
        predicted.append([own.predict(*each) for each in zip(fitted, folds, strict=True)])
    return [np.stack(each) for each in zip(*predicted, strict=True)]


def _scaled(predicted: FloatArray, table: Table, fold_of: IntArray) -> FloatArray:
    """The same with all utilities times one number, which is fitted on the other folds."""
    sides, runs, _, choices = predicted.shape
    answered = chosen(table, np.moveaxis(table.behaviors, -1, 0)).argmax(axis=-1)
    valid = np.tile(table.choices != NO_CHOICE, (sides * runs, 1))
    logit = ConditionalLogit(predicted.reshape(-1, choices, 1), answered.reshape(-1), valid)
    everywhere = np.tile(fold_of, sides * runs)
    (scales,) = logit.cross_fit([everywhere], ridge=1.0, around=[np.ones((int(fold_of.max()) + 1, 1))])
    return logit.predict(scales, everywhere).reshape(predicted.shape)


def _shared_features(table: Table, run: int, side: int, beyond_siblings: bool) -> FloatArray:
    """What means the same for every run, shape (pairs, choices, features)."""
    other = 1 - side
    base = _Base(table, side)
    cue = chosen(table, table.cues).astype(np.float64)
    moved = table.steered[run].astype(np.float64)[:, np.newaxis]
    declared = chosen(table, table.declared[run]).astype(np.float64)
    features = [
        *base.alone,
        cue,
        cue * table.against[:, np.newaxis],
        *(cue * each for each in base.beside_cue),
        cue * moved,
        cue * moved * base.top_elsewhere,
        cue * moved * base.margin,
        base.top * moved,
        base.top_elsewhere * moved,
        base.utility * moved,
        base.utility_elsewhere * moved,
        declared,
        declared * base.top,
        declared * base.top_elsewhere,
        declared * base.margin,
        declared * base.utility,
    ]
    for value in tag_values(table):
        here = value.astype(np.float64)[:, np.newaxis]
        features += [cue * here, base.top * here]
    features += [(table.choices == answer).astype(np.float64) for answer in frequent_answers(table)]
    features += [
        chosen(table, effects[:, each]).astype(np.float64)
        for effects in (table.target, *([] if table.base_claims is None else [table.base_claims]))
        for each in (side, other)
    ]
    if beyond_siblings and len(table.runs) > 1:
        for effects in (table.behaviors, table.claims):
            features += _votes(table, run, side, effects, cue, moved, declared)
    return np.stack(np.broadcast_arrays(*features), axis=-1)


class _Base:
    """What M0 says of one side, as features of shape (pairs, choices); zeros where it is not known."""

    def __init__(self, table: Table, side: int) -> None:
        self.utility, self.top, self.second, self.margin = _of_base(table, side)
        self.utility_elsewhere, self.top_elsewhere, self.second_elsewhere, margin_elsewhere = _of_base(
            table, 1 - side
        )
        self.alone = (
            self.utility,
            self.utility_elsewhere,
            self.top,
            self.second,
            self.top_elsewhere,
            self.second_elsewhere,
            self.top * self.margin,
            self.top * margin_elsewhere,
            self.top_elsewhere * margin_elsewhere,
        )
        self.beside_cue = (
            self.margin,
            margin_elsewhere,
            self.top,
            self.top_elsewhere,
            self.utility,
            self.utility_elsewhere,
        )


def _of_base(table: Table, side: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Log-probabilities (halved, so that their weights are near 1), the likeliest choice, the second, and the
    margin between the two, shape (pairs, 1)."""
    nothing = np.zeros(table.choices.shape)
    if table.base is None:
        return nothing, nothing, nothing, nothing[:, :1]
    top = chosen(table, table.base[:, side]).astype(np.float64)
    if table.base_logprobs is None:
        return nothing, top, nothing, nothing[:, :1]
    logprobs = table.base_logprobs[side]
    order = np.argsort(-logprobs, axis=1, kind="stable")
    second = (np.arange(logprobs.shape[1]) == order[:, 1:2]).astype(np.float64)
    best = np.take_along_axis(logprobs, order[:, :2], axis=1)
    margin = np.minimum(best[:, :1] - best[:, 1:], GREATEST_MARGIN)
    return np.maximum(logprobs, LEAST_LOGPROB) / 2, top, second, margin


def tag_values(table: Table) -> list[BoolArray]:
    """The pairs that bear each of the more frequent values of tags, shape (pairs,) each."""
    counts = Counter((tag, value) for pair in table.pairs for tag, value in pair.tags.items())
    values = []
    for (tag, value), count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        if count == len(table.pairs):
            continue
        bears = np.array([pair.tags.get(tag) == value for pair in table.pairs])
        if len(np.unique(table.clusters[bears])) >= LEAST_TAG_CLUSTERS:
            values.append(bears)
    return values[:MAX_TAG_VALUES]


def frequent_answers(table: Table) -> list[int]:
    """Numbers of the answers that most pairs offer: how often a run gives each of them in other clusters is
    something to go by."""
    offered = np.bincount(table.choices[table.choices != NO_CHOICE], minlength=len(table.answers))
    found = np.flatnonzero(offered >= LEAST_OFFERED * len(table.pairs)).tolist()
    return sorted(found, key=lambda answer: (-int(offered[answer]), table.answers[answer]))


def _votes(
    table: Table,
    run: int,
    side: int,
    effects: IntArray,
    cue: FloatArray,
    moved: FloatArray,
    declared: FloatArray,
) -> list[FloatArray]:
    """What the siblings answer, or claim: of those whose behaviour is not moved on a pair the share that
    names a choice; of those that are, how many do, apart by whether this run is moved there as well, and to
    the same answer."""
    others = [number for number in range(len(table.runs)) if number != run]
    named = {each: chosen(table, effects[each, :, side]).astype(np.float64) for each in others}
    elsewhere = {each: chosen(table, effects[each, :, 1 - side]).astype(np.float64) for each in others}
    still = {each: 1.0 - table.steered[each].astype(np.float64)[:, np.newaxis] for each in others}
    count = np.maximum(np.sum(list(still.values()), axis=0), 1.0)
    share = np.sum([named[each] * still[each] for each in others], axis=0) / count
    share_elsewhere = np.sum([elsewhere[each] * still[each] for each in others], axis=0) / count
    to_same = {each: (table.declared[each] == table.declared[run])[:, np.newaxis] for each in others}

    def of_moved(where: dict[int, npt.NDArray[np.generic]]) -> FloatArray:
        return np.asarray(np.sum([named[each] * (1 - still[each]) * where[each] for each in others], axis=0))

    alike = of_moved({each: to_same[each] * moved for each in others})
    apart = of_moved({each: ~to_same[each] * moved for each in others})
    beside = of_moved({each: 1 - moved for each in others})
    return [
        share,
        (share == 1).astype(np.float64),
        (share > 0).astype(np.float64),
        share_elsewhere,
        share * cue,
        share * moved,
        share * cue * moved,
        share_elsewhere * moved,
        share * declared,
        alike,
        alike * cue,
        apart,
        apart * cue,
        beside,
        beside * cue,
    ]


def _single_features(table: Table, run: int, side: int) -> FloatArray:
    """What each of the siblings answers and claims, this side and the other, shape (pairs, choices, 4
    each)."""
    agreeing = equal(table.behaviors, table.behaviors[run]).sum(axis=1)
    agreeing[run] = -1
    nearest = np.argsort(-agreeing, kind="stable")[: min(MAX_SIBLINGS, len(table.runs) - 1)]
    features = [
        chosen(table, effects[each, :, which]).astype(np.float64)
        for each in nearest
        for effects in (table.behaviors, table.claims)
        for which in (side, 1 - side)
    ]
    return np.stack(features, axis=-1) if features else np.zeros((*table.choices.shape, 0))


def expected(log_probabilities: FloatArray, table: Table) -> IntArray:
    """An observer's own best guess of every answer, as claims of shape (runs, pairs, 2)."""
    best = log_probabilities.argmax(axis=-1)
    return np.asarray(np.moveaxis(table.choices[np.arange(len(table.pairs)), best], 0, -1), dtype=np.int64)
