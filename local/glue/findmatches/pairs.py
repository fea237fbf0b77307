"""The pairs of records under judgement, with their features in blocks: a block once computed is never copied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from local.glue.findmatches.features import Matrix
from local.glue.findmatches.pipeline import Prepared

Indices = NDArray[np.int64]
Number = TypeVar("Number", np.float32, np.float64)


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs `left` <= `right` of records 0 to `rows` - 1; `features` holds their rows, one block after another."""

    rows: int
    left: Indices
    right: Indices
    features: tuple[Matrix, ...]

    @property
    def keys(self) -> Indices:
        """One number per pair."""
        return self.left * self.rows + self.right

    def places(self, keys: Indices) -> Indices:
        """Where the pairs with these keys are; they must be among the pairs."""
        order = np.argsort(self.keys, kind="stable")
        found: Indices = order[np.searchsorted(self.keys[order], keys)]
        return found

    def take(self, places: Indices) -> Matrix:
        """The features of some pairs."""
        taken = np.empty((len(places), self.features[0].shape[1]), np.float32)
        start = 0
        for block in self.features:
            here = (places >= start) & (places < start + len(block))
            taken[here] = block[places[here] - start]
            start += len(block)
        return taken

    def each(self, judge: Callable[[Matrix], NDArray[Number]]) -> NDArray[Number]:
        """`judge` for every pair, some at a time."""
        parts = [
            judge(block[start : start + _AT_ONCE])
            for block in self.features
            for start in range(0, max(1, len(block)), _AT_ONCE)
        ]
        return np.concatenate(parts)

    def with_more(self, prepared: Prepared, keys: Indices) -> "Pairs":
        left, right = keys // self.rows, keys % self.rows
        block = prepared.comparison.features(left, right)
        return Pairs(self.rows, np.append(self.left, left), np.append(self.right, right), (*self.features, block))


_AT_ONCE = 200_000


def candidate_pairs(prepared: Prepared) -> Pairs:
    return Pairs(len(prepared.row_of), prepared.left, prepared.right, (prepared.features,))
