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

_TREES = 80
_TREES_IN_FOLDS = 25
_FOLDS = 3
_OUTSIDE = 8.0


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

    def members(self, features: Matrix) -> tuple[Chances, Chances]:
        """The probability of a match per pair, by either member."""
        if not len(features):
            return np.zeros(0), np.zeros(0)
        linear: Chances = self.linear.predict_proba(_scaled(self.scaler, features))[:, 1]
        trees: Chances = self.trees.predict_proba(features)[:, 1]
        return linear, trees

    def chances(self, features: Matrix) -> Chances:
        linear, trees = self.members(features)
        return (linear + trees) / 2


def learn(features: Matrix, known: Known, seed: int, trees: int = _TREES) -> Model:
    """`features` of all pairs; both outcomes must occur in `known`."""
    own = features[known.places]
    scaler = StandardScaler().fit(own)
    linear = LogisticRegression(C=0.3, max_iter=1000).fit(_scaled(scaler, own), known.match, known.weight)
    forest = ExtraTreesClassifier(trees, random_state=seed).fit(own, known.match, known.weight)
    return Model(scaler, linear, forest)


def unprejudiced(features: Matrix, known: Known, seed: int) -> Chances:
    """An opinion about each known pair from models that did not learn from its fold; 0.5 where none could be learnt."""
    likely = np.full(len(known.places), 0.5)
    for number in range(_FOLDS):
        held = known.fold % _FOLDS == number
        rest = known.where(~held)
        if held.any() and rest.match.any() and not rest.match.all():
            likely[held] = learn(features, rest, seed, _TREES_IN_FOLDS).chances(features[known.places[held]])
    return likely


def _scaled(scaler: Any, features: Matrix) -> Matrix:  # noqa: ANN401 - scikit-learn carries no types
    # What lies far outside of everything learnt says no more than what lies just outside.
    scaled: Matrix = np.clip(scaler.transform(features), -_OUTSIDE, _OUTSIDE)
    return scaled
