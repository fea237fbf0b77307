"""Features of some pairs, in memory if they fit there: a million rows have more features than memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.features import Comparison, Matrix

Indices = NDArray[np.int64]

# So many features are kept (float32: 500 MB); of more pairs they are computed each time they are asked for.
_MOST_KEPT = 125_000_000


@dataclass(frozen=True)
class Block:
    """Some pairs, with their features or without."""

    comparison: Comparison
    left: Indices
    right: Indices
    kept: Matrix | None

    def __len__(self) -> int:
        return len(self.left)

    def features(self, places: Indices | slice) -> Matrix:
        if self.kept is not None:
            return self.kept[places]
        return self.comparison.features(self.left[places], self.right[places])


def block_of(comparison: Comparison, left: Indices, right: Indices) -> Block:
    few = len(left) * comparison.width <= _MOST_KEPT
    return Block(comparison, left, right, comparison.features(left, right) if few else None)
