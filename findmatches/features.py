"""What is alike and what differs between the two rows of a pair, as numbers that a model can weigh."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from findmatches.blocking import Indices, Neighbors, Scores, row_cosine
from findmatches.columns import (
    Column,
    Texts,
    code_counts,
    idf_sets,
    number_counts,
    phrase_counts,
    shortened,
    words_sorted,
)

Matrix = NDArray[np.float32]

# Edit distances cost the product of both lengths; longer texts are compared by their words and n-grams.
_LONG = 80.0
_CHUNK = 100_000


@dataclass(frozen=True)
class Comparison:
    """How pairs of rows are turned into features: a block for each column, and one for the whole row."""

    columns: tuple[Column, ...]
    near: Neighbors
    phrases: Any
    codes: Any
    numbers: Any
    sorted_texts: Texts

    @property
    def owners(self) -> list[str | None]:
        """The column that each feature belongs to; None for those about the whole row."""
        per_column = [column.name for column in self.columns for _ in range(_PER_COLUMN)]
        return [*per_column, *([None] * _PER_ROW)]

    @property
    def width(self) -> int:
        """How many features a pair has."""
        return len(self.columns) * _PER_COLUMN + _PER_ROW

    def features(self, left: Indices, right: Indices) -> Matrix:
        """One row of features per pair, float32, no NaN."""
        found = np.empty((len(left), self.width), np.float32)
        for start in range(0, len(left), _CHUNK):
            part = slice(start, start + _CHUNK)
            for place, column in enumerate(self.columns):
                block = slice(place * _PER_COLUMN, (place + 1) * _PER_COLUMN)
                found[part, block] = _compare(column, left[part], right[part])
            found[part, -_PER_ROW:] = self._whole_row(found[part, :-_PER_ROW], left[part], right[part])
        return found

    def _whole_row(self, columns: Matrix, left: Indices, right: Indices) -> Matrix:
        near = self.near
        words, grams = row_cosine(near.words, left, right), row_cosine(near.grams, left, right)
        score = ((words + grams) / 2).astype(np.float32)
        ranks = np.stack([near.rank(left, score), near.rank(right, score)])
        margins = np.stack([near.margin(left, score), near.margin(right, score)])
        alike = columns[:, _ALIKE::_PER_COLUMN]
        known = 1 - columns[:, _MISSING_ANY::_PER_COLUMN]
        numbers = _shared(self.numbers, left, right)
        phrases, codes = _shared(self.phrases, left, right), _shared(self.codes, left, right)
        row = [
            words,
            grams,
            (alike * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1),
            np.where(known > 0, alike, 1).min(axis=1),
            known.mean(axis=1),
            np.log1p(ranks.min(axis=0)),
            np.log1p(ranks.max(axis=0)),
            margins.min(axis=0),
            margins.max(axis=0),
            phrases.of_smaller,
            phrases.of_both,
            phrases.rarest,
            codes.of_smaller,
            codes.of_both,
            codes.rarest,
            codes.in_both & (codes.of_both == 0),
            numbers.of_smaller,
            numbers.of_both,
            numbers.in_both & (numbers.of_both == 0),
            self._edits(left, right),
        ]
        return np.stack(row, axis=1).astype(np.float32)

    def _edits(self, left: Indices, right: Indices) -> Scores:
        scores: Scores = process.cpdist(self.sorted_texts[left], self.sorted_texts[right], scorer=fuzz.ratio, dtype=np.float32)
        return (scores / 100).astype(np.float32)


_PER_COLUMN = 11
_PER_ROW = 20
_MISSING_ANY, _ALIKE = 0, 3
LIKENESS = slice(-_PER_ROW, -_PER_ROW + 3)


def comparison(columns: Sequence[Column], near: Neighbors, texts: Sequence[str]) -> Comparison:
    # A price or a date is compared as such; its digits are no model number.
    worded = row_texts([column for column in columns if column.numbers is None and column.days is None], len(texts))
    return Comparison(
        tuple(columns),
        near,
        idf_sets(phrase_counts(texts)),
        idf_sets(code_counts(worded)),
        idf_sets(number_counts(worded)),
        words_sorted(shortened(texts)),
    )


def row_texts(columns: Sequence[Column], rows: int) -> list[str]:
    """Each row's values in these columns as one text."""
    if not columns:
        return [""] * rows
    by_column = [[column.values[code] for code in column.codes.tolist()] for column in columns]
    return [" ".join(filter(None, cells)) for cells in zip(*by_column, strict=True)]


