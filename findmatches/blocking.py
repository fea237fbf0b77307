"""Which pairs of rows are worth comparing: each row's nearest neighbors by the rare things they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches import tokens
from findmatches.columns import GRAM, gram_counts, phrase_counts, tf_idf, word_counts

Indices = NDArray[np.int64]
Scores = NDArray[np.float32]

_BATCH = 4000
_CHUNK = 50_000
# Larger tables need rarer terms: longer n-grams, and pairs of words ("john" + "smith").
_PAIRS_FROM_ROWS = 3_000
_FULL_BUDGET_UP_TO_ROWS = 4_000
_WORDS_IN_PAIRS = 8
_FOUR_GRAMS_FROM_ROWS = 30_000
_FIVE_GRAMS_FROM_ROWS = 200_000
# So many times the neighbors wanted are found by rare terms alone, then compared by all terms.
_WIDER = 3
# A pair whose shared terms weigh less than this share of the row's best pair is no neighbor.
_OF_BEST = 0.2


@dataclass(frozen=True)
class Neighbors:
    """Candidate pairs (`left` < `right`, sorted) with their similarity, and each row's best two and sorted similarities."""

    left: Indices
    right: Indices
    score: Scores
    words: Any
    grams: Any
    _keys: NDArray[np.float64]
    _first: Indices
    best: Scores
    second: Scores

    def rank(self, rows: Indices, score: Scores) -> Indices:
        """How many neighbors of each row are nearer than `score`."""
        nearer = np.searchsorted(self._keys, rows * 2.0 + (1.0 - score.astype(np.float64)) - 1e-9)
        return nearer - self._first[rows]

    def margin(self, rows: Indices, score: Scores) -> Scores:
        """How far `score` is above the row's best other neighbor; negative if another one is nearer."""
        best_other = np.where(score >= self.best[rows] - 1e-6, self.second[rows], self.best[rows])
        return (score - best_other).astype(np.float32)


def neighbors(texts: Sequence[str], per_row: int, budget: int) -> Neighbors:
    """Up to `per_row` nearest rows of every row; `budget` bounds the shared terms looked at per row, so cost is linear."""
    count = len(texts)
    longer = (count > _FOUR_GRAMS_FROM_ROWS) + (count > _FIVE_GRAMS_FROM_ROWS)
    if longer > 1:
        per_row = max(1, per_row * 3 // 5)
    budget = int(budget * min(1.0, (_FULL_BUDGET_UP_TO_ROWS / max(count, 1)) ** 0.4))
    words, grams = tf_idf(word_counts(texts)), tf_idf(gram_counts(texts, GRAM + longer))
    left, right = _shared_terms(texts, words, grams, _WIDER * per_row, budget)
    score = np.empty(len(left), np.float32)
    for start in range(0, len(left), _CHUNK):
        part = slice(start, start + _CHUNK)
        score[part] = (row_cosine(words, left[part], right[part]) + row_cosine(grams, left[part], right[part])) / 2
    keep = _nearest(left, right, score, per_row)
    return _ranked(left[keep], right[keep], score[keep], words, grams)


def row_cosine(matrix: Any, left: Indices, right: Indices) -> Scores:  # noqa: ANN401 - scipy's arrays carry no types
    product = matrix[left].multiply(matrix[right])
    return np.asarray(product.sum(axis=1), np.float32).ravel().clip(0, 1)


def _ranked(left: Indices, right: Indices, score: Scores, words: Any, grams: Any) -> Neighbors:  # noqa: ANN401
    count = words.shape[0]
    both = np.concatenate([left, right])
    twice = np.concatenate([score, score])
    keys = np.sort(both * 2.0 + (1.0 - twice.astype(np.float64)))
    first = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(both, minlength=count), out=first[1:])
    padded = np.append(keys, [np.inf, np.inf])
    found = np.diff(first)
    rows = np.arange(count)
    best = np.where(found > 0, 1.0 - (padded[first[:-1]] - rows * 2.0), 0).astype(np.float32)
    second = np.where(found > 1, 1.0 - (padded[first[:-1] + 1] - rows * 2.0), 0).astype(np.float32)
    return Neighbors(left, right, score, words, grams, keys, first[:-1], best, second)


def _nearest(left: Indices, right: Indices, score: Scores, per_row: int) -> NDArray[np.bool_]:
    """Pairs that are among the `per_row` nearest of either of their rows."""
    keep = np.zeros(len(left), np.bool_)
    for rows in (left, right):
        order = np.argsort(rows * 2.0 + (1.0 - score.astype(np.float64)), kind="stable")
        first = np.append(0, np.cumsum(np.bincount(rows)))
        place = np.arange(len(rows)) - first[rows[order]]
        keep[order[place < per_row]] = True
    return keep


