"""Labels as pairs of rows that match or don't."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.table import Table, shown


class InvalidLabels(ValueError):
    """The labels cannot be learned from; the message names the label, counted from 1, and its set."""


@dataclass(frozen=True)
class Label:
    """One row of a label file: within a labeling set, rows with the same label match and all others don't.

    Labels say nothing across sets: "a" in one set and "a" in another set are unrelated.
    """

    set_id: str
    label: str
    key: str


@dataclass(frozen=True)
class LabeledPairs:
    """Each pair once, as four arrays of one length.

    `left` < `right` are row or record numbers, `match` the outcome, `fold` the number of the labeling set that it comes
    from: the latest one if several sets hold the pair.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    match: NDArray[np.bool_]
    fold: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.left)

    def where(self, keep: NDArray[np.bool_]) -> "LabeledPairs":
        """The pairs that the mask `keep` selects."""
        return LabeledPairs(self.left[keep], self.right[keep], self.match[keep], self.fold[keep])


NO_PAIRS = LabeledPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.int64))


def labeled_pairs(table: Table, labels: Sequence[Label]) -> LabeledPairs:
    """All pairs within each set, as row numbers; the later label wins. Labels of keys that the table lacks are ignored."""
    outcomes: dict[tuple[int, int], tuple[bool, int]] = {}
    for fold, members in enumerate(labeled_sets(table, labels)):
        for place, (row, label) in enumerate(members):
            for earlier_row, earlier_label in members[:place]:
                if row != earlier_row:
                    pair = (min(row, earlier_row), max(row, earlier_row))
                    outcomes[pair] = (label == earlier_label, fold)
    pairs = np.array(sorted(outcomes), np.int64).reshape(-1, 2)
    sorted_outcomes = [outcomes[left, right] for left, right in pairs.tolist()]
    match = np.array([match for match, _ in sorted_outcomes], np.bool_)
    return LabeledPairs(pairs[:, 0], pairs[:, 1], match, np.array([fold for _, fold in sorted_outcomes], np.int64))


def check_labels(table: Table, labels: Sequence[Label]) -> None:
    """Raises InvalidLabels at the first label that is blank, is no text, or whose primary key no row of the table has."""
    keys = set(table.keys)
    for number, label in enumerate(labels, start=1):
        _check_type(number, label)
        for name, value in (("labeling set id", label.set_id), ("label", label.label), ("primary key", label.key)):
            _check_text(number, name, value)
        if label.key not in keys:
            raise InvalidLabels(
                f"Label {number}, set {shown(label.set_id)}: no row has {shown(label.key)} in column {table.primary_key}, "
                "the primary key."
            )


def _check_type(number: int, label: object) -> None:
    if not isinstance(label, Label):
        raise InvalidLabels(f"Label {number} is no Label(set_id, label, key).")


def _check_text(number: int, name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidLabels(f"Label {number}: its {name} is no text.")
    if not value or not value.strip():
        raise InvalidLabels(f"Label {number}: its {name} is blank.")


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
