"""What the rest of the table says about a pair, once most of it is judged.

Which values stand for each other ("VLDB" and "Very Large Data Bases"), which ways of writing come from the same source,
and whether one of the two rows has a likelier partner elsewhere.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from findmatches.columns import Column
from findmatches.features import Matrix

Indices = NDArray[np.int64]
Chances = NDArray[np.float64]

# So many pairs of average chance are mixed into each rate, so that a value pair seen once says next to nothing.
_MIXED_IN = 4.0


def context(columns: tuple[Column, ...], left: Indices, right: Indices, likely: Chances) -> Matrix:
    """Features of all candidate pairs from a first opinion about all of them; a pair's own opinion is left out."""
    found = []
    for column in columns:
        found.append(_rate(column.codes[left], column.codes[right], likely))
        found.append(_rate(column.styles[left], column.styles[right], likely))
    rivals = _rivals(left, right, likely)
    return np.stack([*found, rivals.max(axis=0), rivals.min(axis=0)], axis=1).astype(np.float32)


def owners(columns: tuple[Column, ...]) -> list[str | None]:
    return [column.name for column in columns for _ in range(2)] + [None, None]


def _rate(one: Indices, other: Indices, likely: Chances) -> Any:  # noqa: ANN401 - numpy float array
    """Log odds that a pair with these two values matches, against all pairs."""
    mean = float(likely.mean())
    keys = np.minimum(one, other) * (int(max(one.max(), other.max())) + 1) + np.maximum(one, other)
    _, back = np.unique(keys, return_inverse=True)
    back = back.ravel()
    hits = np.bincount(back, weights=likely)[back] - likely
    pairs = np.bincount(back)[back] - 1
    rate = np.clip((hits + _MIXED_IN * mean) / (pairs + _MIXED_IN), 1e-4, 1 - 1e-4)
    return np.log(rate / (1 - rate)) - np.log(max(mean, 1e-4) / max(1 - mean, 1e-4))


def _rivals(left: Indices, right: Indices, likely: Chances) -> Any:  # noqa: ANN401 - numpy float array
    """For either row the chance of its likeliest other partner; 2 x pairs."""
    size = int(right.max()) + 1
    between = left != right
    best, second = np.zeros(size), np.zeros(size)
    for rows in (left[between], right[between]):
        np.maximum.at(best, rows, likely[between])
    ends = np.concatenate([left[between], right[between]])
    chances = np.concatenate([likely[between], likely[between]])
    order = np.lexsort((-chances, ends))
    ends, chances = ends[order], chances[order]
    place = np.arange(len(ends)) - np.searchsorted(ends, ends)
    second[ends[place == 1]] = chances[place == 1]
    return np.stack([np.where(likely >= best[rows], second[rows], best[rows]) for rows in (left, right)])
