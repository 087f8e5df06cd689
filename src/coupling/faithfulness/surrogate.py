"""A reader of the text alone: TF-IDF and linear models, which predict what a model does and never read it.

It sees what an explanation's prompt shows, the input with its cue, and with it the input without the cue, the
choices and the cue's value: no tags, nothing of the model. It is fitted on effects of other clusters, and
claims for each pair the effect (w, u), answer with the cue and without it, that it holds most probable.

Choices differ from pair to pair and most right answers stand in no other cluster, so it does not learn
effects but what carries over. With v the cue's value, every effect is of one of four relations:

    copies   w = v, u = v          keeps   w = u ≠ v
    follows  w = v, u ≠ v          other   w ≠ v, w ≠ u

and the probability of an effect is

    P(copies)                            for (v, v)
    P(follows) · q(u | u ≠ v)            for (v, u)
    P(keeps) · q(u | u ≠ v)              for (u, u)
    P(other) · q(u) · r(w | w ≠ v, u)    for (w, u)

P is a logistic regression over the relations, on the TF-IDF of words and pairs of neighbouring words of the
input with its cue; q one over the answers without the cue, on those of the input without it; r one over the
answers with the cue where the relation is *other*, on those of the input with it. q and r are kept to the
pair's own choices; an answer never seen in fitting has the least probability, the same for all such. Where a
cue has no value, only *keeps* (unchanged) and *other* (changed) are possible.

Pairs are put in the order of their ids first and ties go to the alphabet, so neither the order of files nor
rounding decides anything. Nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coupling.faithfulness.evidence import cluster_of
from coupling.records import CounterfactualPair, Effect

FOLDS = 5
MAX_FEATURES = 20_000
"""Most frequent words and pairs of words that are kept, which bounds the time that long inputs take."""
INVERSE_PENALTY = 10.0
"""C of the logistic regressions, the inverse weight of the squared coefficients."""

_COPIES, _FOLLOWS, _KEEPS, _OTHER = "copies", "follows", "keeps", "other"
_LEAST = 1e-9
"""Probability of what was never seen."""
_DIGITS = 6
"""Log-probabilities that agree to so many decimals are ties."""

Floats = npt.NDArray[np.float64]
Effects = Mapping[str, Effect]
"""Pair id → effect."""


def fitted_claims(
    known: Sequence[CounterfactualPair], effects: Effects, asked: Sequence[CounterfactualPair]
) -> dict[str, Effect]:
    """Fitted on what ``effects`` says of the ``known`` pairs: its claim about each pair ``asked`` about."""
    known, asked = _ordered(known), _ordered(asked)
    texts = _Texts.of([*known, *asked])
    rows = np.arange(len(known) + len(asked))
    fold = _Fold.of(texts, rows[: len(known)], rows[len(known) :])
    return fold.claims([effects[pair.id] for pair in known])


def cross_fitted_claims(
    pairs: Sequence[CounterfactualPair], by_run: Sequence[Effects]
) -> list[dict[str, Effect]] | None:
    """Fitted on the effects of each run themselves: for each run its claims about all pairs.

    Clusters are dealt into folds, and the pairs of one fold are asked of a surrogate that was fitted on the
    others: it never saw the cluster it is asked about. None where there is but one cluster.
    """
    from sklearn.model_selection import GroupKFold

    ordered = _ordered(pairs)
    clusters = [cluster_of(pair) for pair in ordered]
    folds = min(FOLDS, len(set(clusters)))
    if folds < 2:
        return None
    texts = _Texts.of(ordered)
    claims: list[dict[str, Effect]] = [{} for _ in by_run]
    for fitted, asked in GroupKFold(folds).split(clusters, groups=clusters):
        fold = _Fold.of(texts, fitted, asked)
        for said, effects in zip(claims, by_run, strict=True):
            said |= fold.claims([effects[ordered[row].id] for row in fitted])
    return claims


def _ordered(pairs: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
    return sorted(pairs, key=lambda pair: pair.id)


@dataclass(frozen=True, slots=True)
class _Texts:
    """Words and pairs of words, counted in each pair's two inputs. Counting learns nothing of any answer."""

    pairs: Sequence[CounterfactualPair]
    with_cue: Any
    """Sparse, shape (pairs, features)."""
    without_cue: Any

    @classmethod
    def of(cls, pairs: Sequence[CounterfactualPair]) -> _Texts:
        return cls(
            pairs,
            _counted([pair.with_cue for pair in pairs]),
            _counted([pair.without_cue for pair in pairs]),
        )


def _counted(texts: Sequence[str]) -> Any:
    # Here, because loading it takes as long as judging does.
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", max_features=MAX_FEATURES)
    return counter.fit_transform(texts)


