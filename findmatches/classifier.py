"""The probability that a pair matches: a classifier trained on labeled and pseudo-labeled pairs."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn import config_context
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # a part of scikit-learn without types

from findmatches.features import Matrix
from findmatches.forest import Forest, grown_forest

Probabilities = NDArray[np.float64]
Weights = NDArray[np.float64]
Outcomes = NDArray[np.bool_]
Places = NDArray[np.int64]

_TREES = 80
_TREES_PER_FOLD = 25
_FOLDS = 3
_MAX_SCALED = 8.0
# A leaf rests on at least one labeled pair, or on dozens of pseudo-labeled ones: one wrong pseudo-label must not fill a leaf.
_MIN_LEAF_WEIGHT = 0.999


@dataclass(frozen=True)
class TrainingPairs:
    """Pairs with a known or assumed outcome: their places among all pairs, the outcome, the weight; one length.

    `fold` is equal for pairs that belong together, such as those of one labeling set.
    """

    places: Places
    match: Outcomes
    weight: Weights
    fold: Places

    def where(self, keep: Outcomes) -> "TrainingPairs":
        """The pairs that the mask `keep` selects."""
        return TrainingPairs(self.places[keep], self.match[keep], self.weight[keep], self.fold[keep])


@dataclass(frozen=True)
class LinearModel:
    """A logistic regression over scaled features: log odds = scaled features @ weights + intercept; shape (width,) each."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    weights: NDArray[np.float32]
    intercept: float

    def probability(self, features: Matrix) -> Probabilities:
        """The probability of a match, 0..1, per pair; shape (pairs,)."""
        # Row by row, not by BLAS, whose sums depend on the rows beside: a pair's result must be the same in any batch.
        scaled = _scaled(features, self.mean, self.scale)
        scaled *= self.weights
        log_odds = scaled.sum(axis=1).astype(np.float64) + self.intercept
        return np.asarray(expit(log_odds), np.float64)


@dataclass(frozen=True)
class PairClassifier:
    """The mean of a linear model, steady with few labels, and of trees, which learn interactions."""

    linear: LinearModel
    trees: Forest

    def probability(self, features: Matrix) -> Probabilities:
        """The probability of a match, 0..1, per pair; shape (pairs,)."""
        if not len(features):
            return np.zeros(0)
        return (self.linear.probability(features) + self.trees.probability(features)) / 2


def train(features: Matrix, training: TrainingPairs, seed: int, trees: int = _TREES) -> PairClassifier:
    """`features`: those of the training pairs, shape (pairs, width); both outcomes must occur among them."""
    # Checking its arguments again for each of the trees would take scikit-learn longer than growing them.
    with config_context(assume_finite=True, skip_parameter_validation=True), _single_threaded_blas():
        scaler = StandardScaler().fit(features)
        mean, scale = scaler.mean_.astype(np.float32), scaler.scale_.astype(np.float32)
        linear = LogisticRegression(C=0.3, max_iter=1000)
        linear.fit(_scaled(features, mean, scale), training.match, training.weight)
        min_leaf = min(0.5, _MIN_LEAF_WEIGHT / max(100.0, float(training.weight.sum())))
        forest = ExtraTreesClassifier(trees, min_weight_fraction_leaf=min_leaf, random_state=seed)
        forest.fit(features, training.match, training.weight)
    linear_model = LinearModel(mean, scale, linear.coef_[0].astype(np.float32), float(linear.intercept_[0]))
    return PairClassifier(linear_model, grown_forest(forest))


def out_of_fold_probability(features: Matrix, training: TrainingPairs, seed: int) -> Probabilities:
    """Each training pair's probability by a classifier that was not trained on its fold; 0.5 where none can be trained.

    Cross-fitting, as in Wolpert, "Stacked generalization", 1992.
    """
    probability = np.full(len(training.places), 0.5)
    for number in range(_FOLDS):
        held_out = training.fold % _FOLDS == number
        rest = training.where(~held_out)
        if held_out.any() and rest.match.any() and not rest.match.all():
            classifier = train(features[~held_out], rest, seed, _TREES_PER_FOLD)
            probability[held_out] = classifier.probability(features[held_out])
    return probability


def _single_threaded_blas() -> AbstractContextManager[object]:
    """For matrices this narrow, several threads of BLAS spend more time waiting for each other than they save."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits


def _scaled(features: Matrix, mean: NDArray[np.float32], scale: NDArray[np.float32]) -> Matrix:
    # A value far outside the training range says no more than one just outside.
    scaled: Matrix = features - mean
    scaled /= scale
    return np.clip(scaled, -_MAX_SCALED, _MAX_SCALED, out=scaled)
