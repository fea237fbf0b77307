"""Texts to sparse counts of words and character n-grams, hashed and vectorised: a million rows take seconds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]

# Buckets of the hashed vocabulary: enough to make collisions rare, few enough to keep per-term arrays small.
_FEWEST_BUCKETS = 1 << 14
_MOST_BUCKETS = 1 << 22

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_BLANK = 32


def codepoints(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All texts as one array of code points, each text with one blank before and after it, and where each text starts."""
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(lengths + 1, out=starts[1:])
    joined = " ".join(texts) + " "
    return np.frombuffer((" " + joined).encode("utf-32-le", "surrogatepass"), np.uint32), starts


def words(texts: Sequence[str]) -> tuple[Rows, Hashes]:
    """The row and the hash of every word, in the order of the texts."""
    points, starts = codepoints(texts)
    blank = points == _BLANK
    edges = np.flatnonzero(blank)
    spans = np.diff(edges)
    first = edges[:-1][spans > 1] + 1
    if not len(first):
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    last = first + spans[spans > 1] - 1
    # A polynomial hash of each span, by one running sum: h(word) = sum(code * m^(position in word)).
    position = np.arange(len(points)) - np.repeat(np.append(0, edges), np.diff(np.append(np.append(0, edges), len(points))))
    powers = _powers(int(position.max()) + 1)
    weighted = (points.astype(np.uint64) + np.uint64(1)) * powers[position]
    weighted[blank] = 0
    running = np.append(np.uint64(0), np.cumsum(weighted))
    hashes = _mix(running[last] - running[first])
    return np.searchsorted(starts, first - 1, side="right") - 1, hashes


def ngrams(texts: Sequence[str], size: int) -> tuple[Rows, Hashes]:
    """The row and the hash of every run of `size` characters; blanks at both ends of a text count as characters."""
    points, starts = codepoints(texts)
    count = len(points) - size + 1
    if count <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    hashes = np.zeros(count, np.uint64)
    for offset in range(size):
        hashes = hashes * _MULTIPLIER + points[offset : offset + count]
    row_of = np.repeat(np.arange(len(texts)), np.diff(starts))
    row_of = np.append(row_of, len(texts))[:count]
    last_row = np.append(np.repeat(np.arange(len(texts)), np.diff(starts)), len(texts) - 1)[size - 2 : size - 2 + count]
    inside = (row_of == last_row) & (row_of < len(texts))
    return row_of[inside], _mix(hashes[inside])


def buckets_for(characters: int) -> int:
    """A power of two that keeps the terms of so much text apart."""
    return min(_MOST_BUCKETS, max(_FEWEST_BUCKETS, 1 << (4 * characters).bit_length()))


def counts(rows: Rows, hashes: Hashes, shape_rows: int, buckets: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Occurrences as a CSR matrix of float32, `shape_rows` x `buckets`, a power of two."""
    columns = (hashes & np.uint64(buckets - 1)).astype(np.int32)
    indptr = np.zeros(shape_rows + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=shape_rows), out=indptr[1:])
    matrix = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, indptr), shape=(shape_rows, buckets))
    matrix.sum_duplicates()
    return matrix


def _powers(count: int) -> Hashes:
    powers = np.full(count, _MULTIPLIER, np.uint64)
    powers[0] = 1
    return np.cumprod(powers)


def _mix(hashes: Hashes) -> Hashes:
    mixed: Hashes = (hashes ^ (hashes >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return mixed ^ (mixed >> np.uint64(32))
