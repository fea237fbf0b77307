"""Pairs of records and their features, in blocks that are kept as long as they fit into memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from findmatches.features import FeatureExtractor, Matrix

Indices = NDArray[np.int64]
Number = TypeVar("Number", np.float32, np.float64)

# So many features are kept (float32: 500 MB); those of more pairs are computed again each time.
_MAX_KEPT_FEATURES = 125_000_000
_BATCH_PAIRS = 200_000


@dataclass(frozen=True)
class FeatureBlock:
    """Some pairs, with their features or, if they would not fit, without."""

    extractor: FeatureExtractor
    left: Indices
    right: Indices
    kept: Matrix | None

    def __len__(self) -> int:
        return len(self.left)

    def features(self, places: Indices | slice) -> Matrix:
        """The features of the block's pairs at `places`; shape (places, width)."""
        if self.kept is not None:
            return self.kept[places]
        return self.extractor.features(self.left[places], self.right[places])


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs `left` <= `right` of records 0 to `records` - 1, one block after another."""

    records: int
    left: Indices
    right: Indices
    blocks: tuple[FeatureBlock, ...]

    def __len__(self) -> int:
        return len(self.left)

    @property
    def keys(self) -> Indices:
        """One number per pair: left * records + right."""
        return self.left * self.records + self.right

    def places(self, keys: Indices) -> Indices:
        """Where the pairs with these keys are; they must be among the pairs."""
        order = np.argsort(self.keys, kind="stable")
        places: Indices = order[np.searchsorted(self.keys[order], keys)]
        return places

    def missing(self, keys: Indices) -> Indices:
        """Those of the keys, each once and sorted, that are not among the pairs yet."""
        # Both sides are unique: with that promise numpy skips most of its work.
        return np.setdiff1d(np.unique(keys), self.keys, assume_unique=True)

    def features(self, places: Indices) -> Matrix:
        """The features of the pairs at `places`; shape (places, width)."""
        features = np.empty((len(places), self.blocks[0].extractor.width), np.float32)
        start = 0
        for block in self.blocks:
            in_block = np.flatnonzero((places >= start) & (places < start + len(block)))
            features[in_block] = block.features(places[in_block] - start)
            start += len(block)
        return features

    def map_all(self, function: Callable[[Matrix], NDArray[Number]]) -> NDArray[Number]:
        """`function` of every pair's features, a batch at a time; shape (pairs,)."""
        parts = [
            function(block.features(slice(start, start + _BATCH_PAIRS)))
            for block in self.blocks
            for start in range(0, max(1, len(block)), _BATCH_PAIRS)
        ]
        return np.concatenate(parts)

    def map_at(self, places: Indices, function: Callable[[Matrix, Indices], NDArray[Number]]) -> NDArray[Number]:
        """`function` of some pairs' features and places, a batch at a time; shape (places,)."""
        parts = [places[start : start + _BATCH_PAIRS] for start in range(0, max(1, len(places)), _BATCH_PAIRS)]
        return np.concatenate([function(self.features(part), part) for part in parts])

    def extended(self, extractor: FeatureExtractor, keys: Indices) -> "Pairs":
        """These pairs, and after them those with the given keys, which must be new."""
        left, right = keys // self.records, keys % self.records
        block = feature_block(extractor, left, right)
        return Pairs(self.records, np.append(self.left, left), np.append(self.right, right), (*self.blocks, block))


def feature_block(extractor: FeatureExtractor, left: Indices, right: Indices) -> FeatureBlock:
    """Computes the features now if they fit into memory."""
    fits = len(left) * extractor.width <= _MAX_KEPT_FEATURES
    return FeatureBlock(extractor, left, right, extractor.features(left, right) if fits else None)