def _shared_terms(texts: Sequence[str], words: Any, grams: Any, per_row: int, budget: int) -> tuple[Indices, Indices]:  # noqa: ANN401
    count = len(texts)
    terms = [_pruned(tf_idf(phrase_counts(texts)), budget // 2)]
    if count > _PAIRS_FROM_ROWS:
        terms.append(_pruned(_word_pairs(words), budget // 2))
    terms.append(_pruned(grams, budget))
    weighted = sparse.hstack(terms, format="csr")
    transposed = weighted.T.tocsr()
    found = [np.zeros(0, np.int64)]
    for start in range(0, count, _BATCH):
        shared = weighted[start : start + _BATCH] @ transposed
        left, right = _top(shared, start, per_row)
        low, high = np.minimum(left, right), np.maximum(left, right)
        found.append((low * count + high)[low != high])
    pairs = np.unique(np.concatenate(found))
    return pairs // count, pairs % count


def _pruned(matrix: Any, budget: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Each row's rarest terms, as many as `budget` occurrences in the table allow; terms of one row only are dropped."""
    occurs = np.bincount(matrix.indices, minlength=matrix.shape[1])
    parts = []
    for start in range(0, matrix.shape[0], _CHUNK):
        part = matrix[start : start + _CHUNK]
        often = occurs[part.indices]
        row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        order = np.lexsort((often, row))
        spent = np.cumsum(often[order])
        before = np.append(0, spent)[part.indptr[:-1]]
        cheap = np.zeros(len(order), np.bool_)
        cheap[order] = spent - before[row[order]] <= budget
        keep = cheap & (often > 1)
        indptr = np.append(0, np.cumsum(keep))[part.indptr]
        parts.append(sparse.csr_matrix((part.data[keep], part.indices[keep], indptr), shape=part.shape))
    return sparse.vstack(parts, format="csr")


def _word_pairs(words: Any) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Every two of a row's rarest words as one term."""
    row = np.repeat(np.arange(words.shape[0]), np.diff(words.indptr))
    order = np.lexsort((-words.data, row))
    place = np.arange(len(row)) - words.indptr[row]
    keep = place < _WORDS_IN_PAIRS
    ranked = np.zeros((words.shape[0], _WORDS_IN_PAIRS), np.uint64)
    ranked[row[keep], place[keep]] = words.indices[order][keep].astype(np.uint64) + np.uint64(1)
    ranked.sort(axis=1)
    one, other = np.triu_indices(_WORDS_IN_PAIRS, k=1)
    words_in_row = np.minimum(np.diff(words.indptr).astype(np.int64), _WORDS_IN_PAIRS)
    buckets = tokens.buckets_for(16 * int((words_in_row * (words_in_row - 1) // 2).sum()))
    parts = []
    for start in range(0, len(ranked), _CHUNK):
        chunk = ranked[start : start + _CHUNK]
        hashes = chunk[:, one] * np.uint64(0x9E3779B97F4A7C15) + chunk[:, other]
        rows, places = np.nonzero(chunk[:, one])
        hashes = hashes[rows, places]
        parts.append(tokens.counts(rows, hashes ^ (hashes >> np.uint64(29)), len(chunk), buckets))
    return tf_idf(sparse.vstack(parts, format="csr"))


def _top(shared: Any, start: int, per_row: int) -> tuple[Indices, Indices]:  # noqa: ANN401 - scipy's arrays carry no types
    spans = np.diff(shared.indptr)
    row = np.repeat(np.arange(shared.shape[0], dtype=np.int32), spans)
    weight = shared.data
    weight[shared.indices == row + np.int32(start)] = 0
    peak = np.maximum.reduceat(np.append(weight, np.float32(0)), shared.indptr[:-1])
    peak[spans == 0] = 0
    near = np.flatnonzero(weight > np.repeat(_OF_BEST * peak, spans))
    row, column, weight = row[near], shared.indices[near].astype(np.int64), weight[near]
    order = np.argsort(row + (1 - weight / (1.001 * np.maximum(peak[row], 1e-9))), kind="stable")
    first = np.append(0, np.cumsum(np.bincount(row, minlength=shared.shape[0])))
    place = np.arange(len(order)) - first[row[order]]
    best = order[place < per_row]
    return row[best].astype(np.int64) + start, column[best]
