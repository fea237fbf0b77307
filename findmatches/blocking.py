"""Blocking: which pairs of records are worth comparing. Each record's nearest neighbors by the rare terms they share.

Survey: Papadakis, Skoutas, Thanos and Palpanas, "Blocking and filtering techniques for entity resolution", 2020.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches.settings import Settings
from findmatches.term_vectors import GRAM_SIZE

Indices = NDArray[np.int64]
Scores = NDArray[np.float32]

# Larger tables need rarer terms: longer n-grams, and pairs of words ("john" + "smith").
WORD_PAIRS_FROM_RECORDS = 3_000
_FULL_BUDGET_UP_TO_RECORDS = 4_000
_FOUR_GRAMS_FROM_RECORDS = 30_000
_FIVE_GRAMS_FROM_RECORDS = 200_000
_LARGE_TABLES_BUDGET = 0.6
_MIN_PAIRS = 2
# A pair is often among the nearest of both of its records: so many neighbors of each make one pair per record. So many are
# searched by rare terms alone, then compared by all terms.
_NEIGHBORS_PER_PAIR = 1.75
_SEARCHED_PER_PAIR = 3
# A pair whose shared terms weigh less than this share of the record's best pair is no neighbor.
_MIN_SHARE_OF_BEST = 0.2
_PLACE_BITS, _FREQUENCY_BITS = 22, 22
_RECORD_BITS, _WEIGHT_BITS = 32, 18


@dataclass(frozen=True)
class SearchLimits:
    """How far the search goes, for about `pairs` candidate pairs per record.

    `neighbors` of each record are kept out of `searched`; `budget` bounds the occurrences of shared terms that are visited per
    record, so cost is linear. N-grams have `gram_size` characters.
    """

    pairs: int
    neighbors: int
    searched: int
    budget: int
    gram_size: int


def search_limits(records: int, settings: Settings, *, has_labels: bool = False) -> SearchLimits:
    """Fewer neighbors in large tables: their rarer terms rank the matches first, and the cost grows with the pairs."""
    longer = (records > _FOUR_GRAMS_FROM_RECORDS) + (records > _FIVE_GRAMS_FROM_RECORDS)
    pairs, budget = settings.neighbors_per_row(records, has_labels=has_labels), settings.terms_per_row * 1.0
    neighbors = pairs
    if longer:
        pairs = max(_MIN_PAIRS, pairs * 2 // 5)
        neighbors = int(_NEIGHBORS_PER_PAIR * pairs)
        budget *= _LARGE_TABLES_BUDGET
    elif has_labels:
        neighbors = max(pairs, int(_NEIGHBORS_PER_PAIR * settings.neighbors_per_row(records, has_labels=False)))
    budget *= min(1.0, (_FULL_BUDGET_UP_TO_RECORDS / max(records, 1)) ** 0.4)
    return SearchLimits(pairs, neighbors, _SEARCHED_PER_PAIR * pairs, int(budget), GRAM_SIZE + longer)


def row_cosine(matrix: Any, left: Indices, right: Indices) -> Scores:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Cosine similarity of the matrix's rows `left` and `right`, 0..1; the rows have unit length."""
    product = matrix[left].multiply(matrix[right])
    return np.asarray(product.sum(axis=1), np.float32).ravel().clip(0, 1)


def rarest_terms(matrix: Any, occurs: NDArray[np.int32], budget: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Each row's rarest terms, as many as `budget` occurrences in the table allow; terms of one row only are dropped.

    Prefix filtering (Chaudhuri, Ganti and Kaushik, "A primitive operator for similarity joins", 2006), but by the cost of
    the visit instead of a threshold of similarity: the running sum of occurrences, rarest term first.
    """
    keep = np.zeros(len(matrix.indices), np.bool_)
    frequency = occurs[matrix.indices]
    candidates = np.flatnonzero((frequency > 1) & (frequency <= budget))
    row_of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[candidates]
    frequency = frequency[candidates].astype(np.int64)
    batch = 1 << _PLACE_BITS
    start = 0
    while start < len(candidates):
        # A sort of packed numbers - row, frequency, place - is several times faster than one by several keys. A batch ends
        # with a row.
        end = min(start + batch, len(candidates))
        if end < len(candidates):
            end = int(np.searchsorted(row_of, row_of[end]))
        part = candidates[start:end]
        row = row_of[start:end] - row_of[start]
        packed = np.sort((row << _FREQUENCY_BITS | frequency[start:end]) << _PLACE_BITS | np.arange(len(part)))
        order = packed & (batch - 1)
        row = packed >> (_FREQUENCY_BITS + _PLACE_BITS)
        spent = np.cumsum(packed >> _PLACE_BITS & ((1 << _FREQUENCY_BITS) - 1))
        first = np.append(0, np.cumsum(np.bincount(row)))
        keep[part[order[spent - np.append(0, spent)[first[row]] <= budget]]] = True
        start = end
    indptr = np.append(0, np.cumsum(keep))[matrix.indptr]
    return sparse.csr_matrix((matrix.data[keep], matrix.indices[keep], indptr), shape=matrix.shape)


def best_pairs(shared: Any, first: int, records: Indices, count: int) -> tuple[Indices, Indices]:  # noqa: ANN401 - scipy's arrays carry no types
    """Each record's heaviest pairs: `shared`, some records x all records at hand, is the weight of the shared terms.

    `records` are the numbers of the columns' records; row i is the record of column `first` + i.
    """
    spans = np.diff(shared.indptr)
    row = np.repeat(np.arange(first, first + shared.shape[0], dtype=np.int32), spans)
    weight = shared.data
    weight[shared.indices == row] = 0
    heaviest = np.maximum.reduceat(np.append(weight, np.float32(0)), shared.indptr[:-1])
    heaviest[spans == 0] = 0
    near = np.flatnonzero(weight > np.repeat(_MIN_SHARE_OF_BEST * heaviest, spans))
    row, column, weight = row[near].astype(np.int64) - first, records[shared.indices[near]], weight[near]
    # Top k of every row at once: a sort of packed numbers - row, falling weight, record.
    rank = ((1 - weight / np.maximum(heaviest[row], 1e-9)) * ((1 << _WEIGHT_BITS) - 1)).astype(np.int64)
    packed = np.sort((row << _WEIGHT_BITS | rank) << _RECORD_BITS | column)
    row = packed >> (_WEIGHT_BITS + _RECORD_BITS)
    starts = np.append(0, np.cumsum(np.bincount(row, minlength=shared.shape[0])))
    best = packed[np.arange(len(row)) - starts[row] < count]
    return records[(best >> (_WEIGHT_BITS + _RECORD_BITS)) + first], best & ((1 << _RECORD_BITS) - 1)
