"""Groups from chances, under constraints; and a model that listens to labels more than to a guess."""

import numpy as np

from findmatches.classifier import Known, learn
from findmatches.clustering import average_linkage, groups
from findmatches.constraints import Bound


def test_rows_told_apart_stay_apart_when_both_join_others() -> None:
    told_apart = Bound(np.arange(4), np.full(4, -1), frozenset({(1, 3)}))
    left, right, chance = np.array([0, 2, 0]), np.array([1, 3, 2]), np.array([0.9, 0.8, 0.7])
    merges = average_linkage(left, right, chance, np.ones(4, np.int64), told_apart)
    group = groups(4, merges, len(merges.chance))
    assert group[0] == group[1]
    assert group[2] == group[3]
    assert group[1] != group[3]


def test_a_hundred_labels_outvote_thousands_of_wrong_guesses() -> None:
    random = np.random.default_rng(0)
    labeled, guessed = random.random((100, 3)), random.random((4000, 3))
    own = np.concatenate([labeled, guessed]).astype(np.float32)
    match = np.concatenate([labeled[:, 0] > 0.8, guessed[:, 0] > 0.4])
    weight = np.concatenate([np.ones(100), np.full(4000, 20 / 4000)])
    known = Known(np.arange(len(own)), match, weight, np.arange(len(own)))
    asked = np.stack([np.array([0.5, 0.6, 0.95]), np.full(3, 0.5), np.full(3, 0.5)], axis=1).astype(np.float32)
    chances = learn(own, known, seed=0).trees.predict_proba(asked)[:, 1]
    assert chances[0] < 0.5
    assert chances[1] < 0.5
    assert chances[2] > 0.5
