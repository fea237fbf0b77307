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

from findmatches.blocking import Indices, Scores, row_cosine
from findmatches.columns import Column, Texts

Matrix = NDArray[np.float32]

_CHUNK_PAIRS = 100_000

_PER_COLUMN = 11
_PER_ROW = 20
_ONE_MISSING, _EDIT_SIMILARITY, _RARITY = 0, 3, 7
_HIGH_RANK = -_PER_ROW + 6
# The whole row's similarity, 0..1: words, n-grams, and the mean edit similarity of the columns that both rows fill.
ROW_SIMILARITY = slice(-_PER_ROW, -_PER_ROW + 3)


@dataclass(frozen=True)
class SearchFigures:
    """What the search knows of each pair; shape (pairs,) each.

    Cosines of `words` and `grams`; the `low_rank` and `high_rank` of the pair among the neighbors of its records, 0 for the
    nearest; by how much its similarity is above (or below) those of the next best neighbors, `low_margin` and `high_margin`.
    """

    words: Scores
    grams: Scores
    low_rank: NDArray[np.int32]
    high_rank: NDArray[np.int32]
    low_margin: Scores
    high_margin: Scores

    def part(self, places: slice) -> "SearchFigures":
        """Those of some pairs."""
        return SearchFigures(
            self.words[places],
            self.grams[places],
            self.low_rank[places],
            self.high_rank[places],
            self.low_margin[places],
            self.high_margin[places],
        )

    def matrix(self) -> Matrix:
        """As features of their own, shape (pairs, 7)."""
        columns: list[NDArray[Any]] = [
            self.words,
            self.grams,
            (self.words + self.grams) / 2,
            np.log1p(self.low_rank),
            np.log1p(self.high_rank),
            self.low_margin,
            self.high_margin,
        ]
        return np.stack(columns, axis=1).astype(np.float32)


