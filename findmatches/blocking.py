"""Blocking: which pairs of rows are worth comparing. Each row's nearest neighbors by the rare terms they share.

Survey: Papadakis, Skoutas, Thanos and Palpanas, "Blocking and filtering techniques for entity resolution", 2020.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches import tokenization
from findmatches.term_vectors import GRAM_SIZE, gram_counts, phrase_counts, tf_idf, word_counts

Indices = NDArray[np.int64]
Scores = NDArray[np.float32]

_BATCH_ROWS = 4000
_CHUNK_ROWS = 50_000
# Larger tables need rarer terms: longer n-grams, and pairs of words ("john" + "smith").
_WORD_PAIRS_FROM_ROWS = 3_000
_FULL_BUDGET_UP_TO_ROWS = 4_000
_WORDS_IN_PAIRS = 8
_FOUR_GRAMS_FROM_ROWS = 30_000
_FIVE_GRAMS_FROM_ROWS = 200_000
_MIN_NEIGHBORS = 2
# So many times the neighbors wanted are searched by rare terms alone, then compared by all terms.
_SEARCHED_PER_NEIGHBOR = 3
# A pair whose shared terms weigh less than this share of the row's best pair is no neighbor.
_MIN_SHARE_OF_BEST = 0.2


@dataclass(frozen=True)
class Neighbors:
    """Candidate pairs of `n` rows: `left` < `right`, sorted, with their similarity `score`, 0..1; shape (pairs,) each.

    `words` and `grams` are the rows' tf-idf vectors; `per_row` is how many neighbors of each row were kept; `best` and
    `second`, shape (n,), are the similarities of each row's two nearest neighbors, 0 where there is none.
    """

    left: Indices
    right: Indices
    score: Scores
    words: Any
    grams: Any
    per_row: int
    best: Scores
    second: Scores
    _sorted_keys: NDArray[np.float64]
    _first_key: Indices

    def rank(self, rows: Indices, score: Scores) -> Indices:
        """How many neighbors of each row are nearer than `score`."""
        nearer = np.searchsorted(self._sorted_keys, _rank_keys(rows, score) - 1e-9)
        return nearer - self._first_key[rows]

    def margin(self, rows: Indices, score: Scores) -> Scores:
        """How far `score` is above the row's best other neighbor; negative if another neighbor is nearer."""
        best_other = np.where(score >= self.best[rows] - 1e-6, self.second[rows], self.best[rows])
        return (score - best_other).astype(np.float32)


