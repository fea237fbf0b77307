"""Sparse term vectors of texts: which words, phrases, codes, numbers and n-grams each text contains, weighted by rarity.

tf-idf: Salton and Buckley, "Term-weighting approaches in automatic text retrieval", 1988. All matrices are
`scipy.sparse.csr_matrix` of float32, texts x hashed terms.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from findmatches import tokenization

GRAM_SIZE = 3
_CHUNK_ROWS = 50_000
_MIN_IDF = 0.1

_Tokens = tuple[tokenization.Rows, tokenization.Hashes]


def tf_idf(counts: Any) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Rows of unit length, rare terms weighing more; a row without terms stays zero."""
    # weight = (1 + log count) * log(1 + rows / rows with the term): Salton and Buckley 1988.
    occurs = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log1p(counts.shape[0] / np.maximum(np.arange(occurs.max(initial=0) + 1), 1)).astype(np.float32)
    data = idf[occurs[counts.indices]]
    repeated = np.flatnonzero(counts.data > 1)
    data[repeated] *= 1 + np.log(counts.data[repeated])
    # Each row's length from differences of one running sum of squares.
    squares = np.zeros(len(data) + 1)
    np.cumsum(data * data, out=squares[1:])
    lengths = np.sqrt(np.diff(squares[counts.indptr])).astype(np.float32)
    data /= np.repeat(np.where(lengths == 0, np.float32(1), lengths), np.diff(counts.indptr))
    return sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)


def idf_sets(counts: Any) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Which terms each row contains, each weighted log(rows / rows with the term), plus a little."""
    occurs = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log(np.maximum(counts.shape[0], 2) / np.maximum(np.arange(occurs.max(initial=0) + 1), 1)) + _MIN_IDF
    data = idf.astype(np.float32)[occurs[counts.indices]]
    return sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)


def word_counts(texts: Sequence[str]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Counts of words."""

    def words(chunk: Sequence[str]) -> _Tokens:
        single, _ = tokenization.words(chunk)
        return single.rows, single.hashes

    return _in_chunks(texts, words)


def phrase_counts(texts: Sequence[str]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Counts of words and of neighboring words written as one."""

    def phrases(chunk: Sequence[str]) -> _Tokens:
        single, joined = tokenization.words(chunk)
        return _by_row(np.append(single.rows, joined.rows), np.append(single.hashes, joined.hashes))

    return _in_chunks(texts, phrases)


def code_counts(texts: Sequence[str]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Counts of phrases that contain a digit: model numbers, versions, house numbers."""

    def codes(chunk: Sequence[str]) -> _Tokens:
        parts = [(part.rows[part.has_digit], part.hashes[part.has_digit]) for part in tokenization.words(chunk)]
        return _by_row(np.concatenate([rows for rows, _ in parts]), np.concatenate([hashes for _, hashes in parts]))

    return _in_chunks(texts, codes)


def number_counts(texts: Sequence[str]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Counts of runs of digits."""
    return _in_chunks(texts, tokenization.digit_runs)


def gram_counts(texts: Sequence[str], size: int = GRAM_SIZE) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Counts of character n-grams."""
    return _in_chunks(texts, lambda chunk: tokenization.ngrams(chunk, size))


def _by_row(rows: tokenization.Rows, hashes: tokenization.Hashes) -> _Tokens:
    order = np.argsort(rows, kind="stable")
    return rows[order], hashes[order]


def _in_chunks(texts: Sequence[str], tokenize: Callable[[Sequence[str]], _Tokens]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    buckets = tokenization.buckets_for(sum(len(text) for text in texts))
    parts = []
    for start in range(0, max(1, len(texts)), _CHUNK_ROWS):
        chunk = texts[start : start + _CHUNK_ROWS]
        rows, hashes = tokenize(chunk)
        parts.append(tokenization.counts(rows, hashes, len(chunk), buckets))
    return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")
