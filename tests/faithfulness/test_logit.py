"""The conditional logit: one optimum, whichever way it is found, and folds that are left out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize  # type: ignore[import-untyped]

from coupling.faithfulness.logit import ConditionalLogit, log_softmax

ROWS, CHOICES, FEATURES = 120, 4, 3


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def logit(random: np.random.Generator) -> ConditionalLogit:
    features = random.normal(size=(ROWS, CHOICES, FEATURES))
    valid = np.ones((ROWS, CHOICES), dtype=bool)
    valid[::3, -1] = False
    utilities = features @ np.array([1.0, -0.5, 0.0]) + np.where(valid, 0, -np.inf)
    made = (utilities + random.gumbel(size=utilities.shape)).argmax(axis=1)
    return ConditionalLogit(features, made, valid)


def loss(logit: ConditionalLogit, weights: np.ndarray, ridge: float, around: np.ndarray) -> float:
    log_p = log_softmax(logit.features @ weights + logit.floor)
    made = log_p[np.arange(len(logit.made)), logit.made]
    return float(-made.sum() + ridge / 2 * ((weights - around) ** 2).sum())


def test_another_optimiser_finds_the_same_weights(logit: ConditionalLogit) -> None:
    around = np.array([0.5, 0.0, -1.0])
    found = logit.fit(2.0, around)
    other = minimize(lambda weights: loss(logit, weights, 2.0, around), around, method="BFGS", tol=1e-9).x
    assert found == pytest.approx(other, abs=1e-5)


def test_a_great_ridge_leaves_the_weights_where_they_are_held(logit: ConditionalLogit) -> None:
    around = np.array([0.5, 0.0, -1.0])
    assert logit.fit(1e9, around) == pytest.approx(around, abs=1e-6)


def test_a_fold_is_predicted_by_the_others_alone(
    logit: ConditionalLogit, random: np.random.Generator
) -> None:
    fold_of = random.permutation(ROWS) % 5
    (fitted,) = logit.cross_fit([fold_of], ridge=1.0)
    for fold, weights in enumerate(fitted):
        kept = fold_of != fold
        alone = ConditionalLogit(logit.features[kept], logit.made[kept], logit.floor[kept] == 0)
        assert weights == pytest.approx(alone.fit(1.0, np.zeros(FEATURES)), abs=1e-6)
    expected = log_softmax(np.einsum("rkf,rf->rk", logit.features, fitted[fold_of]) + logit.floor)
    assert logit.predict(fitted, fold_of) == pytest.approx(expected)


def test_padding_is_never_chosen(logit: ConditionalLogit) -> None:
    fold_of = np.arange(ROWS) % 2
    (fitted,) = logit.cross_fit([fold_of], ridge=1.0)
    predicted = np.exp(logit.predict(fitted, fold_of))
    assert predicted[logit.floor < 0].max() == 0
    assert predicted.sum(axis=1) == pytest.approx(np.ones(ROWS))
