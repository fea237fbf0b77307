"""Features of a pair from the scores of all other pairs.

Which values stand for each other ("VLDB" and "Very Large Data Bases"), which writing styles match each other, and whether
one of the two records has a competing pair. Bhattacharya and Getoor, "Collective entity resolution in relational data",
2007.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from findmatches.columns import Column
from findmatches.features import Matrix

Indices = NDArray[np.int64]
Probabilities = NDArray[np.float64]

# So many pairs of average probability are added to each rate, so that a pair of values seen once counts for little.
_PRIOR_PAIRS = 4.0


def collective_features(columns: tuple[Column, ...], left: Indices, right: Indices, probability: Probabilities) -> Matrix:
    """Features from first probabilities of all pairs; a pair's own is left out. Shape (pairs, 2 * columns + 2), float32."""
    features = []
    for column in columns:
        features.append(_match_rate(column.codes[left], column.codes[right], probability))
        features.append(_match_rate(column.styles[left], column.styles[right], probability))
    competing = _competing_probability(left, right, probability)
    return np.stack([*features, competing.max(axis=0), competing.min(axis=0)], axis=1).astype(np.float32)


def column_of_feature(columns: tuple[Column, ...]) -> list[str | None]:
    """The column that each feature belongs to; None for those of the whole row."""
    return [column.name for column in columns for _ in range(2)] + [None, None]


def _match_rate(left_code: Indices, right_code: Indices, probability: Probabilities) -> Any:  # noqa: ANN401 - numpy float array
    """Log odds of a match given these two values, relative to all pairs; shape (pairs,)."""
    # Leave-one-out target encoding with an m-estimate: Micci-Barreca, "A preprocessing scheme for high-cardinality
    # categorical attributes", 2001. Two sums by value pair, each pair's own part taken out again.
    mean = float(probability.mean())
    base = int(max(left_code.max(), right_code.max())) + 1
    keys = np.minimum(left_code, right_code) * base + np.maximum(left_code, right_code)
    _, inverse = np.unique(keys, return_inverse=True)
    inverse = inverse.ravel()
    matches = np.bincount(inverse, weights=probability)[inverse] - probability
    pairs = np.bincount(inverse)[inverse] - 1
    rate = np.clip((matches + _PRIOR_PAIRS * mean) / (pairs + _PRIOR_PAIRS), 1e-4, 1 - 1e-4)
    return np.log(rate / (1 - rate)) - np.log(max(mean, 1e-4) / max(1 - mean, 1e-4))


def _competing_probability(left: Indices, right: Indices, probability: Probabilities) -> Any:  # noqa: ANN401 - numpy float array
    """For either record the probability of its best pair with a third record; shape (2, pairs)."""
    # Each record's best and second best probability: a pair that holds the best competes with the second.
    size = int(right.max()) + 1
    between = left != right
    best, second = np.zeros(size), np.zeros(size)
    for records in (left[between], right[between]):
        np.maximum.at(best, records, probability[between])
    ends = np.concatenate([left[between], right[between]])
    of_ends = np.concatenate([probability[between], probability[between]])
    order = np.lexsort((-of_ends, ends))
    ends, of_ends = ends[order], of_ends[order]
    place = np.arange(len(ends)) - np.searchsorted(ends, ends)
    second[ends[place == 1]] = of_ends[place == 1]
    return np.stack([np.where(probability >= best[records], second[records], best[records]) for records in (left, right)])
