"""How likely a pair of rows is the same thing: learned from labels, guessed from the table's structure without any."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # a part of scikit-learn without types

from findmatches.features import Matrix

Chances = NDArray[np.float64]
Weights = NDArray[np.float64]
Outcomes = NDArray[np.bool_]
Places = NDArray[np.int64]

_TREES = 80
_TREES_IN_FOLDS = 25
_FOLDS = 3
_OUTSIDE = 8.0
# A leaf rests on at least one labeled pair, or on dozens of guessed ones; a single wrong guess must not be one.
_LEAF_WEIGHS = 0.999


@dataclass(frozen=True)
class Known:
    """What is known to match or not: places among the pairs, the outcome there, and how much it counts.

    `fold` is equal for pairs that belong together, such as those of one labeling set.
    """

    places: Places
    match: Outcomes
    weight: Weights
    fold: Places

    def where(self, keep: Outcomes) -> "Known":
        return Known(self.places[keep], self.match[keep], self.weight[keep], self.fold[keep])


@dataclass(frozen=True)
class Model:
    """A committee: a linear model, steady with few labels, and trees, which learn what depends on what."""

    scaler: Any
    linear: Any
    trees: Any

    def chances(self, features: Matrix) -> Chances:
        """The probability of a match per row of features, 0..1."""
        if not len(features):
            return np.zeros(0)
        with config_context(assume_finite=True, skip_parameter_validation=True), _one_thread():
            linear: Chances = self.linear.predict_proba(_scaled(self.scaler, features))[:, 1]
            trees: Chances = self.trees.predict_proba(features)[:, 1]
        return (linear + trees) / 2


def learn(own: Matrix, known: Known, seed: int, trees: int = _TREES) -> Model:
    """`own`: the features of the known pairs; both outcomes must occur among them."""
    # Checking its arguments again for each of the trees would take scikit-learn longer than growing them.
    with config_context(assume_finite=True, skip_parameter_validation=True), _one_thread():
        scaler = StandardScaler().fit(own)
        linear = LogisticRegression(C=0.3, max_iter=1000).fit(_scaled(scaler, own), known.match, known.weight)
        leaf = min(0.5, _LEAF_WEIGHS / max(100.0, float(known.weight.sum())))
        forest = ExtraTreesClassifier(trees, min_weight_fraction_leaf=leaf, random_state=seed).fit(
            own, known.match, known.weight
        )
    return Model(scaler, linear, forest)


def unprejudiced(own: Matrix, known: Known, seed: int) -> Chances:
    """An opinion about each known pair from models that did not learn from its fold; 0.5 where none could be learned."""
    likely = np.full(len(known.places), 0.5)
    for number in range(_FOLDS):
        held = known.fold % _FOLDS == number
        rest = known.where(~held)
        if held.any() and rest.match.any() and not rest.match.all():
            likely[held] = learn(own[~held], rest, seed, _TREES_IN_FOLDS).chances(own[held])
    return likely


def _one_thread() -> AbstractContextManager[object]:
    """For matrices this narrow, several threads of BLAS spend more time waiting for each other than they save."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits


def _scaled(scaler: Any, features: Matrix) -> Matrix:  # noqa: ANN401 - scikit-learn carries no types
    # What lies far outside of everything learned says no more than what lies just outside.
    scaled: Matrix = np.clip(scaler.transform(features), -_OUTSIDE, _OUTSIDE)
    return scaled
