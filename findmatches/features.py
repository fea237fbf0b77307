"""Features of a pair of rows: how similar each column and the whole row are, and what contradicts a match.

String similarities for matching: Cohen, Ravikumar and Fienberg, "A comparison of string distance metrics for
name-matching tasks", 2003. Equal rare values count more than equal common ones: Fellegi and Sunter, "A theory for record
linkage", 1969.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from findmatches.blocking import Indices, Neighbors, Scores, row_cosine
from findmatches.columns import Column, Texts, shortened, words_sorted
from findmatches.term_vectors import code_counts, idf_sets, number_counts, phrase_counts

Matrix = NDArray[np.float32]

_CHUNK_PAIRS = 100_000

_PER_COLUMN = 11
_PER_ROW = 20
_ONE_MISSING, _EDIT_SIMILARITY = 0, 3
# The whole row's similarity, 0..1: words, n-grams, and the mean edit similarity of the columns that both rows fill.
ROW_SIMILARITY = slice(-_PER_ROW, -_PER_ROW + 3)


@dataclass(frozen=True)
class FeatureExtractor:
    """Turns pairs of `n` rows into features: 11 for each column, and 20 for the whole row.

    `phrases`, `codes` and `numbers` are idf-weighted term sets, (n, terms); `sorted_texts` has shape (n,).
    """

    columns: tuple[Column, ...]
    neighbors: Neighbors
    phrases: Any
    codes: Any
    numbers: Any
    sorted_texts: Texts

    @property
    def column_of_feature(self) -> list[str | None]:
        """The column that each feature belongs to; None for those of the whole row."""
        per_column = [column.name for column in self.columns for _ in range(_PER_COLUMN)]
        return [*per_column, *([None] * _PER_ROW)]

    @property
    def width(self) -> int:
        """How many features a pair has."""
        return len(self.columns) * _PER_COLUMN + _PER_ROW

    def features(self, left: Indices, right: Indices) -> Matrix:
        """The features of the pairs (left[i], right[i]): float32, shape (pairs, width), no NaN."""
        features = np.empty((len(left), self.width), np.float32)
        for start in range(0, len(left), _CHUNK_PAIRS):
            part = slice(start, start + _CHUNK_PAIRS)
            for place, column in enumerate(self.columns):
                block = slice(place * _PER_COLUMN, (place + 1) * _PER_COLUMN)
                features[part, block] = _column_features(column, left[part], right[part])
            features[part, -_PER_ROW:] = self._row_features(features[part, :-_PER_ROW], left[part], right[part])
        return features

    def _row_features(self, of_columns: Matrix, left: Indices, right: Indices) -> Matrix:
        near = self.neighbors
        words, grams = row_cosine(near.words, left, right), row_cosine(near.grams, left, right)
        score = ((words + grams) / 2).astype(np.float32)
        ranks = np.stack([near.rank(left, score), near.rank(right, score)])
        margins = np.stack([near.margin(left, score), near.margin(right, score)])
        similarity = of_columns[:, _EDIT_SIMILARITY::_PER_COLUMN]
        present = 1 - of_columns[:, _ONE_MISSING::_PER_COLUMN]
        numbers = _overlap(self.numbers, left, right)
        phrases, codes = _overlap(self.phrases, left, right), _overlap(self.codes, left, right)
        features = [
            words,
            grams,
            (similarity * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1),
            np.where(present > 0, similarity, 1).min(axis=1),
            present.mean(axis=1),
            np.log1p(ranks.min(axis=0)),
            np.log1p(ranks.max(axis=0)),
            margins.min(axis=0),
            margins.max(axis=0),
            phrases.of_smaller,
            phrases.of_union,
            phrases.rarest,
            codes.of_smaller,
            codes.of_union,
            codes.rarest,
            codes.contradict,
            numbers.of_smaller,
            numbers.of_union,
            numbers.contradict,
            self._edit_similarity(left, right),
        ]
        return np.stack(features, axis=1).astype(np.float32)

    def _edit_similarity(self, left: Indices, right: Indices) -> Scores:
        percent: Scores = process.cpdist(self.sorted_texts[left], self.sorted_texts[right], scorer=fuzz.ratio, dtype=np.float32)
        return (percent / 100).astype(np.float32)


def feature_extractor(columns: Sequence[Column], neighbors: Neighbors, texts: Sequence[str]) -> FeatureExtractor:
    """`texts` are the rows' values of all columns, as `row_texts` joins them."""
    # A price or a date is compared as such; its digits are no model number.
    of_words = row_texts([column for column in columns if column.numbers is None and column.days is None], len(texts))
    return FeatureExtractor(
        tuple(columns),
        neighbors,
        idf_sets(phrase_counts(texts)),
        idf_sets(code_counts(of_words)),
        idf_sets(number_counts(of_words)),
        words_sorted(shortened(texts)),
    )


