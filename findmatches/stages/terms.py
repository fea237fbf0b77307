"""The terms of each record, and how often each term occurs in the table."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches import tokenization
from findmatches.blocks.block import DRIVER, Block, Blocks, Facts, Sent
from findmatches.blocks.rows import Rows, opened
from findmatches.term_vectors import (
    WORDS_IN_PAIRS,
    TermCounts,
    gram_counts,
    number_counts,
    tf_idf,
    word_counts,
    word_kinds,
    word_pair_counts,
)

# The vocabularies of whole records.
WORDS, PHRASES, GRAMS, CODES, NUMBERS, WORD_PAIRS = "words", "phrases", "grams", "codes", "numbers", "word pairs"
RECORD_TERMS = (WORDS, PHRASES, GRAMS, CODES, NUMBERS)
# Rarity in features is estimated from so many records: one term more or less changes a logarithm little.
MAX_COUNTED_RECORDS = 50_000
_SLICES = 4


def column_vocabulary(place: int, kind: str) -> str:
    """The name of one column's vocabulary of a kind: words, grams or numbers."""
    return f"{kind} of {place}"


def tokenize(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`all rows` -> the part's distinct `rows`, now numbered as records, their `terms`, and `counts` of each term."""
    rows = _records(opened(blocks["all rows"][0]), facts)
    yield part, "rows", rows.block()
    texts = rows.texts(range(len(rows.columns)))
    buckets = facts["buckets"]
    words, phrases, codes = word_kinds(texts, buckets)
    if len(facts["worded"]) < len(rows.columns):
        worded = rows.texts(facts["worded"])
        codes = word_kinds(worded, buckets)[2]
    else:
        worded = texts
    matrices = {
        WORDS: words,
        PHRASES: phrases,
        GRAMS: gram_counts(texts, facts["gram size"], buckets),
        CODES: codes,
        NUMBERS: number_counts(worded, buckets),
    }
    yield part, "terms", terms_block(rows.numbers, matrices)
    for name in (WORDS, PHRASES, GRAMS):
        yield from _counted(name, matrices[name], facts)
    chosen = counted_records(rows.numbers, facts)
    for name in (CODES, NUMBERS):
        yield from _counted(name, matrices[name][chosen], facts)
    sample = rows.take(chosen)
    words_in_pairs = np.minimum(np.diff(words.indptr).astype(np.int64), WORDS_IN_PAIRS)
    pairs = (words_in_pairs * (words_in_pairs - 1) // 2).sum()
    yield DRIVER, "counted", {"records": np.array([len(sample)]), "pairs": np.array([pairs])}
    for place, cells in enumerate(sample.columns):
        frequency = np.bincount(cells.codes, minlength=len(cells.values)).astype(np.float32)
        for name, matrix in column_terms(place, cells.values, facts).items():
            yield from _counted(name, matrix, facts, frequency)


def count_word_pairs(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`terms` -> `word pairs` of each record, and `counts` of each."""
    numbers, (words,) = opened_terms(blocks["terms"][0], (WORDS,), facts)
    pairs = word_pair_counts(tf_idf(words, facts[WORDS]), facts["pair buckets"])
    yield part, "word pairs", terms_block(numbers, {WORD_PAIRS: pairs})
    yield from _counted(WORD_PAIRS, pairs, facts)


def sum_counts(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`counts` -> in how many records each term of a slice of a vocabulary occurs, to the driver."""
    by_slice: dict[tuple[int, int], list[Block]] = {}
    for block in blocks["counts"]:
        by_slice.setdefault((int(block["vocabulary"][0]), int(block["slice"][0])), []).append(block)
    for (vocabulary, piece), parts in sorted(by_slice.items()):
        width = _buckets(facts["vocabularies"][vocabulary], facts) // _SLICES
        total = np.zeros(width, np.int32)
        for block in parts:
            total[block["term"]] += block["count"]
        yield DRIVER, "occurrences", {"vocabulary": np.array([vocabulary]), "slice": np.array([piece]), "count": total}


def term_counts(names: Sequence[str], blocks: Sequence[Block], facts: Facts, counted: int) -> dict[str, TermCounts]:
    """The driver's facts on these vocabularies, from the blocks of `sum_counts`; `counted`: the records of the sample."""
    totals = {name: np.zeros(_buckets(name, facts), np.int32) for name in names}
    for block in blocks:
        total = totals[facts["vocabularies"][int(block["vocabulary"][0])]]
        width = len(block["count"])
        total[int(block["slice"][0]) * width :][:width] = block["count"]
    exact = (WORDS, PHRASES, GRAMS, WORD_PAIRS)
    return {name: TermCounts(total, facts["records"] if name in exact else counted) for name, total in totals.items()}


def terms_block(numbers: NDArray[np.int64], matrices: dict[str, Any]) -> Block:
    """Records and their term counts as a block, which `opened_terms` opens."""
    block: Block = {"numbers": numbers}
    for name, matrix in matrices.items():
        block[f"{name}.indices"] = matrix.indices.astype(np.int32, copy=False)
        block[f"{name}.counts"] = np.minimum(matrix.data, 255).astype(np.uint8)
        block[f"{name}.starts"] = matrix.indptr.astype(np.int64, copy=False)
    return block


def opened_terms(block: Block, names: Sequence[str], facts: Facts) -> tuple[NDArray[np.int64], list[Any]]:
    """The numbers of the records, and for each vocabulary their counts, records x terms."""
    count = len(block["numbers"])
    matrices = [
        sparse.csr_matrix(
            (block[f"{name}.counts"].astype(np.float32), block[f"{name}.indices"], block[f"{name}.starts"]),
            shape=(count, _buckets(name, facts)),
        )
        for name in names
    ]
    for matrix in matrices:
        matrix.has_canonical_format = True
    return block["numbers"], matrices


def united_terms(blocks: Sequence[Block], names: Sequence[str], facts: Facts) -> tuple[NDArray[np.int64], list[Any]]:
    """As `opened_terms`, of several blocks of distinct records, in ascending order."""
    if len(blocks) == 1:
        return opened_terms(blocks[0], names, facts)
    parts = [opened_terms(block, names, facts) for block in blocks]
    numbers = np.concatenate([numbers for numbers, _ in parts])
    order = np.argsort(numbers)
    matrices = [sparse.vstack(of_name, format="csr")[order] for of_name in zip(*(part for _, part in parts), strict=True)]
    for matrix in matrices:
        matrix.has_canonical_format = True
    return numbers[order], matrices


def taken_terms(block: Block, names: Sequence[str], places: NDArray[np.int64], facts: Facts) -> Block:
    """The block's records at the given places, with the given vocabularies."""
    numbers, matrices = opened_terms(block, names, facts)
    return terms_block(numbers[places], {name: matrix[places] for name, matrix in zip(names, matrices, strict=True)})


def counted_records(numbers: NDArray[np.int64], facts: Facts) -> NDArray[np.int64]:
    """The places of those records whose terms are counted for the features: all, or the same sample in any parts."""
    if facts["records"] <= MAX_COUNTED_RECORDS:
        return np.arange(len(numbers))
    share = MAX_COUNTED_RECORDS / facts["records"]
    return np.flatnonzero(tokenization.mixed(numbers.astype(np.uint64) + np.uint64(1)) < np.uint64(int(share * 2.0**64)))


def column_terms(place: int, values: Sequence[str], facts: Facts) -> dict[str, Any]:
    """Counts of the terms of a column's distinct values, values x terms, by vocabulary."""
    buckets = facts["column buckets"][place]
    terms = {column_vocabulary(place, GRAMS): gram_counts(values, buckets=buckets)}
    if not facts["kinds"][place].single_words:
        terms[column_vocabulary(place, WORDS)] = word_counts(values, buckets)
        terms[column_vocabulary(place, NUMBERS)] = number_counts(values, buckets)
    return terms


def _records(rows: Rows, facts: Facts) -> Rows:
    """The first of identical rows each, numbered as records; columns that tell no rows apart are left out."""
    first, number = facts["first rows"], facts["record of row"]
    record = number[rows.numbers]
    kept = np.flatnonzero((record >= 0) & (first[np.maximum(record, 0)] == rows.numbers))
    taken = Rows(rows.numbers, tuple(rows.columns[place] for place in facts["columns"])).take(kept)
    return Rows(record[kept], taken.columns)


def _counted(name: str, matrix: Any, facts: Facts, weights: Any = None) -> Iterable[Sent]:  # noqa: ANN401 - scipy's arrays carry no types
    """In how many records each term occurs, by slices of the vocabulary; `weights`: how many records each row stands for."""
    buckets, vocabulary = _buckets(name, facts), facts["vocabularies"].index(name)
    if weights is None:
        occurs = np.bincount(matrix.indices, minlength=buckets)
    else:
        occurs = np.bincount(matrix.indices, weights=np.repeat(weights, np.diff(matrix.indptr)), minlength=buckets)
    terms = np.flatnonzero(occurs)
    width = buckets // _SLICES
    for piece in range(_SLICES):
        first, last = np.searchsorted(terms, (piece * width, (piece + 1) * width))
        if last > first:
            inside = terms[first:last]
            block = {
                "vocabulary": np.array([vocabulary]),
                "slice": np.array([piece]),
                "term": (inside - piece * width).astype(np.int32),
                "count": occurs[inside].astype(np.int32),
            }
            yield (vocabulary * _SLICES + piece) % facts["parts"], "counts", block


def _buckets(name: str, facts: Facts) -> int:
    if name == WORD_PAIRS:
        return int(facts["pair buckets"])
    if name in RECORD_TERMS:
        return int(facts["buckets"])
    return int(facts["column buckets"][int(name.rpartition(" ")[2])])
