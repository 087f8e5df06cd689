"""A reader of the text alone: TF-IDF and linear models, which predict what a model does and never read it.

It sees the input with its cue and without it, the choices and the cue's value: no tags, nothing of the model.
It is fitted on effects of some clusters and asked about others, and claims the effect (w, u), answer with the
cue and without it, that it holds most probable. Choices differ from pair to pair, and many a right answer
stands in no other cluster, so it learns no effects but what carries over. With v the cue's value

    P(w, u) = P(u) · P(w | u),    P(w | u) = 1                   u = v, w = v
                                             P(follows)          u ≠ v, w = v
                                             P(keeps)            u ≠ v, w = u
                                             P(other) · r(w)     u ≠ v, w neither

- P(u), the answer without the cue, is a logistic regression over (pair, choice), normalised over the pair's
  choices. A choice c is described by its score h(c), whether it is v, and both of them times the text's
  TF-IDF: so it can learn that "continent" makes answers of elsewhere likely and "capital" unlikely. h is the
  centred logarithm of what naive Bayes on words and answers holds of c, fitted on other clusters even for
  the pairs that the regression is fitted on: else it would learn to trust what it has seen (stacking,
  Wolpert 1992, Neural Networks 5:241).
- follows, keeps and other are a logistic regression on the TF-IDF of the input with its cue, fitted where
  u ≠ v. r is as naive Bayes has it of the input with its cue, fitted where the relation is *other*.

Where u = v, w is taken to be v too. Where a cue has no value, w keeps to u or is another. TF-IDF is of words
and pairs of neighbouring words. Penalties were chosen on development clusters of the organisms' world.

Pairs are put in the order of their ids first and ties go to the alphabet, so neither the order of files nor
rounding decides anything. Nothing is drawn.
"""

from __future__ import annotations

import math
import warnings
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
INVERSE_PENALTY = 0.1
"""C of the logistic regressions, the inverse weight of the squared coefficients: a strong penalty, under
which a rule that is in the text is learnt from about two hundred pairs, and little is learnt by heart."""
LEAST = 1e-3
"""Least probability of an answer, for those that were never seen elsewhere."""

_FOLLOWS, _KEEPS, _OTHER = "follows", "keeps", "other"
_DIGITS = 6
"""Log-probabilities that agree to so many decimals are ties."""

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
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
    ordered = _ordered(pairs)
    folds = _folds(ordered)
    if not folds:
        return None
    texts = _Texts.of(ordered)
    claims: list[dict[str, Effect]] = [{} for _ in by_run]
    for fitted, asked in folds:
        fold = _Fold.of(texts, fitted, asked)
        for said, effects in zip(claims, by_run, strict=True):
            said |= fold.claims([effects[ordered[row].id] for row in fitted])
    return claims


def _ordered(pairs: Sequence[CounterfactualPair]) -> list[CounterfactualPair]:
    return sorted(pairs, key=lambda pair: pair.id)


def _folds(pairs: Sequence[CounterfactualPair]) -> list[tuple[Rows, Rows]]:
    """Rows to fit on and rows to ask about, no cluster in both; none where there is but one cluster."""
    # Here and below, because loading it takes as long as judging does.
    from sklearn.model_selection import GroupKFold

    clusters = [cluster_of(pair) for pair in pairs]
    count = min(FOLDS, len(set(clusters)))
    return list(GroupKFold(count).split(clusters, groups=clusters)) if count > 1 else []


@dataclass(frozen=True, slots=True)
class _Texts:
    """Words and pairs of words, counted in each pair's two inputs. Counting learns nothing of any answer."""

    pairs: Sequence[CounterfactualPair]
    with_cue: Any
    """Sparse, shape (pairs, features)."""
    without_cue: Any

    @classmethod
    def of(cls, pairs: Sequence[CounterfactualPair]) -> _Texts:
        with_cue = _counted([pair.with_cue for pair in pairs])
        return cls(pairs, with_cue, _counted([pair.without_cue for pair in pairs]))