@dataclass(frozen=True)
class _Shared:
    """Shared terms by how rare they are: their share of the smaller and of both sides, 0..1, and the rarest one."""

    of_smaller: Scores
    of_both: Scores
    rarest: Scores
    in_both: NDArray[np.bool_]


def _shared(sets: Any, left: Indices, right: Indices) -> _Shared:  # noqa: ANN401 - scipy's sparse arrays carry no types
    one, other = sets[left], sets[right]
    total_one, total_other = (np.asarray(side.sum(axis=1)).ravel() for side in (one, other))
    # Both sides hold the same weight for a shared term, so the root of the product is that weight.
    common = one.multiply(other).tocsr()
    common.data = np.sqrt(common.data)
    weight = np.asarray(common.sum(axis=1)).ravel()
    rarest = np.asarray(common.max(axis=1).todense()).ravel() / np.log(max(sets.shape[0], 2) + 1)
    smaller = np.minimum(total_one, total_other)
    return _Shared(
        (weight / np.maximum(smaller, 1e-6)).astype(np.float32),
        (weight / np.maximum(total_one + total_other - weight, 1e-6)).astype(np.float32),
        rarest.astype(np.float32),
        smaller > 0,
    )


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
    rows = column.frequencies.sum()
    rare = same * np.log(rows / np.maximum(column.frequencies[one], 1)) / np.log(max(rows, 2))
    grams = row_cosine(column.grams, one, other)
    if column.one_word:  # which words two values share is then no more than whether they are equal
        words, rarest, numbers, unlike = same, rare, same, ~same & known
    else:
        words = row_cosine(column.words, one, other)
        rarest = _shared(column.sets, one, other).rarest
        digits = _shared(column.digits, one, other)
        numbers, unlike = digits.of_both, digits.in_both & (digits.of_both == 0)
    if column.mean_length <= _LONG:
        close = _scored(column.short_values, one, other, known, JaroWinkler.similarity)
        edits = _scored(column.short_values, one, other, known, fuzz.ratio) / np.float32(100)
        if not column.one_word:
            edits = np.maximum(edits, _scored(column.sorted_values, one, other, known, fuzz.ratio) / np.float32(100))
    else:
        close, edits = words, grams
    distance = _distance(column, one, other, same)
    features = [absent > 0, absent > 1, words, edits, close, grams, rarest, rare, distance, numbers, unlike]
    table = np.stack(features, axis=1).astype(np.float32)
    table[~known, 2:6] = 0.5
    return table


def _scored(texts: Texts, one: Indices, other: Indices, known: NDArray[np.bool_], scorer: Callable[..., float]) -> Scores:
    scores = np.zeros(len(one), np.float32)
    if known.any():
        scores[known] = process.cpdist(texts[one[known]], texts[other[known]], scorer=scorer, dtype=np.float32)
    return scores


def _distance(column: Column, one: Indices, other: Indices, same: NDArray[np.bool_]) -> Any:  # noqa: ANN401 - float or bool
    """0 for equal to 1 for far apart; for text that is neither number nor date, whether the values differ."""
    if column.days is not None:
        apart = np.log1p(np.abs(column.days[one] - column.days[other])) / 10
    elif column.numbers is not None:
        first, second = column.numbers[one], column.numbers[other]
        apart = np.abs(first - second) / np.maximum(np.maximum(np.abs(first), np.abs(second)), 1e-9)
    else:
        return 1 - same
    return np.nan_to_num(np.minimum(apart, 1), nan=0.5)