def nearest_neighbors(texts: Sequence[str], per_row: int, budget: int) -> Neighbors:
    """Up to `per_row` nearest rows of every row; `budget` bounds the shared terms visited per row, so cost is linear.

    Fewer neighbors in large tables: their rarer terms rank the matches first, and the cost grows with the pairs.
    """
    count = len(texts)
    longer = (count > _FOUR_GRAMS_FROM_ROWS) + (count > _FIVE_GRAMS_FROM_ROWS)
    if longer:
        per_row = max(_MIN_NEIGHBORS, per_row * 2 // 5)
    budget = int(budget * min(1.0, (_FULL_BUDGET_UP_TO_ROWS / max(count, 1)) ** 0.4))
    words, grams = tf_idf(word_counts(texts)), tf_idf(gram_counts(texts, GRAM_SIZE + longer))
    left, right = _pairs_sharing_terms(texts, words, grams, _SEARCHED_PER_NEIGHBOR * per_row, budget)
    score = np.empty(len(left), np.float32)
    for start in range(0, len(left), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        score[part] = (row_cosine(words, left[part], right[part]) + row_cosine(grams, left[part], right[part])) / 2
    keep = _among_nearest(left, right, score, per_row)
    return _ranked(left[keep], right[keep], score[keep], words, grams, per_row=per_row)


def row_cosine(matrix: Any, left: Indices, right: Indices) -> Scores:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Cosine similarity of the matrix's rows `left` and `right`, 0..1; the rows have unit length."""
    product = matrix[left].multiply(matrix[right])
    return np.asarray(product.sum(axis=1), np.float32).ravel().clip(0, 1)


def _rank_keys(rows: Indices, score: Scores) -> NDArray[np.float64]:
    """Numbers that sort pairs by row, then by falling score."""
    return rows * 2.0 + (1.0 - score.astype(np.float64))


def _ranked(left: Indices, right: Indices, score: Scores, words: Any, grams: Any, *, per_row: int) -> Neighbors:  # noqa: ANN401
    # One sorted array of rank keys answers every "which rank" by binary search; a row's first two keys are its best pairs.
    count = words.shape[0]
    rows_of_pairs = np.concatenate([left, right])
    keys = np.sort(_rank_keys(rows_of_pairs, np.concatenate([score, score])))
    first = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(rows_of_pairs, minlength=count), out=first[1:])
    padded = np.append(keys, [np.inf, np.inf])
    neighbors = np.diff(first)
    rows = np.arange(count)
    best = np.where(neighbors > 0, 1.0 - (padded[first[:-1]] - rows * 2.0), 0).astype(np.float32)
    second = np.where(neighbors > 1, 1.0 - (padded[first[:-1] + 1] - rows * 2.0), 0).astype(np.float32)
    return Neighbors(left, right, score, words, grams, per_row, best, second, keys, first[:-1])


def _among_nearest(left: Indices, right: Indices, score: Scores, per_row: int) -> NDArray[np.bool_]:
    """Which pairs are among the `per_row` nearest of either of their rows.

    "Cardinality node pruning": Papadakis, Koutrika, Palpanas and Nejdl, "Meta-blocking", 2014.
    """
    keep = np.zeros(len(left), np.bool_)
    for rows in (left, right):
        order = np.argsort(_rank_keys(rows, score), kind="stable")
        first = np.append(0, np.cumsum(np.bincount(rows)))
        place = np.arange(len(rows)) - first[rows[order]]
        keep[order[place < per_row]] = True
    return keep


def _pairs_sharing_terms(
    texts: Sequence[str],
    words: Any,  # noqa: ANN401 - scipy's sparse arrays carry no types
    grams: Any,  # noqa: ANN401 - scipy's sparse arrays carry no types
    per_row: int,
    budget: int,
) -> tuple[Indices, Indices]:
    # An inverted index is the transposed matrix; one sparse product scores a batch of rows against all others
    # (Bayardo, Ma and Srikant, "Scaling up all pairs similarity search", 2007).
    count = len(texts)
    terms = [_rarest_terms(tf_idf(phrase_counts(texts)), budget // 2)]
    if count > _WORD_PAIRS_FROM_ROWS:
        terms.append(_rarest_terms(_word_pairs(words), budget // 2))
    terms.append(_rarest_terms(grams, budget))
    weighted = sparse.hstack(terms, format="csr")
    transposed = weighted.T.tocsr()
    pair_keys = [np.zeros(0, np.int64)]
    for start in range(0, count, _BATCH_ROWS):
        shared = weighted[start : start + _BATCH_ROWS] @ transposed
        left, right = _best_pairs(shared, start, per_row)
        low, high = np.minimum(left, right), np.maximum(left, right)
        pair_keys.append((low * count + high)[low != high])
    pairs = np.unique(np.concatenate(pair_keys))
    return pairs // count, pairs % count


def _rarest_terms(matrix: Any, budget: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Each row's rarest terms, as many as `budget` occurrences in the table allow; terms of one row only are dropped.

    Prefix filtering (Chaudhuri, Ganti and Kaushik, "A primitive operator for similarity joins", 2006), but by the cost of
    the visit instead of a threshold of similarity: the running sum of occurrences, rarest term first.
    """
    occurs = np.bincount(matrix.indices, minlength=matrix.shape[1])
    parts = []
    for start in range(0, matrix.shape[0], _CHUNK_ROWS):
        part = matrix[start : start + _CHUNK_ROWS]
        frequency = occurs[part.indices]
        row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        order = np.lexsort((frequency, row))
        spent = np.cumsum(frequency[order])
        spent_before_row = np.append(0, spent)[part.indptr[:-1]]
        affordable = np.zeros(len(order), np.bool_)
        affordable[order] = spent - spent_before_row[row[order]] <= budget
        keep = affordable & (frequency > 1)
        indptr = np.append(0, np.cumsum(keep))[part.indptr]
        parts.append(sparse.csr_matrix((part.data[keep], part.indices[keep], indptr), shape=part.shape))
    return sparse.vstack(parts, format="csr")


def _word_pairs(words: Any) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Every two of a row's rarest words as one term, as tf-idf vectors.

    Keys from several attributes at once are the classic blocking keys: Papadakis et al. 2020, section 3.
    """
    row = np.repeat(np.arange(words.shape[0]), np.diff(words.indptr))
    order = np.lexsort((-words.data, row))
    place = np.arange(len(row)) - words.indptr[row]
    keep = place < _WORDS_IN_PAIRS
    rarest = np.zeros((words.shape[0], _WORDS_IN_PAIRS), np.uint64)
    rarest[row[keep], place[keep]] = words.indices[order][keep].astype(np.uint64) + np.uint64(1)
    rarest.sort(axis=1)
    first_word, second_word = np.triu_indices(_WORDS_IN_PAIRS, k=1)
    words_in_row = np.minimum(np.diff(words.indptr).astype(np.int64), _WORDS_IN_PAIRS)
    buckets = tokenization.buckets_for(16 * int((words_in_row * (words_in_row - 1) // 2).sum()))
    parts = []
    for start in range(0, len(rarest), _CHUNK_ROWS):
        chunk = rarest[start : start + _CHUNK_ROWS]
        hashes = chunk[:, first_word] * np.uint64(0x9E3779B97F4A7C15) + chunk[:, second_word]
        rows, places = np.nonzero(chunk[:, first_word])
        hashes = hashes[rows, places]
        parts.append(tokenization.counts(rows, hashes ^ (hashes >> np.uint64(29)), len(chunk), buckets))
    return tf_idf(sparse.vstack(parts, format="csr"))


def _best_pairs(shared: Any, start: int, per_row: int) -> tuple[Indices, Indices]:  # noqa: ANN401 - scipy's arrays carry no types
    """Each row's heaviest pairs in a batch's product `shared`, shape (batch, n), whose first row is row `start`."""
    # Top k of every sparse row at once: sort by row, then by weight as a share of the row's heaviest.
    spans = np.diff(shared.indptr)
    row = np.repeat(np.arange(shared.shape[0], dtype=np.int32), spans)
    weight = shared.data
    weight[shared.indices == row + np.int32(start)] = 0
    heaviest = np.maximum.reduceat(np.append(weight, np.float32(0)), shared.indptr[:-1])
    heaviest[spans == 0] = 0
    near = np.flatnonzero(weight > np.repeat(_MIN_SHARE_OF_BEST * heaviest, spans))
    row, column, weight = row[near], shared.indices[near].astype(np.int64), weight[near]
    order = np.argsort(row + (1 - weight / (1.001 * np.maximum(heaviest[row], 1e-9))), kind="stable")
    first = np.append(0, np.cumsum(np.bincount(row, minlength=shared.shape[0])))
    place = np.arange(len(order)) - first[row[order]]
    best = order[place < per_row]
    return row[best].astype(np.int64) + start, column[best]