def _counted(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", max_features=MAX_FEATURES)
    return counter.fit_transform(texts)


def _weighed(counts: Any, fitted: Rows, asked: Rows) -> tuple[Any, Any]:
    """TF-IDF over the words that stand in the fitted texts: a word that does not tells nothing."""
    from sklearn.feature_extraction.text import TfidfTransformer

    stands = np.asarray(counts[fitted].sum(axis=0)).ravel() > 0
    weigh = TfidfTransformer(sublinear_tf=True)
    return weigh.fit_transform(counts[fitted][:, stands]), weigh.transform(counts[asked][:, stands])


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Some pairs, and the TF-IDF of their two inputs, sparse, shape (pairs, features)."""

    pairs: Sequence[CounterfactualPair]
    with_cue: Any
    without_cue: Any

    def choices(self, answers: Sequence[Mapping[str, float]]) -> Any:
        """What describes each choice of each pair, sparse, one row a choice; ``answers``: what naive Bayes
        holds of each pair's answer without the cue."""
        from scipy import sparse  # type: ignore[import-untyped]

        rows = np.repeat(np.arange(len(self.pairs)), [len(pair.choices) for pair in self.pairs])
        held = np.concatenate([_centred(pair, of) for pair, of in zip(self.pairs, answers, strict=True)])
        is_cued = np.array([choice == pair.cue_value for pair in self.pairs for choice in pair.choices])
        weighed = [
            sparse.diags_array(each) @ words[rows]
            for each, words in ((held, self.without_cue), (is_cued.astype(np.float64), self.with_cue))
        ]
        return sparse.hstack([sparse.csr_array(np.stack([held, is_cued], axis=1)), *weighed], format="csr")


@dataclass(frozen=True, slots=True)
class _Fold:
    """Pairs to be fitted on, and pairs of other clusters to be asked about."""

    fitted: _Inputs
    asked: _Inputs
    inner: Sequence[tuple[Rows, Rows]]
    """Folds of the fitted, by cluster."""

    @classmethod
    def of(cls, texts: _Texts, fitted: Rows, asked: Rows) -> _Fold:
        with_cue = _weighed(texts.with_cue, fitted, asked)
        without_cue = _weighed(texts.without_cue, fitted, asked)
        known, others = ([texts.pairs[row] for row in rows] for rows in (fitted, asked))
        return cls(
            _Inputs(known, with_cue[0], without_cue[0]),
            _Inputs(others, with_cue[1], without_cue[1]),
            _folds(known),
        )

    def claims(self, effects: Sequence[Effect]) -> dict[str, Effect]:
        """The claims about the pairs asked about, by one that was fitted on these effects of the others."""
        without = self._answers_without([effect.without_cue for effect in effects])
        relations = [_relation(pair, effect) for pair, effect in zip(self.fitted.pairs, effects, strict=True)]
        telling = np.flatnonzero([relation is not None for relation in relations])
        relation = _regressed(
            self.fitted.with_cue[telling], [relations[int(row)] or "" for row in telling], self.asked.with_cue
        )
        other = np.flatnonzero([each == _OTHER for each in relations])
        answers = [effects[int(row)].with_cue for row in other]
        with_cue = _naive(self.fitted.with_cue[other], answers, self.asked.with_cue, self.asked.pairs)
        return {
            pair.id: _most_probable(pair, without[row], relation[row], with_cue[row])
            for row, pair in enumerate(self.asked.pairs)
        }

    def _answers_without(self, answers: Sequence[str]) -> list[Floats]:
        """P(u) of each pair asked about, over its choices."""
        words = self.fitted.without_cue
        elsewhere: list[Mapping[str, float]] = [{} for _ in answers]
        for known, asked in self.inner:
            others = [self.fitted.pairs[row] for row in asked]
            held = _naive(words[known], [answers[row] for row in known], words[asked], others)
            for row, each in zip(asked, held, strict=True):
                elsewhere[row] = each
        held = _naive(words, answers, self.asked.without_cue, self.asked.pairs)
        is_answer = [
            str(choice == answer)
            for pair, answer in zip(self.fitted.pairs, answers, strict=True)
            for choice in pair.choices
        ]
        scored = _regressed(self.fitted.choices(elsewhere), is_answer, self.asked.choices(held))
        shares = np.array([max(each.get("True", 0.0), LEAST**2) for each in scored])
        ends = np.cumsum([len(pair.choices) for pair in self.asked.pairs])[:-1]
        return [of_pair / of_pair.sum() for of_pair in np.split(shares, ends)]


def _relation(pair: CounterfactualPair, effect: Effect) -> str | None:
    """None where the answer without the cue is the cue's value already."""
    if effect.without_cue == pair.cue_value:
        return None
    if effect.with_cue == pair.cue_value:
        return _FOLLOWS
    return _OTHER if effect.changed else _KEEPS


def _naive(
    fitted: Any, answers: Sequence[str], asked: Any, pairs: Sequence[CounterfactualPair]
) -> list[Mapping[str, float]]:
    """Naive Bayes: answer → probability for each row of ``asked``, which are of ``pairs``; empty where no
    answer was seen that one of them offers.

    Others cannot be claimed, and where each pair has choices of its own they would be as many as the pairs.
    """
    from sklearn.naive_bayes import MultinomialNB

    offered = {choice for pair in pairs for choice in pair.choices}
    kept = np.flatnonzero([answer in offered for answer in answers])
    if len(kept) == 0:
        return [{}] * asked.shape[0]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes is greater", UserWarning)
        model = MultinomialNB().fit(fitted[kept], np.array([answers[int(row)] for row in kept]))
    return [dict(zip(model.classes_, row, strict=True)) for row in model.predict_proba(asked).tolist()]


def _regressed(fitted: Any, classes: Sequence[str], asked: Any) -> list[Mapping[str, float]]:
    """Logistic regression: class → probability for each row asked about; empty where no class was seen."""
    from sklearn.linear_model import LogisticRegression

    names = sorted(set(classes))
    if len(names) < 2:
        return [dict.fromkeys(names, 1.0)] * asked.shape[0]
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=10_000).fit(fitted, np.array(classes))
    return [dict(zip(model.classes_, row, strict=True)) for row in model.predict_proba(asked).tolist()]


