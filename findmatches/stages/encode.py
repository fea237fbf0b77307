"""From raw cells to comparable values, and which rows are identical."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from findmatches import tokenization
from findmatches.blocks.block import DRIVER, Block, Blocks, Facts, Sent, joined, lengths_of, routed, unpack_texts
from findmatches.blocks.rows import Cells, Hashes, Rows
from findmatches.columns import canonical_numbers, distinct, style_hashes
from findmatches.normalization import LONG_WORD_BUCKETS, MAX_CHARACTERS, comparison_texts, long_word_counts, normalized_texts
from findmatches.value_types import Holds, as_days, as_numbers


def count_long_words(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`cells` -> how many long texts of each column contain each hashed word, to the driver."""
    (cells,) = blocks["cells"]
    for place in range(len(facts["holds"])):
        lengths = cells[f"{place}.length"]
        if (lengths > MAX_CHARACTERS).any():
            values, _codes = distinct(unpack_texts(f"{place}", cells))
            counts = long_word_counts(normalized_texts([value for value in values if len(value) > MAX_CHARACTERS]))
            yield DRIVER, "long words", {"column": np.array([place]), "counts": counts}


def encode(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`cells` -> `all rows` of the part, how often each of their `values` occurs, and the `sizes` of their columns."""
    (cells,) = blocks["cells"]
    parts = facts["parts"]
    columns = tuple(
        _encoded(unpack_texts(f"{place}", cells), holds, facts.get(f"long words {place}"))
        for place, holds in enumerate(facts["holds"])
    )
    yield part, "all rows", Rows(cells["numbers"], columns).block()
    sizes = np.zeros((len(columns), 3))
    for place, column in enumerate(columns):
        frequency = np.bincount(column.codes, minlength=len(column.values))
        lengths = lengths_of(column.values)
        phrases = np.fromiter((" " in value for value in column.values), np.int64, len(column.values))
        sizes[place] = (lengths * frequency).sum(), ((lengths > 0) * frequency).sum(), (phrases * frequency).sum()
        block = {"column": np.full(len(frequency), place), "hash": column.hashes, "count": frequency}
        yield from routed((column.hashes % np.uint64(parts)).astype(np.int64), "values", block, parts)
    yield DRIVER, "sizes", {"sizes": sizes}


def identify(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`all rows` -> a hash of each row's values and styles, to where equal ones meet; which rows are blank, to the driver."""
    (rows,) = blocks["all rows"]
    parts, numbers = facts["parts"], rows["numbers"]
    identity, blank = np.zeros(len(numbers), np.uint64), np.ones(len(numbers), np.bool_)
    for place in facts["columns"]:
        codes = rows[f"{place}.codes"]
        blank &= rows[f"{place}.length"][codes] == 0
        for hashes in (rows[f"{place}.hashes"][codes], rows[f"{place}.styles"]):
            identity = tokenization.mixed(identity * np.uint64(0x9E3779B97F4A7C15) + hashes)
    yield DRIVER, "blank", {"rows": numbers[blank]}
    block = {"hash": identity[~blank], "row": numbers[~blank]}
    yield from routed((block["hash"] % np.uint64(parts)).astype(np.int64), "identities", block, parts)


def find_identical(_: int, blocks: Blocks, __: Facts) -> Iterable[Sent]:
    """`identities` -> every row that is identical to an earlier one, and the first such row, to the driver."""
    block = joined(blocks["identities"], {"hash": np.zeros(0, np.uint64), "row": np.zeros(0, np.int64)})
    order = np.lexsort((block["row"], block["hash"]))
    hashes, rows = block["hash"][order], block["row"][order]
    starts = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)])
    first = np.repeat(rows[starts], np.diff(np.append(starts, len(rows))))
    repeats = first != rows
    yield DRIVER, "identical", {"row": rows[repeats], "first": first[repeats]}


def count_values(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`values` -> the values that several rows have, and how many distinct ones each column has, to the driver."""
    empty: Block = {"column": np.zeros(0, np.int64), "hash": np.zeros(0, np.uint64), "count": np.zeros(0, np.int64)}
    block = joined(blocks["values"], empty)
    keys, place = np.unique(value_keys(block["column"], block["hash"]), return_inverse=True)
    counts = np.bincount(place.ravel(), weights=block["count"], minlength=len(keys)).astype(np.int64)
    column = np.zeros(len(keys), np.int64)
    column[place.ravel()] = block["column"]
    repeated = counts > 1
    yield DRIVER, "frequent", {"key": keys[repeated], "count": counts[repeated]}
    yield DRIVER, "distinct", {"count": np.bincount(column, minlength=len(facts["holds"]))}


def value_keys(column: Any, hashes: Hashes) -> Hashes:  # noqa: ANN401 - a number or an array of them
    """One number per value of a column."""
    salt = (np.atleast_1d(column).astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return tokenization.mixed(hashes + salt)


def _encoded(raw: Sequence[str], holds: Holds, long_words: NDArray[np.int64] | None) -> Cells:
    raw_values, raw_codes = distinct(raw)
    styles = style_hashes(raw_values)
    numbers = np.zeros(0)
    if holds == "numbers":
        # "$1,299.00" and "1299" are the same number, but "0042" is a code and stays as it is.
        numbers = as_numbers(raw_values)
        raw_values = canonical_numbers(raw_values, numbers)
    elif holds == "dates":
        numbers = as_days(raw_values)
    texts = normalized_texts(raw_values)
    if len(numbers):
        # "-5" and "5" are written alike once normalized, but are not the same value.
        marked, code_of_raw = distinct([f"{text}\x1f{number}" for text, number in zip(texts, numbers.tolist(), strict=True)])
        first = np.zeros(len(marked), np.int64)
        first[code_of_raw[::-1]] = np.arange(len(texts))[::-1]
        values, numbers = [texts[place] for place in first.tolist()], numbers[first]
        hashes = tokenization.mixed(tokenization.text_hashes(values) ^ (numbers + 0.0).view(np.uint64))
    else:
        values, code_of_raw = distinct(texts)
        hashes = tokenization.text_hashes(values)
    if long_words is None:
        long_words = np.zeros(LONG_WORD_BUCKETS, np.int64)
    excerpts = comparison_texts(values, long_words)
    return Cells(excerpts, code_of_raw[raw_codes].astype(np.int32), hashes, numbers, styles[raw_codes])