@dataclass(frozen=True)
class FeatureExtractor:
    """Turns pairs of the `n` records at hand into features: 11 for each column, and 20 for the whole record.

    `phrases`, `codes` and `numbers` are idf-weighted term sets, (n, terms); `sorted_texts` has shape (n,); `counted` is in
    how many records terms were counted.
    """

    columns: tuple[Column, ...]
    phrases: Any
    codes: Any
    numbers: Any
    sorted_texts: Texts
    records: int
    counted: int

    def features(self, left: Indices, right: Indices, searched: SearchFigures) -> Matrix:
        """The features of the pairs (left[i], right[i]): float32, shape (pairs, feature_count), no NaN."""
        features = np.empty((len(left), feature_count(len(self.columns))), np.float32)
        for start in range(0, len(left), _CHUNK_PAIRS):
            part = slice(start, start + _CHUNK_PAIRS)
            for place, column in enumerate(self.columns):
                block = slice(place * _PER_COLUMN, (place + 1) * _PER_COLUMN)
                features[part, block] = _column_features(column, left[part], right[part], self.counted)
            of_columns = features[part, :-_PER_ROW]
            features[part, -_PER_ROW:] = self._row_features(of_columns, left[part], right[part], searched.part(part))
        return features

    def _row_features(self, of_columns: Matrix, left: Indices, right: Indices, searched: SearchFigures) -> Matrix:
        similarity = of_columns[:, _EDIT_SIMILARITY::_PER_COLUMN]
        present = 1 - of_columns[:, _ONE_MISSING::_PER_COLUMN]
        numbers = _overlap(self.numbers, left, right, self.counted)
        phrases = _overlap(self.phrases, left, right, self.records)
        codes = _overlap(self.codes, left, right, self.counted)
        features = [
            searched.words,
            searched.grams,
            (similarity * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1),
            np.where(present > 0, similarity, 1).min(axis=1),
            present.mean(axis=1),
            np.log1p(searched.low_rank),
            np.log1p(searched.high_rank),
            searched.low_margin,
            searched.high_margin,
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


def feature_count(columns: int) -> int:
    """How many features a pair has."""
    return columns * _PER_COLUMN + _PER_ROW


def column_of_feature(names: Sequence[str]) -> list[str | None]:
    """The column that each feature belongs to, None for those of the whole record; `names` are the columns'."""
    return [*(name for name in names for _ in range(_PER_COLUMN)), *([None] * _PER_ROW)]


def search_figures(features: Matrix) -> Matrix:
    """`SearchFigures.matrix` of the pairs with these features."""
    words, grams = features[:, -_PER_ROW], features[:, -_PER_ROW + 1]
    ranks_and_margins = features[:, _HIGH_RANK - 1 : _HIGH_RANK + 3]
    return np.concatenate([np.stack([words, grams, (words + grams) / 2], axis=1), ranks_and_margins], axis=1)


def reciprocal(features: Matrix) -> NDArray[np.bool_]:
    """Which pairs are each other's nearest neighbors."""
    both_nearest: NDArray[np.bool_] = features[:, _HIGH_RANK] == 0
    return both_nearest


def rarity_of_equal_values(features: Matrix) -> Matrix:
    """Per pair and column how rare the value is that both records have, 0..1; 0 if they differ. Shape (pairs, columns)."""
    return features[:, _RARITY:-_PER_ROW:_PER_COLUMN]


@dataclass(frozen=True)
class _Overlap:
    """The idf weight of shared terms as a share, 0..1, of the smaller side and of the union; the rarest shared term.

    `contradict`: both sides hold terms and share none.
    """

    of_smaller: Scores
    of_union: Scores
    rarest: Scores
    contradict: NDArray[np.bool_]


def _overlap(sets: Any, left: Indices, right: Indices, counted: int) -> _Overlap:  # noqa: ANN401 - scipy's sparse arrays carry no types
    # Weighted Jaccard and overlap coefficients of term sets. Both sides hold the same weight for a shared term, so the
    # root of the product is that weight.
    of_left, of_right = sets[left], sets[right]
    total_left, total_right = (np.asarray(side.sum(axis=1)).ravel() for side in (of_left, of_right))
    common = of_left.multiply(of_right).tocsr()
    common.data = np.sqrt(common.data)
    weight = np.asarray(common.sum(axis=1)).ravel()
    rarest = np.asarray(common.max(axis=1).todense()).ravel() / np.log(max(counted, 2) + 1)
    smaller = np.minimum(total_left, total_right)
    of_union = (weight / np.maximum(total_left + total_right - weight, 1e-6)).astype(np.float32)
    return _Overlap(
        (weight / np.maximum(smaller, 1e-6)).astype(np.float32),
        of_union,
        rarest.astype(np.float32),
        (smaller > 0) & (of_union == 0),
    )


def _column_features(column: Column, left: Indices, right: Indices, counted: int) -> Matrix:
    # Many pairs of rows compare the same two values: each pair of values is compared once.
    left_code, right_code = column.codes[left], column.codes[right]
    low, high = np.minimum(left_code, right_code).astype(np.int64), np.maximum(left_code, right_code).astype(np.int64)
    distinct, inverse = np.unique(low * len(column.values) + high, return_inverse=True)
    of_values = _value_features(column, distinct // len(column.values), distinct % len(column.values), counted)
    features: Matrix = of_values[inverse.ravel()]
    return features


def _value_features(column: Column, left: Indices, right: Indices, counted: int) -> Matrix:
    """Features of pairs of the column's distinct values; shape (pairs, 11), 0.5 where similarity is unknown."""
    missing = column.missing
    missing_count = missing[left].astype(np.float32) + missing[right]
    present = missing_count == 0
    same = (left == right) & present
    # Agreement weighs log(1 / frequency of the value): Fellegi and Sunter 1969.
    rarity = same * np.log(column.rows / np.maximum(column.frequencies[left], 1)) / np.log(max(column.rows, 2))
    grams = row_cosine(column.gram_vectors, left, right)
    if column.kind.single_words:  # which words two values share is then no more than whether they are equal
        words, rarest_word, numbers, contradict = same, rarity, same, ~same & present
    else:
        words = row_cosine(column.word_vectors, left, right)
        rarest_word = _overlap(column.word_sets, left, right, counted).rarest
        number_overlap = _overlap(column.number_sets, left, right, counted)
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
