"""What is alike and what differs between the two rows of a pair, as numbers that a model can weigh."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from local.glue.findmatches.candidates import Indices, Neighbours, Scores, row_cosine
from local.glue.findmatches.columns import Column

Matrix = NDArray[np.float32]

# Edit distances cost the product of both lengths; longer texts are compared by their words and n-grams.
_EDITED_CHARACTERS = 120
_LONG = 80.0
_CHUNK = 100_000


@dataclass(frozen=True)
class Comparison:
    """How pairs of rows are turned into features; `row_names` and `column_features` tell what each number is."""

    columns: tuple[Column, ...]
    near: Neighbours

    @property
    def owners(self) -> list[str | None]:
        """The column that each feature belongs to; None for those about the whole row."""
        per_column = [column.name for column in self.columns for _ in range(_PER_COLUMN)]
        return [*per_column, *([None] * _PER_ROW)]

    def features(self, left: Indices, right: Indices) -> Matrix:
        """One row of features per pair, float32, no NaN."""
        parts = [
            self._chunk(left[start : start + _CHUNK], right[start : start + _CHUNK]) for start in range(0, len(left), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.owners)), np.float32)

    def _chunk(self, left: Indices, right: Indices) -> Matrix:
        columns = [_compare(column, left, right) for column in self.columns]
        return np.concatenate([*columns, self._row_features(columns, left, right)], axis=1)

    def _row_features(self, columns: list[Matrix], left: Indices, right: Indices) -> Matrix:
        near = self.near
        score = near.similarity(left, right)
        ranks = np.stack([near.rank(left, score), near.rank(right, score)])
        margins = np.stack([near.margin(left, score), near.margin(right, score)])
        alike = np.stack([part[:, _ALIKE] for part in columns])
        known = 1 - np.stack([part[:, _MISSING_ANY] for part in columns])
        compared = np.maximum(known.sum(axis=0), 1)
        row = [
            row_cosine(near.words, left, right),
            row_cosine(near.grams, left, right),
            np.log1p(ranks.min(axis=0)),
            np.log1p(ranks.max(axis=0)),
            margins.min(axis=0),
            margins.max(axis=0),
            (alike * known).sum(axis=0) / compared,
            np.where(known > 0, alike, 1).min(axis=0),
            known.mean(axis=0),
        ]
        return np.stack(row, axis=1).astype(np.float32)


_PER_COLUMN = 8
_PER_ROW = 9
_MISSING_ANY, _ALIKE = 0, 3


def _compare(column: Column, left: Indices, right: Indices) -> Matrix:
    one, other = column.codes[left], column.codes[right]
    low, high = np.minimum(one, other), np.maximum(one, other)
    # Many pairs of rows compare the same two values: each two values are compared once.
    distinct, back = np.unique(low * len(column.values) + high, return_inverse=True)
    values = _compare_values(column, distinct // len(column.values), distinct % len(column.values))
    return values[back]


def _compare_values(column: Column, one: Indices, other: Indices) -> Matrix:
    missing = column.missing
    absent = missing[one].astype(np.float32) + missing[other]
    known = absent == 0
    same = (one == other) & known
    words, grams = row_cosine(column.words, one, other), row_cosine(column.grams, one, other)
    rows = column.frequencies.sum()
    rare = np.log(rows / np.maximum(column.frequencies[one], 1)) / np.log(max(rows, 2))
    if column.mean_length <= _LONG:
        close = _scored(column, one, other, known, JaroWinkler.similarity)
        edits = _scored(column, one, other, known, fuzz.token_sort_ratio) / 100
        edits = np.maximum(edits, _scored(column, one, other, known, fuzz.ratio) / 100)
    else:
        close, edits = words, grams
    features = [absent > 0, absent > 1, words, edits, close, grams, same * rare, _distance(column, one, other, same)]
    table = np.stack(features, axis=1).astype(np.float32)
    table[~known, 2:6] = 0.5
    return table


def _scored(column: Column, one: Indices, other: Indices, known: NDArray[np.bool_], scorer: Callable[..., float]) -> Scores:
    scores = np.zeros(len(one), np.float32)
    left = [column.values[value][:_EDITED_CHARACTERS] for value in one[known].tolist()]
    right = [column.values[value][:_EDITED_CHARACTERS] for value in other[known].tolist()]
    if left:
        scores[known] = process.cpdist(left, right, scorer=scorer, dtype=np.float32)
    return scores


def _distance(column: Column, one: Indices, other: Indices, same: NDArray[np.bool_]) -> Any:  # noqa: ANN401
    """0 for equal to 1 for far apart; for text that is neither number nor date, whether the values differ."""
    if column.days is not None:
        apart = np.log1p(np.abs(column.days[one] - column.days[other])) / 10
    elif column.numbers is not None:
        first, second = column.numbers[one], column.numbers[other]
        apart = np.abs(first - second) / np.maximum(np.maximum(np.abs(first), np.abs(second)), 1e-9)
    else:
        return 1 - same
    return np.nan_to_num(np.minimum(apart, 1), nan=0.5)
