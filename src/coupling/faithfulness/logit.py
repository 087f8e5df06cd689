"""A conditional logit, fitted by Newton's method to its one optimum, and cross-fitted over folds.

Of n rows, row i has K choices with features x_ik; choice k is made with probability
exp(x_ik · w) / Σ_j exp(x_ij · w). The fit maximises

    Σ_i log P(choice of i) - ridge / 2 · |w - around|²

which is strictly concave, so that any optimiser finds the same w (McFadden 1974, Conditional logit analysis
of qualitative choice behavior). No library is used: scikit-learn's logistic regression knows no choices that
differ from row to row, and statsmodels' conditional logit has neither a ridge nor folds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse  # type: ignore[import-untyped]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TOLERANCE = 1e-10
"""In nats: a step that gains less than this is the last."""
MAX_STEPS = 200
IMPOSSIBLE = -1e9
"""The utility of padding."""


class ConditionalLogit:
    """Rows of choices, one of which is made.

    Args:
        features: shape (rows, choices, features).
        made: which choice is made, shape (rows,).
        valid: which are choices and which padding, shape (rows, choices).
    """

    def __init__(self, features: FloatArray, made: IntArray, valid: npt.NDArray[np.bool_]) -> None:
        assert features.shape[:2] == valid.shape and made.shape == valid.shape[:1]
        self.features = features
        self.made = made
        self.floor = np.where(valid, 0.0, IMPOSSIBLE)
        self._of_made = features[np.arange(len(made)), made]
        # Most features are about one choice of a row and 0 at the others.
        self._sparse = sparse.csr_array(features.reshape(-1, features.shape[-1]))
        self._transposed = sparse.csr_array(self._sparse.T)

    def fit(self, ridge: float, around: FloatArray) -> FloatArray:
        """The weights, shape (features,), fitted on all rows."""
        return self._fit(ridge, around, np.ones(len(self.made)), around, None)

    def cross_fit(
        self, folds: Sequence[IntArray], ridge: float, around: Sequence[FloatArray] | None = None
    ) -> list[FloatArray]:
        """Weights of every fold, fitted on the rows of the other folds, for several ways to deal folds.

        Args:
            folds: the fold of each row, shape (rows,), for each way.
            ridge: how strongly weights are held to ``around``.
            around: for each way, of every fold, shape (folds, features); 0 by default.

        Returns:
            For each way, shape (folds, features).
        """
        width = self.features.shape[-1]
        if around is None:
            around = [np.zeros((int(each.max()) + 1, width)) for each in folds]
        start = self.fit(ridge, np.concatenate(around).mean(axis=0))
        fitted = []
        for fold_of, centres in zip(folds, around, strict=True):
            # The curvature of each fold, found once near the optimum, serves all fits that leave it out.
            within = [self._curvature(start, fold_of == fold) for fold in range(len(centres))]
            whole = np.sum(within, axis=0) + ridge * np.eye(width)
            fitted.append(
                np.stack(
                    [
                        self._fit(ridge, centre, (fold_of != fold).astype(np.float64), start, whole - part)
                        for fold, (centre, part) in enumerate(zip(centres, within, strict=True))
                    ]
                )
            )
        return fitted

    def predict(self, weights: FloatArray, fold_of: IntArray) -> FloatArray:
        """Log-probabilities of every row by the weights of its fold, shape (rows, choices)."""
        utilities = np.empty(self.floor.shape)
        for fold, each in enumerate(weights):
            rows = fold_of == fold
            utilities[rows] = self.features[rows] @ each
        return log_softmax(utilities + self.floor)

    def _fit(
        self,
        ridge: float,
        around: FloatArray,
        counted: FloatArray,
        start: FloatArray,
        curvature: FloatArray | None,
    ) -> FloatArray:
        """Newton's method. A curvature found near the optimum saves computing it at every step, as long as
        steps with it gain what they promise; ``counted`` says which rows take part."""
        weights = start
        value, slope = self._loss(weights, ridge, around, counted)
        for _ in range(MAX_STEPS):
            exact = curvature is None
            if curvature is None:
                curvature = self._curvature(weights, counted > 0) + ridge * np.eye(len(weights))
            step = np.linalg.solve(curvature, slope)
            promised = float(slope @ step)
            if promised < TOLERANCE:
                return weights - step
            size = 1.0
            while True:
                candidate, next_slope = self._loss(weights - size * step, ridge, around, counted)
                if candidate <= value - 0.1 * size * promised or size < 1e-8:
                    break
                size /= 2
            weights, value, slope = weights - size * step, candidate, next_slope
            if exact or size < 1:
                curvature = None
        return weights

    def _loss(
        self, weights: FloatArray, ridge: float, around: FloatArray, counted: FloatArray
    ) -> tuple[float, FloatArray]:
        log_p = log_softmax((self._sparse @ weights).reshape(self.floor.shape) + self.floor)
        chance = np.exp(log_p) * counted[:, np.newaxis]
        off = weights - around
        value = -float(log_p[np.arange(len(self.made)), self.made] @ counted) + ridge / 2 * float(off @ off)
        expected = self._transposed @ chance.reshape(-1)
        return value, expected - counted @ self._of_made + ridge * off

    def _curvature(self, weights: FloatArray, rows: npt.NDArray[np.bool_]) -> FloatArray:
        features = self.features[rows]
        chance = np.exp(log_softmax(features @ weights + self.floor[rows]))
        mean = np.einsum("nk,nkf->nf", chance, features)
        spread = (features * np.sqrt(chance)[..., np.newaxis]).reshape(-1, len(weights))
        return np.asarray(spread.T @ spread - mean.T @ mean)


def log_softmax(utilities: FloatArray) -> FloatArray:
    """Along the last axis."""
    shifted = utilities - utilities.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
