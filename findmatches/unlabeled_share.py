"""Before any label: how many pairs match, judged from the table's own structure.

Trained on pseudo-labels, a classifier knows the most similar pair of each row only, and expects too few matches in large
groups. The share of candidates above the pseudo-labels' threshold tells their number, if those pairs behave as matches do: if a
matches b and b matches c, a matches c. A shift of all log odds adapts a classifier to another share of matches: Saerens,
Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", 2002.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit

Indices = NDArray[np.int64]
Probabilities = NDArray[np.float64]

# Chosen on twelve tables, one seed each: those with groups of records had 0.86 and more, those whose similar pairs are mostly
# different things 0.79 and less. Tables in which next to nothing matches pass too (0.95 to 1.00).
_MIN_TRANSITIVITY = 0.82
_MAX_SHIFT = 15.0
_STEPS = 50


def transitivity(left: Indices, right: Indices, similar: NDArray[np.bool_], records: int) -> float:
    """Of the pairs whose records are both similar to a third one, the share that are similar themselves, 0..1.

    `left` < `right`, `similar`: the compared pairs of records, shape (pairs,). 0 where there is no such pair.
    """
    # Paths of length two are the square of the adjacency matrix.
    ends = (np.append(left[similar], right[similar]), np.append(right[similar], left[similar]))
    links = sparse.csr_matrix((np.ones(len(ends[0]), np.float32), ends), shape=(records, records))
    paths = links @ links
    of_pairs = np.asarray(paths[left, right]).ravel()
    total = float(of_pairs.sum())
    return float(of_pairs[similar].sum()) / total if total else 0.0


def log_odds_shift(probability: Probabilities, share: float, transitive: float) -> float:
    """What to add to the log odds of all pairs so that `share` of them match; never negative.

    0 where similar pairs are not `transitive` enough to be taken for matches.
    """
    if transitive < _MIN_TRANSITIVITY or not 0 < share < 1 or probability.mean() >= share:
        return 0.0
    log_odds = logit(np.clip(probability, 1e-6, 1 - 1e-6))
    low, high = 0.0, _MAX_SHIFT
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(log_odds + middle).mean() < share else (low, middle)
    return low
