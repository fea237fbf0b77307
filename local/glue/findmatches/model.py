"""How likely a pair of rows is the same thing: learnt from labels, guessed from the table's structure without any."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from local.glue.findmatches.features import Matrix

Chances = NDArray[np.float64]
Weights = NDArray[np.float64]
Outcomes = NDArray[np.bool_]
Places = NDArray[np.int64]

_TREES = 100
_TREES_AT_FIRST = 40
_FOLDS = 3
_OUTSIDE = 8.0


@dataclass(frozen=True)
class Model:
    """A committee: a linear model, steady with few labels, and trees, which learn what depends on what."""

    scaler: Any
    linear: Any
    trees: Any

    def members(self, features: Matrix) -> tuple[Chances, Chances]:
        """The probability of a match per pair, by either member."""
        linear: Chances = self.linear.predict_proba(_scaled(self.scaler, features))[:, 1]
        trees: Chances = self.trees.predict_proba(features)[:, 1]
        return linear, trees


def learn(features: Matrix, match: Outcomes, weight: Weights, seed: int) -> Model:
    """Both outcomes must occur in `match`; `weight` says how much each pair counts."""
    scaler = StandardScaler().fit(features)
    trees = ExtraTreesClassifier(_TREES, random_state=seed).fit(features, match, weight)
    return Model(scaler, _linear(_scaled(scaler, features), match, weight), trees)


def first_opinion(features: Matrix, learnt: Places, match: Outcomes, weight: Weights, fold: Places, seed: int) -> Chances:
    """Per row of `features`, from the rows `learnt`; each of those is judged by models that did not learn from it.

    `fold` groups learnt rows that belong together, such as those of one labeling set.
    """
    scaler = StandardScaler().fit(features[learnt])
    scaled, known = _scaled(scaler, features), features[learnt]
    trees = ExtraTreesClassifier(_TREES_AT_FIRST, random_state=seed)
    likely = (
        _linear(scaled[learnt], match, weight).predict_proba(scaled)[:, 1]
        + trees.fit(known, match, weight).predict_proba(features)[:, 1]
    ) / 2
    for number in range(_FOLDS):
        held, rest = fold % _FOLDS == number, fold % _FOLDS != number
        if held.any() and match[rest].any() and not match[rest].all():
            linear = _linear(scaled[learnt[rest]], match[rest], weight[rest]).predict_proba(scaled[learnt[held]])
            by_trees = trees.fit(known[rest], match[rest], weight[rest]).predict_proba(known[held])
            likely[learnt[held]] = (linear + by_trees)[:, 1] / 2
    mean: Chances = likely
    return mean


def _scaled(scaler: Any, features: Matrix) -> Matrix:  # noqa: ANN401 - scikit-learn carries no types
    # What lies far outside of everything learnt says no more than what lies just outside.
    scaled: Matrix = np.clip(scaler.transform(features), -_OUTSIDE, _OUTSIDE)
    return scaled


def _linear(scaled: Matrix, match: Outcomes, weight: Weights) -> Any:  # noqa: ANN401 - scikit-learn carries no types
    return LogisticRegression(C=0.3, max_iter=1000).fit(scaled, match, weight)
