"""Accepted labels as pairs of rows that match or don't."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.table import Table


@dataclass(frozen=True)
class Label:
    """One row of an accepted label file: within a set, rows with the same label match and all others don't."""

    set_id: str
    label: str
    key: str


@dataclass(frozen=True)
class LabeledPairs:
    """Each pair once, `left` < `right`; `fold` numbers the labeling set that spoke last about it."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    match: NDArray[np.bool_]
    fold: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.left)

    def where(self, keep: NDArray[np.bool_]) -> "LabeledPairs":
        return LabeledPairs(self.left[keep], self.right[keep], self.match[keep], self.fold[keep])


NO_PAIRS = LabeledPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.int64))


def labeled_pairs(table: Table, labels: Sequence[Label]) -> LabeledPairs:
    """All pairs within each set, as row numbers; the later label wins. Labels of keys that the table lacks are ignored."""
    spoken: dict[tuple[int, int], tuple[bool, int]] = {}
    for number, members in enumerate(labeled_sets(table, labels)):
        for place, (one, label) in enumerate(members):
            for other, other_label in members[:place]:
                if one != other:
                    pair = (min(one, other), max(one, other))
                    spoken[pair] = (label == other_label, number)
    pairs = np.array(sorted(spoken), np.int64).reshape(-1, 2)
    said = [spoken[one, other] for one, other in pairs.tolist()]
    match = np.array([match for match, _ in said], np.bool_)
    return LabeledPairs(pairs[:, 0], pairs[:, 1], match, np.array([fold for _, fold in said], np.int64))


def labeled_sets(table: Table, labels: Sequence[Label]) -> list[list[tuple[int, str]]]:
    """Per labeling set its (row, label); sets in the order in which each was last added to, one label per row, the latest."""
    row_of = {key: row for row, key in enumerate(table.keys)}
    sets: dict[str, dict[int, str]] = {}
    for label in labels:
        row = row_of.get(label.key)
        if row is not None:
            members = sets.pop(label.set_id, {})
            members[row] = label.label
            sets[label.set_id] = members
    return [list(members.items()) for members in sets.values()]
