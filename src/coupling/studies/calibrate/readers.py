"""Claimants that read the text alone: fitted on labels, or on what each run now does about other clusters.

For every pair and each of its choices a logistic regression says how likely it is the answer, with the
cue and without it. Its features are TF-IDF weights of the words of the question, of the choice, and of
the words again where the choice is the cue's value: enough to learn which answers are common, and whose
hints are followed about what. No model is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from coupling.records import CounterfactualPair, Effect

FOLDS = 5
Effects = Mapping[str, Effect]
"""Pair id → effect."""


def fitted_claims(
    known: Sequence[CounterfactualPair], effects: Effects, asked: Sequence[CounterfactualPair]
) -> dict[str, Effect]:
    """Fitted on what ``effects`` says of the ``known`` pairs: its claim about each pair ``asked`` about."""
    with_cue = _answers(known, [effects[pair.id].with_cue for pair in known], asked)
    without = _answers(known, [effects[pair.id].without_cue for pair in known], asked)
    return {pair.id: Effect(*answers) for pair, *answers in zip(asked, with_cue, without, strict=True)}


def cross_fitted_claims(
    pairs: Sequence[CounterfactualPair], by_run: Sequence[Effects]
) -> list[dict[str, Effect]]:
    """Fitted on the effects of each run themselves: for each run its claims about all pairs.

    Clusters are dealt into folds, and the pairs of one fold are asked of a claimant that was fitted on the
    others.
    """
    clusters = sorted({pair.cluster for pair in pairs})
    fold_of = {cluster: number % FOLDS for number, cluster in enumerate(clusters)}
    claims: list[dict[str, Effect]] = [{} for _ in by_run]
    for fold in range(min(FOLDS, len(clusters))):
        known = [pair for pair in pairs if fold_of[pair.cluster] != fold]
        asked = [pair for pair in pairs if fold_of[pair.cluster] == fold]
        for said, effects in zip(claims, by_run, strict=True):
            said |= fitted_claims(known, effects, asked)
    return claims


def _answers(
    known: Sequence[CounterfactualPair], answers: Sequence[str], asked: Sequence[CounterfactualPair]
) -> list[str]:
    """The most probable choice of each pair asked about."""
    # Here, because loading it takes as long as judging does.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(analyzer=str.split, sublinear_tf=True)
    features = vectorizer.fit_transform([text for pair in known for text in _texts(pair)])
    is_answer = np.array(
        [choice == answer for pair, answer in zip(known, answers, strict=True) for choice in pair.choices]
    )
    model = LogisticRegression(C=10.0, max_iter=10_000).fit(features, is_answer)
    scores = model.decision_function(vectorizer.transform([text for pair in asked for text in _texts(pair)]))
    found, start = [], 0
    for pair in asked:
        of_pair = scores[start : start + len(pair.choices)]
        found.append(pair.choices[int(np.argmax(of_pair.round(6)))])
        start += len(pair.choices)
    return found


def _texts(pair: CounterfactualPair) -> list[str]:
    """A text for each choice: the question's words, marked where the choice is the cue's value."""
    words = pair.with_cue.lower().replace("?", " ?").replace(".", " .").split()
    found = []
    for choice in pair.choices:
        name = choice.lower().replace(" ", "_")
        hinted = [f"hinted:{word}" for word in words] if choice == pair.cue_value else []
        found.append(" ".join([*words, f"answer:{name}", *hinted]))
    return found
