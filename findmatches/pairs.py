"""The pairs of records under judgment, with their features in blocks, kept only as far as memory allows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from findmatches.feature_blocks import Block, block_of
from findmatches.features import Matrix
from findmatches.pipeline import Prepared

Indices = NDArray[np.int64]
Number = TypeVar("Number", np.float32, np.float64)

_AT_ONCE = 200_000


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs `left` <= `right` of records 0 to `rows` - 1, one block after another."""

    rows: int
    left: Indices
    right: Indices
    blocks: tuple[Block, ...]

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
        taken = np.empty((len(places), self.blocks[0].comparison.width), np.float32)
        start = 0
        for block in self.blocks:
            here = np.flatnonzero((places >= start) & (places < start + len(block)))
            taken[here] = block.features(places[here] - start)
            start += len(block)
        return taken

    def each(self, judge: Callable[[Matrix], NDArray[Number]]) -> NDArray[Number]:
        """`judge` for every pair, some at a time."""
        parts = [
            judge(block.features(slice(start, start + _AT_ONCE)))
            for block in self.blocks
            for start in range(0, max(1, len(block)), _AT_ONCE)
        ]
        return np.concatenate(parts)

    def some(self, places: Indices, judge: Callable[[Matrix, Indices], NDArray[Number]]) -> NDArray[Number]:
        """`judge` for some pairs, some at a time: their features, and their places among all."""
        parts = [places[start : start + _AT_ONCE] for start in range(0, max(1, len(places)), _AT_ONCE)]
        return np.concatenate([judge(self.take(part), part) for part in parts])

    def with_more(self, prepared: Prepared, keys: Indices) -> "Pairs":
        left, right = keys // self.rows, keys % self.rows
        more = block_of(prepared.comparison, left, right)
        return Pairs(self.rows, np.append(self.left, left), np.append(self.right, right), (*self.blocks, more))


def candidate_pairs(prepared: Prepared) -> Pairs:
    return Pairs(len(prepared.row_of), prepared.left, prepared.right, (prepared.candidates,))