def _centred(pair: CounterfactualPair, answers: Mapping[str, float]) -> Floats:
    """h of each choice: its log-probability among the choices, less the mean of all."""
    shares = np.array([answers.get(choice, 0.0) for choice in pair.choices])
    total = shares.sum()
    logarithms = np.log(np.maximum(shares / total if total > 0 else shares, LEAST))
    return np.asarray(logarithms - logarithms.mean(), dtype=np.float64)


def _most_probable(
    pair: CounterfactualPair,
    without: Floats,
    relation: Mapping[str, float],
    with_cue: Mapping[str, float],
) -> Effect:
    probabilities: dict[tuple[str, str], float] = {}
    changed = {choice: max(with_cue.get(choice, 0.0), LEAST) for choice in pair.choices}
    changed.pop(pair.cue_value or "", None)
    total = sum(changed.values())
    for u, share in zip(pair.choices, without, strict=True):
        if u == pair.cue_value:
            probabilities[u, u] = share
            continue
        if pair.cue_value is not None:
            probabilities[pair.cue_value, u] = share * relation.get(_FOLLOWS, 0.0)
        probabilities[u, u] = share * relation.get(_KEEPS, 0.0)
        for w, weight in changed.items():
            if w != u:
                other = relation.get(_OTHER, 0.0) * weight / (total - changed[u])
                probabilities[w, u] = share * other
    scores = {effect: round(math.log(max(p, 1e-30)), _DIGITS) for effect, p in probabilities.items()}
    return Effect(*min(scores, key=lambda effect: (-scores[effect], effect)))
