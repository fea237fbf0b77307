"""Sparse term vectors of texts: which words, phrases, codes, numbers and n-grams each text contains, weighted by rarity.

tf-idf: Salton and Buckley, "Term-weighting approaches in automatic text retrieval", 1988. All matrices are
`scipy.sparse.csr_matrix` of float32, texts x hashed terms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches import tokenization

GRAM_SIZE = 3
_CHUNK_ROWS = 25_000
_MIN_IDF = 0.1
WORDS_IN_PAIRS = 8

_Tokens = tuple[tokenization.Rows, tokenization.Hashes]


@dataclass(frozen=True)
class TermCounts:
    """In how many of `total` texts each hashed term occurs; `occurs` has shape (terms,)."""

    occurs: NDArray[np.int32]
    total: int


def tf_idf(counts: Any, terms: TermCounts) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Rows of unit length, rare terms weighing more; a row without terms stays zero."""
    # weight = (1 + log count) * log(1 + rows / rows with the term): Salton and Buckley 1988. The logarithms of the common
    # frequencies come from a table.
    frequency = np.minimum(terms.occurs[counts.indices], terms.total)
    data = _logarithms(frequency, terms.total, np.log1p)
    repeated = np.flatnonzero(counts.data > 1)
    data[repeated] *= 1 + np.log(counts.data[repeated])
    squares = sparse.csr_matrix((data * data, counts.indices, counts.indptr), shape=counts.shape)
    lengths = np.sqrt(np.asarray(squares.sum(axis=1)).ravel()).astype(np.float32)
    data /= np.repeat(np.where(lengths == 0, np.float32(1), lengths), np.diff(counts.indptr))
    return _like(counts, data)


def idf_sets(counts: Any, terms: TermCounts) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Which terms each row contains, each weighted log(rows / rows with the term), plus a little."""
    total = max(terms.total, 2)
    frequency = np.minimum(terms.occurs[counts.indices], total)
    return _like(counts, _logarithms(frequency, total, np.log) + np.float32(_MIN_IDF))


def word_counts(texts: Sequence[str], buckets: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Counts of words."""

    def words(chunk: Sequence[str]) -> _Tokens:
        single, _ = tokenization.words(chunk)
        return single.rows, single.hashes

    return _in_chunks(texts, words, buckets)


def word_kinds(texts: Sequence[str], buckets: int) -> tuple[Any, Any, Any]:
    """Counts of words; of words and neighboring words written as one; of those with a digit: model numbers, versions."""
    parts: list[tuple[Any, Any, Any]] = []
    for start in range(0, max(1, len(texts)), _CHUNK_ROWS):
        chunk = texts[start : start + _CHUNK_ROWS]
        single, together = tokenization.words(chunk)
        phrases = _by_row(np.append(single.rows, together.rows), np.append(single.hashes, together.hashes))
        coded = [(part.rows[part.has_digit], part.hashes[part.has_digit]) for part in (single, together)]
        codes = _by_row(np.concatenate([rows for rows, _ in coded]), np.concatenate([hashes for _, hashes in coded]))
        tokens = ((single.rows, single.hashes), phrases, codes)
        counted = [tokenization.counts(rows, hashes, len(chunk), buckets) for rows, hashes in tokens]
        parts.append((counted[0], counted[1], counted[2]))
    words, joined, codes_of_all = (_stacked([part[kind] for part in parts]) for kind in range(3))
    return words, joined, codes_of_all


def number_counts(texts: Sequence[str], buckets: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Counts of runs of digits."""
    return _in_chunks(texts, tokenization.digit_runs, buckets)


def gram_counts(texts: Sequence[str], size: int = GRAM_SIZE, buckets: int = 1 << 22) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Counts of character n-grams."""
    return _in_chunks(texts, lambda chunk: tokenization.ngrams(chunk, size), buckets)


def word_pair_counts(words: Any, buckets: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Every two of a row's rarest words as one term; `words` are tf-idf vectors.

    Keys from several attributes at once are the classic blocking keys: Papadakis et al. 2020, section 3.
    """
    parts = []
    first_word, second_word = np.triu_indices(WORDS_IN_PAIRS, k=1)
    for start in range(0, max(1, words.shape[0]), _CHUNK_ROWS):
        part = words[start : start + _CHUNK_ROWS]
        row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        order = np.lexsort((-part.data, row))
        place = np.arange(len(row)) - part.indptr[row]
        keep = place < WORDS_IN_PAIRS
        rarest = np.zeros((part.shape[0], WORDS_IN_PAIRS), np.uint64)
        rarest[row[keep], place[keep]] = part.indices[order][keep].astype(np.uint64) + np.uint64(1)
        rarest.sort(axis=1)
        hashes = rarest[:, first_word] * np.uint64(0x9E3779B97F4A7C15) + rarest[:, second_word]
        rows, places = np.nonzero(rarest[:, first_word])
        hashes = hashes[rows, places]
        parts.append(tokenization.counts(rows, hashes ^ (hashes >> np.uint64(29)), part.shape[0], buckets))
    return _stacked(parts)


def _logarithms(frequency: NDArray[np.int32], total: int, logarithm: Callable[[Any], Any]) -> NDArray[np.float32]:
    by_frequency = logarithm(total / np.maximum(np.arange(int(frequency.max(initial=0)) + 1), 1)).astype(np.float32)
    data: NDArray[np.float32] = by_frequency[frequency]
    return data


def _like(counts: Any, data: NDArray[np.float32]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    matrix = sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)
    matrix.has_canonical_format = True  # as tokenization.counts made it; otherwise each product would check that again
    return matrix


def _by_row(rows: tokenization.Rows, hashes: tokenization.Hashes) -> _Tokens:
    order = np.argsort(rows, kind="stable")
    return rows[order], hashes[order]


def _in_chunks(texts: Sequence[str], tokenize: Callable[[Sequence[str]], _Tokens], buckets: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    parts = []
    for start in range(0, max(1, len(texts)), _CHUNK_ROWS):
        chunk = texts[start : start + _CHUNK_ROWS]
        rows, hashes = tokenize(chunk)
        parts.append(tokenization.counts(rows, hashes, len(chunk), buckets))
    return _stacked(parts)


def _stacked(parts: Sequence[Any]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")
