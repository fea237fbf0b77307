"""Features of a pair from the scores of all other pairs.

Which values stand for each other ("VLDB" and "Very Large Data Bases"), which writing styles match each other, and whether
one of the two records has a competing pair.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]

# So many pairs of average probability are added to each rate, so that a pair of values seen once counts for little.
_PRIOR_PAIRS = 4.0


def match_rate(matches: Probabilities, pairs: NDArray[np.int64], mean: float) -> Probabilities:
    """Log odds of a match given two values, relative to all pairs.

    `matches` and `pairs`: summed probability and number of the other pairs with these values; `mean`: that of all pairs.
    """
    # Leave-one-out target encoding with an m-estimate: Micci-Barreca, "A preprocessing scheme for high-cardinality
    # categorical attributes", 2001.
    rate = np.clip((matches + _PRIOR_PAIRS * mean) / (pairs + _PRIOR_PAIRS), 1e-4, 1 - 1e-4)
    relative: Probabilities = np.log(rate / (1 - rate)) - np.log(max(mean, 1e-4) / max(1 - mean, 1e-4))
    return relative


def competing_probability(probability: Probabilities, best: Probabilities, second: Probabilities) -> Probabilities:
    """The probability of a record's best pair with a third record: a pair that is its best competes with the second."""
    return np.where(probability >= best, second, best)


def column_of_feature(names: Sequence[str]) -> list[str | None]:
    """The column that each feature belongs to, None for those of the whole record; `names` are the columns'."""
    return [*(name for name in names for _ in range(2)), None, None]
