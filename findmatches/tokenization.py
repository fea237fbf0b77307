"""Texts to words, numbers and character n-grams, each as a 64-bit hash, without a Python loop over tokens.

All texts are one array of code points. A token's hash is a polynomial in its code points (Karp and Rabin, "Efficient
randomized pattern-matching algorithms", 1987); the vocabulary is the hash modulo a power of two (Weinberger et al.,
"Feature hashing for large scale multitask learning", 2009).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]

# Buckets of the hashed vocabulary: enough to make collisions rare, few enough to keep per-term arrays small.
_MIN_BUCKETS = 1 << 14
_MAX_BUCKETS = 1 << 22

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth, The Art of Computer Programming 3, 6.4
_BLANK, _ZERO, _NINE = 32, 48, 57
_MAX_HASHED_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class Words:
    """Every word of some texts in order: the text it stands in, its hash, whether it contains a digit."""

    rows: Rows
    hashes: Hashes
    has_digit: NDArray[np.bool_]


def codepoints(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All texts as one array of code points, each text with one blank before and after it, and where each text starts."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(lengths + 1, out=starts[1:])
    joined = " ".join(texts) + " "
    return np.frombuffer((" " + joined).encode("utf-32-le", "surrogatepass"), np.uint32), starts


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
    # h(word) = sum(code * m^(place in word)), all words from one running sum (Karp and Rabin 1987).
    place = np.arange(len(points)) - np.repeat(edges, np.diff(np.append(edges, len(points))))
    powers = _powers(int(length.max()) + 1)
    weighted = (points.astype(np.uint64) + np.uint64(1)) * powers[place]
    weighted[blank] = 0
    running = np.append(np.uint64(0), np.cumsum(weighted))
    hashes = running[first + length] - running[first]
    digits = np.append(0, np.cumsum((points >= _ZERO) & (points <= _NINE)))
    has_digit = digits[first + length] > digits[first]
    rows = np.searchsorted(starts, first - 1, side="right") - 1
    neighbors = np.flatnonzero(rows[1:] == rows[:-1])
    # A polynomial hash concatenates: h(ab) = h(a) + m^len(a) * h(b).
    joined = hashes[neighbors] + powers[length[neighbors]] * hashes[neighbors + 1]
    return (
        Words(rows, mixed(hashes), has_digit),
        Words(rows[neighbors], mixed(joined), has_digit[neighbors] | has_digit[neighbors + 1]),
    )


def digit_runs(texts: Sequence[str]) -> tuple[Rows, Hashes]:
    """The row and the hash of every run of digits, leading zeros left out: "v2.0" and "2" share the number 2."""
    points, starts = codepoints(texts)
    digit = (points >= _ZERO) & (points <= _NINE)
    edge = np.flatnonzero(np.diff(np.concatenate([[False], digit, [False]])))
    first, end = edge[0::2], edge[1::2]
    # A digit counts if its run has a digit other than zero up to it: a running count of those has then grown.
    nonzero = np.cumsum(digit & (points > _ZERO))
    nonzero_before = np.append(0, nonzero)[first]
    run = np.repeat(np.arange(len(first)), end - first)
    inside = np.flatnonzero(digit)
    significant = nonzero[inside] > nonzero_before[run]
    run, inside = run[significant], inside[significant]
    place = np.arange(len(run)) - np.searchsorted(run, run)
    hashes = np.zeros(len(first), np.uint64)
    powers = _powers(int(place.max(initial=0)) + 1)
    np.add.at(hashes, run, points[inside].astype(np.uint64) * powers[place])
    return np.searchsorted(starts, first - 1, side="right") - 1, mixed(hashes)


def ngrams(texts: Sequence[str], size: int) -> tuple[Rows, Hashes]:
    """The row and the hash of every run of `size` characters; blanks at both ends of a text count as characters."""
    points, starts = codepoints(texts)
    count = len(points) - size + 1
    if count <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    # Horner's rule, one character of all n-grams at a time.
    hashes = np.zeros(count, np.uint64)
    for offset in range(size):
        hashes = hashes * _MULTIPLIER + points[offset : offset + count]
    # An n-gram counts if it begins and ends in the same text.
    row_of = np.repeat(np.arange(len(texts)), np.diff(starts))
    row_of = np.append(row_of, len(texts))[:count]
    last_row = np.append(np.repeat(np.arange(len(texts)), np.diff(starts)), len(texts) - 1)[size - 2 : size - 2 + count]
    inside = (row_of == last_row) & (row_of < len(texts))
    return row_of[inside], mixed(hashes[inside])


def text_hashes(texts: Sequence[str]) -> Hashes:
    """One hash per text, of all its characters; shape (texts,)."""
    hashes = np.zeros(len(texts), np.uint64)
    start = 0
    while start < len(texts):
        # As many texts at a time as have about a million characters: a hash takes 30 bytes per character.
        end, characters = start, 0
        while end < len(texts) and characters < _MAX_HASHED_CHARACTERS:
            characters += len(texts[end]) + 1
            end += 1
        points, starts = codepoints(texts[start:end])
        inside = points[1:]
        lengths = np.diff(starts)
        place = np.arange(len(inside)) - np.repeat(starts[:-1], lengths)
        weighted = (inside.astype(np.uint64) + np.uint64(1)) * _powers(int(lengths.max()))[place]
        running = np.append(np.uint64(0), np.cumsum(weighted))
        # The blank after each text counts too, so that its length does.
        hashes[start:end] = running[starts[1:]] - running[starts[:-1]]
        start = end
    return mixed(hashes)


def buckets_for(characters: int) -> int:
    """The size of a hashed vocabulary for so much text: a power of two."""
    return min(_MAX_BUCKETS, max(_MIN_BUCKETS, 1 << characters.bit_length()))


def counts(rows: Rows, hashes: Hashes, row_count: int, buckets: int) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Occurrences as a CSR matrix of float32, `row_count` x `buckets` (a power of two); `rows` ascend."""
    columns = (hashes & np.uint64(buckets - 1)).astype(np.int32)
    indptr = np.zeros(row_count + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=row_count), out=indptr[1:])
    matrix = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, indptr), shape=(row_count, buckets))
    matrix.sum_duplicates()
    return matrix


def _powers(count: int) -> Hashes:
    powers = np.full(count, _MULTIPLIER, np.uint64)
    powers[0] = 1
    return np.cumprod(powers)


def mixed(hashes: Hashes) -> Hashes:
    """The hashes with every bit depending on all."""
    # Spreads the high bits into the low ones, which pick the bucket (xor-shift-multiply: Vigna, splitmix64, 2015).
    spread: Hashes = (hashes ^ (hashes >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return spread ^ (spread >> np.uint64(32))