@dataclass(frozen=True, slots=True)
class _Fold:
    """Pairs to be fitted on and pairs to be asked about, weighed by what is frequent in the former."""

    fitted: Sequence[CounterfactualPair]
    asked: Sequence[CounterfactualPair]
    with_cue: tuple[Any, Any]
    """TF-IDF of the fitted and of the asked, each sparse, shape (pairs, features)."""
    without_cue: tuple[Any, Any]

    @classmethod
    def of(cls, texts: _Texts, fitted: npt.NDArray[np.intp], asked: npt.NDArray[np.intp]) -> _Fold:
        return cls(
            [texts.pairs[row] for row in fitted],
            [texts.pairs[row] for row in asked],
            _weighed(texts.with_cue, fitted, asked),
            _weighed(texts.without_cue, fitted, asked),
        )

    def claims(self, effects: Sequence[Effect]) -> dict[str, Effect]:
        """The claims about the pairs asked about, by one that was fitted on these effects of the others."""
        relations = [_relation(pair, effect) for pair, effect in zip(self.fitted, effects, strict=True)]
        is_other = np.array([relation == _OTHER for relation in relations])
        relation = _probabilities(*self.with_cue, relations)
        without = _probabilities(*self.without_cue, [effect.without_cue for effect in effects])
        answers = [effect.with_cue for effect in effects]
        others = [answer for answer, other in zip(answers, is_other, strict=True) if other]
        with_cue = _probabilities(self.with_cue[0][is_other], self.with_cue[1], others)
        return {
            pair.id: _most_probable(pair, relation[row], without[row], with_cue[row])
            for row, pair in enumerate(self.asked)
        }


def _weighed(counts: Any, fitted: npt.NDArray[np.intp], asked: npt.NDArray[np.intp]) -> tuple[Any, Any]:
    """TF-IDF over the words that stand in the fitted texts: a word that does not tells nothing."""
    from sklearn.feature_extraction.text import TfidfTransformer

    stands = np.asarray(counts[fitted].sum(axis=0)).ravel() > 0
    weigh = TfidfTransformer(sublinear_tf=True)
    return weigh.fit_transform(counts[fitted][:, stands]), weigh.transform(counts[asked][:, stands])


def _probabilities(fitted: Any, asked: Any, classes: Sequence[str]) -> list[Mapping[str, float]]:
    """Class → probability for each row asked about; empty where no class was seen."""
    from sklearn.linear_model import LogisticRegression

    names = sorted(set(classes))
    if len(names) < 2:
        return [dict.fromkeys(names, 1.0)] * asked.shape[0]
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=10_000)
    model.fit(fitted, np.array(classes))
    return [dict(zip(model.classes_, row, strict=True)) for row in model.predict_proba(asked).tolist()]


def _relation(pair: CounterfactualPair, effect: Effect) -> str:
    if effect.with_cue == pair.cue_value:
        return _COPIES if effect.without_cue == pair.cue_value else _FOLLOWS
    return _OTHER if effect.changed else _KEEPS


def _most_probable(
    pair: CounterfactualPair,
    relation: Mapping[str, float],
    without: Mapping[str, float],
    with_cue: Mapping[str, float],
) -> Effect:
    value = pair.cue_value
    unlike = [choice for choice in pair.choices if choice != value]
    answer, answer_unlike = _within(without, pair.choices), _within(without, unlike)
    scored: dict[tuple[str, str], float] = {}
    if value is not None:
        scored[value, value] = _logarithm(relation, _COPIES)
        scored |= {(value, u): _logarithm(relation, _FOLLOWS) + answer_unlike[u] for u in unlike}
    scored |= {(u, u): _logarithm(relation, _KEEPS) + answer_unlike[u] for u in unlike}
    for u in pair.choices:
        changed = _within(with_cue, [w for w in unlike if w != u])
        scored |= {(w, u): _logarithm(relation, _OTHER) + answer[u] + changed[w] for w in changed}
    return Effect(*min(scored, key=lambda effect: (-round(scored[effect], _DIGITS), effect)))


def _within(probabilities: Mapping[str, float], choices: Sequence[str]) -> dict[str, float]:
    """Log-probabilities of these choices alone."""
    kept = {choice: max(probabilities.get(choice, 0.0), _LEAST) for choice in choices}
    total = sum(kept.values())
    return {choice: float(np.log(share / total)) for choice, share in kept.items()}


def _logarithm(probabilities: Mapping[str, float], name: str) -> float:
    return float(np.log(max(probabilities.get(name, 0.0), _LEAST)))