def row_texts(columns: Sequence[Column], rows: int) -> list[str]:
    """Each row's values in these columns as one text."""
    if not columns:
        return [""] * rows
    by_column = [[column.values[code] for code in column.codes.tolist()] for column in columns]
    return [" ".join(filter(None, cells)) for cells in zip(*by_column, strict=True)]


@dataclass(frozen=True)
class _Overlap:
    """The idf weight of shared terms as a share, 0..1, of the smaller side and of the union; the rarest shared term.

    `contradict`: both sides hold terms and share none.
    """

    of_smaller: Scores
    of_union: Scores
    rarest: Scores
    contradict: NDArray[np.bool_]


def _overlap(sets: Any, left: Indices, right: Indices) -> _Overlap:  # noqa: ANN401 - scipy's sparse arrays carry no types
    # Weighted Jaccard and overlap coefficients of term sets. Both sides hold the same weight for a shared term, so the
    # root of the product is that weight.
    of_left, of_right = sets[left], sets[right]
    total_left, total_right = (np.asarray(side.sum(axis=1)).ravel() for side in (of_left, of_right))
    common = of_left.multiply(of_right).tocsr()
    common.data = np.sqrt(common.data)
    weight = np.asarray(common.sum(axis=1)).ravel()
    rarest = np.asarray(common.max(axis=1).todense()).ravel() / np.log(max(sets.shape[0], 2) + 1)
    smaller = np.minimum(total_left, total_right)
    of_union = (weight / np.maximum(total_left + total_right - weight, 1e-6)).astype(np.float32)
    return _Overlap(
        (weight / np.maximum(smaller, 1e-6)).astype(np.float32),
        of_union,
        rarest.astype(np.float32),
        (smaller > 0) & (of_union == 0),
    )


def _column_features(column: Column, left: Indices, right: Indices) -> Matrix:
    # Many pairs of rows compare the same two values: each pair of values is compared once.
    left_code, right_code = column.codes[left], column.codes[right]
    low, high = np.minimum(left_code, right_code), np.maximum(left_code, right_code)
    distinct, inverse = np.unique(low * len(column.values) + high, return_inverse=True)
    of_values = _value_features(column, distinct // len(column.values), distinct % len(column.values))
    return of_values[inverse]


def _value_features(column: Column, left: Indices, right: Indices) -> Matrix:
    """Features of pairs of the column's distinct values; shape (pairs, 11), 0.5 where similarity is unknown."""
    missing = column.missing
    missing_count = missing[left].astype(np.float32) + missing[right]
    present = missing_count == 0
    same = (left == right) & present
    # Agreement weighs log(1 / frequency of the value): Fellegi and Sunter 1969.
    rows = column.frequencies.sum()
    rarity = same * np.log(rows / np.maximum(column.frequencies[left], 1)) / np.log(max(rows, 2))
    grams = row_cosine(column.gram_vectors, left, right)
    if column.kind.single_words:  # which words two values share is then no more than whether they are equal
        words, rarest_word, numbers, contradict = same, rarity, same, ~same & present
    else:
        words = row_cosine(column.word_vectors, left, right)
        rarest_word = _overlap(column.word_sets, left, right).rarest
        number_overlap = _overlap(column.number_sets, left, right)
        numbers, contradict = number_overlap.of_union, number_overlap.contradict
    if not column.kind.long:
        jaro_winkler = _scored(column.short_values, left, right, present, JaroWinkler.similarity)
        edits = _scored(column.short_values, left, right, present, fuzz.ratio) / np.float32(100)
        if not column.kind.single_words:
            edits = np.maximum(edits, _scored(column.sorted_values, left, right, present, fuzz.ratio) / np.float32(100))
    else:
        jaro_winkler, edits = words, grams
    distance = _distance(column, left, right, same)
    features = [
        missing_count > 0,
        missing_count > 1,
        words,
        edits,
        jaro_winkler,
        grams,
        rarest_word,
        rarity,
        distance,
        numbers,
        contradict,
    ]
    table = np.stack(features, axis=1).astype(np.float32)
    table[~present, 2:6] = 0.5
    return table


def _scored(texts: Texts, left: Indices, right: Indices, present: NDArray[np.bool_], scorer: Callable[..., float]) -> Scores:
    scores = np.zeros(len(left), np.float32)
    if present.any():
        scores[present] = process.cpdist(texts[left[present]], texts[right[present]], scorer=scorer, dtype=np.float32)
    return scores


def _distance(column: Column, left: Indices, right: Indices, same: NDArray[np.bool_]) -> Any:  # noqa: ANN401 - float or bool
    """0 for equal to 1 for far apart; for text that is neither number nor date, whether the values differ."""
    if column.days is not None:
        distance = np.log1p(np.abs(column.days[left] - column.days[right])) / 10
    elif column.numbers is not None:
        first, second = column.numbers[left], column.numbers[right]
        distance = np.abs(first - second) / np.maximum(np.maximum(np.abs(first), np.abs(second)), 1e-9)
    else:
        return 1 - same
    return np.nan_to_num(np.minimum(distance, 1), nan=0.5)
