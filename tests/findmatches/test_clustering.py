"""Groups from probabilities under constraints, and labels against pseudo-labels."""

import numpy as np

from findmatches.classifier import TrainingPairs, train
from findmatches.clustering import average_linkage, best_merges, group_numbers
from findmatches.constraints import Constraints


def test_rows_that_cannot_link_stay_separate_when_both_join_others() -> None:
    cannot_link = Constraints(np.arange(4), np.full(4, -1), frozenset({(1, 3)}))
    left, right, probability = np.array([0, 2, 0]), np.array([1, 3, 2]), np.array([0.9, 0.8, 0.7])
    merges = average_linkage(
        left, right, probability, np.ones(4, np.int64), cannot_link, neighbors_per_row=10, min_linkage=0.05
    )
    group = group_numbers(4, merges)
    assert group[0] == group[1]
    assert group[2] == group[3]
    assert group[1] != group[3]


def _groups(pairs: list[tuple[int, int, float]], nodes: int, *, neighbors_per_row: int = 10) -> list[int]:
    left, right, probability = (np.array(column) for column in zip(*pairs, strict=True))
    constraints = Constraints(np.arange(nodes), np.full(nodes, -1), frozenset())
    records = np.ones(nodes, np.int64)
    merges = best_merges(left, right, probability, records, constraints, neighbors_per_row=neighbors_per_row, beta=1.0)
    groups: list[int] = group_numbers(nodes, merges).tolist()
    return groups


def test_thousands_of_improbable_pairs_do_not_lower_the_stop() -> None:
    certain = [(2 * number, 2 * number + 1, 0.9) for number in range(50)]
    doubtful = [(100 + 2 * number, 101 + 2 * number, 0.25) for number in range(50)]
    improbable = [(first, second, 0.02) for first in range(0, 200, 2) for second in range(first + 3, 200, 2)]
    group = _groups([*certain, *doubtful, *improbable], 200)
    assert all(group[first] == group[second] for first, second, _ in certain)
    assert not any(group[first] == group[second] for first, second, _ in doubtful)


def test_a_group_larger_than_the_neighbor_limit_forms() -> None:
    # Each row was compared with 10 of the 300 rows that it matches: 3 % of the group's pairs.
    random = np.random.default_rng(0)
    pairs = {
        (min(row, other), max(row, other)) for row in range(300) for other in random.choice(300, 10).tolist() if row != other
    }
    assert len(set(_groups([(*pair, 0.9) for pair in pairs], 300))) == 1


def test_two_large_groups_with_a_few_links_stay_separate() -> None:
    random = np.random.default_rng(0)
    pairs = {
        (min(row, other), max(row, other))
        for start in (0, 100)
        for row in range(start, start + 100)
        for other in (start + random.choice(100, 10)).tolist()
        if row != other
    }
    group = _groups([*((*pair, 0.9) for pair in pairs), (3, 150, 0.9), (60, 110, 0.9)], 200)
    assert len(set(group[:100])) == len(set(group[100:])) == 1
    assert group[0] != group[100]


def test_in_a_small_group_a_pair_never_compared_counts_as_different() -> None:
    group = _groups([(0, 1, 0.95), (1, 2, 0.6)], 3)
    assert group[0] == group[1] != group[2]


def test_a_hundred_labels_outweigh_thousands_of_wrong_pseudo_labels() -> None:
    random = np.random.default_rng(0)
    labeled, pseudo_labeled = random.random((100, 3)), random.random((4000, 3))
    features = np.concatenate([labeled, pseudo_labeled]).astype(np.float32)
    match = np.concatenate([labeled[:, 0] > 0.8, pseudo_labeled[:, 0] > 0.4])
    weight = np.concatenate([np.ones(100), np.full(4000, 20 / 4000)])
    training = TrainingPairs(np.arange(len(features)), match, weight, np.arange(len(features)))
    new_pairs = np.stack([np.array([0.5, 0.6, 0.95]), np.full(3, 0.5), np.full(3, 0.5)], axis=1).astype(np.float32)
    probability = train(features, training, seed=0).trees.probability(new_pairs)
    assert probability[0] < 0.5
    assert probability[1] < 0.5
    assert probability[2] > 0.5


def test_two_halves_of_one_large_group_merge_though_most_of_their_pairs_were_never_compared() -> None:
    # Each row was compared with 10 of the 200 rows of its group, which all match with a probability of 0.6.
    random = np.random.default_rng(0)
    pairs = {
        (min(row, other), max(row, other)) for row in range(200) for other in random.choice(200, 10).tolist() if row != other
    }
    constraints = Constraints(np.arange(2), np.full(2, -1), frozenset())
    left, right = (np.array([pair[side] // 100 for pair in sorted(pairs)]) for side in (0, 1))
    merges = average_linkage(
        left, right, np.full(len(left), 0.6), np.array([100, 100]), constraints, neighbors_per_row=10, min_linkage=0.05
    )
    assert len(merges) == 1
    assert merges.linkage[0] > 0.5
