"""Pseudo-labels: pairs that very probably match or don't, chosen without any label from the table's own structure.

Two rows that are each other's nearest neighbor, far nearer than most, are assumed to match. Primpeli, Bizer and Keuper,
"Unsupervised bootstrapping of active learning for entity resolution", 2020.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.features import ROW_SIMILARITY, Matrix, reciprocal

_MAX_MATCHES = 1500
_MAX_DIFFERENT = 2 * _MAX_MATCHES
_MIN_DISTINCT_SIMILARITIES = 2


@dataclass(frozen=True)
class PseudoLabels:
    """Some pairs by their places among the candidates, and their assumed outcome; one length.

    `threshold`: from which mean similarity on reciprocal nearest neighbors are assumed to match. `match_share`: the share of
    all candidate pairs above it, 0..1, an estimate of how many of them match.
    """

    places: NDArray[np.int64]
    match: NDArray[np.bool_]
    threshold: float
    match_share: float

    def __len__(self) -> int:
        return len(self.places)


def pseudo_labels(features: Matrix, seed: int) -> PseudoLabels:
    """`features` of candidate pairs of records that differ, shape (pairs, width). Empty if no two kinds show."""
    none = PseudoLabels(np.zeros(0, np.int64), np.zeros(0, np.bool_), np.inf, 0.0)
    mean = features[:, ROW_SIMILARITY].mean(axis=1)
    if len(np.unique(mean)) < _MIN_DISTINCT_SIMILARITIES:
        return none
    # Reciprocal nearest neighbors on the near side of the threshold match; other pairs on the far side don't.
    mutual = reciprocal(features)
    # Among the mutual pairs the cut separates matches from rows that have none. Where every row has a match, it would only
    # separate good matches from better ones, and the cut among all pairs is the clearer one.
    threshold, separation = _otsu_threshold(mean)
    if mutual.sum() > 1:
        of_mutual, separation_of_mutual = _otsu_threshold(mean[mutual])
        if separation_of_mutual >= separation:
            threshold = of_mutual
    matches = np.flatnonzero(mutual & (mean >= threshold))
    different = np.flatnonzero(~mutual & (mean < threshold))
    if not len(matches) or not len(different):
        return none
    random = np.random.default_rng(seed)
    matches = random.choice(matches, min(_MAX_MATCHES, len(matches)), replace=False)
    different = random.choice(different, min(_MAX_DIFFERENT, len(different)), replace=False)
    places = np.concatenate([matches, different])
    share = float((mean >= threshold).mean())
    return PseudoLabels(places, np.arange(len(places)) < len(matches), threshold, share)


def _otsu_threshold(values: Matrix) -> tuple[float, float]:
    """The cut that makes both sides most uniform, and how well it separates them, 0..1: the share of variance between them.

    Otsu, "A threshold selection method from gray-level histograms", 1979; the share is his criterion eta.
    """
    # Maximizes the variance between the two classes, for every cut of the sorted values at once.
    ordered = np.sort(values.astype(np.float64))
    count = np.arange(1, len(ordered))
    total = np.cumsum(ordered)
    mean_below = total[:-1] / count
    mean_above = (total[-1] - total[:-1]) / (len(ordered) - count)
    between = count * (len(ordered) - count) * (mean_above - mean_below) ** 2 / len(ordered) ** 2
    cut = int(np.argmax(between))
    return float((ordered[cut] + ordered[cut + 1]) / 2), float(between[cut] / max(float(ordered.var()), 1e-12))
