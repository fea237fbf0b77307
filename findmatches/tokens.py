"""Texts to sparse counts of words and character n-grams, hashed and vectorised: a million rows take seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
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
_BLANK, _ZERO, _NINE = 32, 48, 57


def codepoints(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All texts as one array of code points, each text with one blank before and after it, and where each text starts."""
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(lengths + 1, out=starts[1:])
    joined = " ".join(texts) + " "
    return np.frombuffer((" " + joined).encode("utf-32-le", "surrogatepass"), np.uint32), starts


@dataclass(frozen=True)
class Words:
    """Every word of some texts in order: the text it stands in, its hash, whether it holds a digit."""

    rows: Rows
    hashes: Hashes
    digit: NDArray[np.bool_]


def words(texts: Sequence[str]) -> tuple[Words, Words]:
    """The words of the texts; and every two neighboring words written as one ("note book" as "notebook")."""
    points, starts = codepoints(texts)
    blank = points == _BLANK
    edges = np.flatnonzero(blank)
    spans = np.diff(edges)
    first = edges[:-1][spans > 1] + 1
    if not len(first):
        nothing = Words(np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.bool_))
        return nothing, nothing
    length = spans[spans > 1] - 1
    # A polynomial hash of each span, by one running sum: h(word) = sum(code * m^(place in word)).
    place = np.arange(len(points)) - np.repeat(edges, np.diff(np.append(edges, len(points))))
    powers = _powers(int(length.max()) + 1)
    weighted = (points.astype(np.uint64) + np.uint64(1)) * powers[place]
    weighted[blank] = 0
    running = np.append(np.uint64(0), np.cumsum(weighted))
    plain = running[first + length] - running[first]
    digits = np.append(0, np.cumsum((points >= _ZERO) & (points <= _NINE)))
    digit = digits[first + length] > digits[first]
    rows = np.searchsorted(starts, first - 1, side="right") - 1
    beside = np.flatnonzero(rows[1:] == rows[:-1])
    # ... so that h(ab) = h(a) + m^len(a) * h(b)
    joined = plain[beside] + powers[length[beside]] * plain[beside + 1]
    return (
        Words(rows, _mix(plain), digit),
        Words(rows[beside], _mix(joined), digit[beside] | digit[beside + 1]),
    )


def digit_runs(texts: Sequence[str]) -> tuple[Rows, Hashes]:
    """The row and the hash of every run of digits, leading zeros left out: "v2.0" and "2" share the number 2."""
    points, starts = codepoints(texts)
    digit = (points >= _ZERO) & (points <= _NINE)
    after_zeros = np.cumsum(digit & (points > _ZERO))
    edge = np.flatnonzero(np.diff(np.concatenate([[False], digit, [False]])))
    first, end = edge[0::2], edge[1::2]
    before = np.append(0, after_zeros)
    # Digits count from a run's first one that isn't zero.
    counts_from = before[first]
    run = np.repeat(np.arange(len(first)), end - first)
    inside = np.flatnonzero(digit)
    counted = after_zeros[inside] > counts_from[run]
    run, inside = run[counted], inside[counted]
    place = np.arange(len(run)) - np.searchsorted(run, run)
    hashes = np.zeros(len(first), np.uint64)
    powers = _powers(int(place.max(initial=0)) + 1)
    np.add.at(hashes, run, points[inside].astype(np.uint64) * powers[place])
    return np.searchsorted(starts, first - 1, side="right") - 1, _mix(hashes)


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
    return min(_MOST_BUCKETS, max(_FEWEST_BUCKETS, 1 << characters.bit_length()))


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
