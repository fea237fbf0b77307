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

_TREES = 200
_SURE = 1e-4


@dataclass(frozen=True)
class Model:
    """A committee: a linear model, steady with few labels, and trees, which learn what depends on what."""

    scaler: Any
    linear: Any
    trees: Any

    def members(self, features: Matrix) -> tuple[Chances, Chances]:
        scaled = np.clip(self.scaler.transform(features), -8, 8)
        linear: Chances = self.linear.predict_proba(scaled)[:, 1]
        trees: Chances = self.trees.predict_proba(features)[:, 1]
        return linear, trees

    def chances(self, features: Matrix) -> Chances:
        """Probability of a match per pair, 0..1."""
        if not len(features):
            return np.zeros(0)
        linear, trees = self.members(features)
        return np.clip((linear + trees) / 2, _SURE, 1 - _SURE)


def learn(features: Matrix, match: NDArray[np.bool_], weight: NDArray[np.float64], seed: int) -> Model:
    """Both outcomes must occur in `match`; `weight` says how much each pair counts."""
    scaler = StandardScaler().fit(features)
    linear = LogisticRegression(C=0.3, max_iter=1000)
    linear.fit(np.clip(scaler.transform(features), -8, 8), match, weight)
    trees = ExtraTreesClassifier(_TREES, min_samples_leaf=1, max_features="sqrt", random_state=seed, n_jobs=1)
    trees.fit(features, match, weight)
    return Model(scaler, linear, trees)
