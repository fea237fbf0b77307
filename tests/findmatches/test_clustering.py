"""Groups from probabilities under constraints, and labels against pseudo-labels."""

import numpy as np

from findmatches.classifier import TrainingPairs, train
from findmatches.clustering import average_linkage, group_numbers
from findmatches.constraints import Constraints


def test_rows_that_cannot_link_stay_separate_when_both_join_others() -> None:
    cannot_link = Constraints(np.arange(4), np.full(4, -1), frozenset({(1, 3)}))
    left, right, probability = np.array([0, 2, 0]), np.array([1, 3, 2]), np.array([0.9, 0.8, 0.7])
    merges = average_linkage(left, right, probability, np.ones(4, np.int64), cannot_link)
    group = group_numbers(4, merges, len(merges.linkage))
    assert group[0] == group[1]
    assert group[2] == group[3]
    assert group[1] != group[3]


def test_a_hundred_labels_outweigh_thousands_of_wrong_pseudo_labels() -> None:
    random = np.random.default_rng(0)
    labeled, pseudo_labeled = random.random((100, 3)), random.random((4000, 3))
    features = np.concatenate([labeled, pseudo_labeled]).astype(np.float32)
    match = np.concatenate([labeled[:, 0] > 0.8, pseudo_labeled[:, 0] > 0.4])
    weight = np.concatenate([np.ones(100), np.full(4000, 20 / 4000)])
    training = TrainingPairs(np.arange(len(features)), match, weight, np.arange(len(features)))
    new_pairs = np.stack([np.array([0.5, 0.6, 0.95]), np.full(3, 0.5), np.full(3, 0.5)], axis=1).astype(np.float32)
    probability = train(features, training, seed=0).trees.predict_proba(new_pairs)[:, 1]
    assert probability[0] < 0.5
    assert probability[1] < 0.5
    assert probability[2] > 0.5
