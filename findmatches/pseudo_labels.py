"""What matches, guessed without any label: rows that pick each other as nearest, far nearer than all others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.blocking import Neighbors
from findmatches.features import Matrix

_MOST = 1500
_FEWEST_DIFFERENT = 2


@dataclass(frozen=True)
class Guess:
    """Some pairs (their places among the candidates) that probably match or probably don't."""

    pairs: NDArray[np.int64]
    match: NDArray[np.bool_]


def guess(near: Neighbors, left: NDArray[np.int64], right: NDArray[np.int64], alike: Matrix, seed: int) -> Guess:
    """`alike`: per pair how alike words, n-grams and columns are (features.LIKENESS). Pairs of identical rows teach nothing."""
    nothing = Guess(np.zeros(0, np.int64), np.zeros(0, np.bool_))
    some = np.flatnonzero(left != right)
    left, right, likeness = left[some], right[some], alike[some].mean(axis=1)
    if len(np.unique(likeness)) < _FEWEST_DIFFERENT:
        return nothing
    score = alike[some, :2].mean(axis=1)
    mutual = (near.rank(left, score) == 0) & (near.rank(right, score) == 0)
    level = _two_groups(likeness[mutual]) if mutual.sum() > 1 else _two_groups(likeness)
    same = np.flatnonzero(mutual & (likeness >= level))
    different = np.flatnonzero(~mutual & (likeness < level))
    if not len(same) or not len(different):
        return nothing
    random = np.random.default_rng(seed)
    same = random.choice(same, min(_MOST, len(same)), replace=False)
    different = random.choice(different, min(2 * _MOST, len(different)), replace=False)
    pairs = np.concatenate([same, different])
    return Guess(some[pairs], np.arange(len(pairs)) < len(same))


def _two_groups(values: Matrix) -> float:
    """Otsu's threshold: the cut that makes both sides most uniform."""
    ordered = np.sort(values.astype(np.float64))
    count = np.arange(1, len(ordered))
    total = np.cumsum(ordered)
    below = total[:-1] / count
    above = (total[-1] - total[:-1]) / (len(ordered) - count)
    between = count * (len(ordered) - count) * (above - below) ** 2
    cut = int(np.argmax(between))
    return float((ordered[cut] + ordered[cut + 1]) / 2)
