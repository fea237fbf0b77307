"""The first cut: a linear model on what the search knows of each pair drops the hopeless ones before they are compared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from findmatches.classifier import Probabilities
from findmatches.features import Matrix

# The pairs cut may hold this share of the matches that the first classifier expects in the sample. Pairs below
# the last probability are not expected to match, many as they are.
_MAX_LOST_SHARE = 0.002
_MIN_EXPECTED_PROBABILITY = 0.1
_MIN_WEIGHT = 1e-3


@dataclass(frozen=True)
class FirstCut:
    """Logistic regression on standardized figures; pairs below `min_probability` are not compared value by value."""

    mean: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: float
    min_probability: float

    def probability(self, figures: Matrix) -> Probabilities:
        """The probability of a match, 0..1, per pair; `figures`: SearchFigures.matrix(), shape (pairs, 7)."""
        # Row by row, not by BLAS: a pair's result must not depend on the pairs beside it.
        log_odds = ((figures - self.mean) * self.weights).sum(axis=1) + self.intercept
        probability: Probabilities = 1 / (1 + np.exp(-log_odds))
        return probability


def first_cut(figures: Matrix, probability: Probabilities) -> FirstCut:
    """Learns from a sample, whose `probability` is the first classifier's, how far its answer can be foreseen."""
    scaler = StandardScaler().fit(figures)
    weights = np.concatenate([probability, 1 - probability])
    # Each pair is a match and a difference at once, weighted by its probability.
    used = np.flatnonzero(weights > _MIN_WEIGHT)
    matches = np.repeat([True, False], len(figures))[used]
    model = LogisticRegression(C=1.0, max_iter=500)
    model.fit(scaler.transform(figures)[used % len(figures)], matches, weights[used])
    cut = FirstCut(scaler.mean_, model.coef_[0] / scaler.scale_, float(model.intercept_[0]), 0.0)
    foreseen = cut.probability(figures)
    order = np.argsort(foreseen)
    expected = np.cumsum(np.where(probability >= _MIN_EXPECTED_PROBABILITY, probability, 0)[order])
    lost = int(np.searchsorted(expected, _MAX_LOST_SHARE * expected[-1], side="right"))
    return FirstCut(cut.mean, cut.weights, cut.intercept, float(foreseen[order[min(lost, len(order) - 1)]]))
