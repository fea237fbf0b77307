"""A table's columns prepared for comparing: distinct plain values, how often each occurs, and what they share."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches import tokens
from findmatches.table import Table
from findmatches.text import plain_texts
from findmatches.values import Numbers, as_days, as_numbers, prevail

Codes = NDArray[np.int64]
Texts = NDArray[np.object_]

GRAM = 3
_CHUNK = 50_000
_STYLED = 80
_RARE_AT_LEAST = 0.1
_JUDGED_BY = 2000
_EXCEPTIONS = 0.02
_EDITED_CHARACTERS = 120
_KIND_OF_LETTER = str.maketrans(string.ascii_lowercase + string.ascii_uppercase + string.digits, "a" * 26 + "A" * 26 + "0" * 10)


@dataclass(frozen=True)
class Column:
    """`values[codes[row]]` is a row's plain text; "" is a missing value. Matrices and arrays go by value, not by row.

    `styles[row]` numbers how the value was written (case, punctuation): it often tells the source of a row.
    """

    name: str
    codes: Codes
    values: list[str]
    frequencies: NDArray[np.int64]
    styles: Codes
    numbers: Numbers | None
    days: Numbers | None
    words: Any
    grams: Any
    sets: Any
    digits: Any

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        return np.fromiter((not value for value in self.values), np.bool_, len(self.values))

    @cached_property
    def short_values(self) -> Texts:
        return shortened(self.values)

    @cached_property
    def sorted_values(self) -> Texts:
        return words_sorted(self.short_values)

    @cached_property
    def one_word(self) -> bool:
        """Whether hardly any value has more than one word."""
        return sum(" " in value for value in self.values) <= _EXCEPTIONS * len(self.values)

    @cached_property
    def mean_length(self) -> float:
        total = sum(len(value) for value in self.values)
        return total / max(1, sum(1 for value in self.values if value))


def comparable_columns(table: Table) -> list[Column]:
    """The columns that can tell rows apart: not the primary key, not empty, not the same everywhere."""
    columns = (_column(name, table.columns[name]) for name in table.names if name != table.primary_key)
    return [column for column in columns if len(column.values) > 1]


def shortened(texts: Sequence[str]) -> Texts:
    """Their beginnings, for comparing by edit distance."""
    short = np.empty(len(texts), object)
    short[:] = [text[:_EDITED_CHARACTERS] for text in texts]
    return short


def words_sorted(texts: Texts) -> Texts:
    """The same texts, each one's words in alphabetical order: so their order no longer counts in an edit distance."""
    ordered = np.empty(len(texts), object)
    ordered[:] = [" ".join(sorted(text.split())) for text in texts.tolist()]
    return ordered


def tf_idf(counts: Any) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Rows of unit length, rare terms weighing more; a row without terms stays zero."""
    occurs = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log1p(counts.shape[0] / np.maximum(np.arange(occurs.max(initial=0) + 1), 1)).astype(np.float32)
    data = idf[occurs[counts.indices]]
    several = np.flatnonzero(counts.data > 1)
    data[several] *= 1 + np.log(counts.data[several])
    squares = np.zeros(len(data) + 1)
    np.cumsum(data * data, out=squares[1:])
    lengths = np.sqrt(np.diff(squares[counts.indptr])).astype(np.float32)
    data /= np.repeat(np.where(lengths == 0, np.float32(1), lengths), np.diff(counts.indptr))
    return sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)


def idf_sets(counts: Any) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Which terms each row holds, each with how rare it is: log(rows / rows that hold it), at least a little."""
    occurs = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log(np.maximum(counts.shape[0], 2) / np.maximum(np.arange(occurs.max(initial=0) + 1), 1)) + _RARE_AT_LEAST
    data = idf.astype(np.float32)[occurs[counts.indices]]
    return sparse.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)


def word_counts(texts: Sequence[str]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    return _in_chunks(texts, lambda chunk: _counted(tokens.words(chunk)[0]))


def phrase_counts(texts: Sequence[str]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Words, and neighboring words written as one."""
    return _in_chunks(texts, lambda chunk: _together(*tokens.words(chunk)))


def code_counts(texts: Sequence[str]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    """Of words, and neighboring words written as one, those with a digit: model numbers, versions, house numbers."""

    def codes(chunk: Sequence[str]) -> tuple[tokens.Rows, tokens.Hashes]:
        found = [(part.rows[part.digit], part.hashes[part.digit]) for part in tokens.words(chunk)]
        return _sorted(np.concatenate([rows for rows, _ in found]), np.concatenate([hashes for _, hashes in found]))

    return _in_chunks(texts, codes)


def number_counts(texts: Sequence[str]) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    return _in_chunks(texts, tokens.digit_runs)


def gram_counts(texts: Sequence[str], size: int = GRAM) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    return _in_chunks(texts, lambda chunk: tokens.ngrams(chunk, size))


def _counted(words: tokens.Words) -> tuple[tokens.Rows, tokens.Hashes]:
    return words.rows, words.hashes


def _together(one: tokens.Words, other: tokens.Words) -> tuple[tokens.Rows, tokens.Hashes]:
    return _sorted(np.append(one.rows, other.rows), np.append(one.hashes, other.hashes))


def _sorted(rows: tokens.Rows, hashes: tokens.Hashes) -> tuple[tokens.Rows, tokens.Hashes]:
    order = np.argsort(rows, kind="stable")
    return rows[order], hashes[order]


def _in_chunks(texts: Sequence[str], tokenize: Any) -> Any:  # noqa: ANN401 - scipy's sparse arrays carry no types
    buckets = tokens.buckets_for(sum(len(text) for text in texts))
    parts = []
    for start in range(0, max(1, len(texts)), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        rows, hashes = tokenize(chunk)
        parts.append(tokens.counts(rows, hashes, len(chunk), buckets))
    return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")


def _column(name: str, cells: Sequence[str | None]) -> Column:
    raw_values, raw_codes = _distinct([cell or "" for cell in cells])
    present = [value for value in raw_values if value.strip()][:_JUDGED_BY]
    of_days = prevail(as_days(present))
    of_numbers = not of_days and prevail(as_numbers(present))
    styles = _distinct(_styles(raw_values))[1][raw_codes]
    if of_numbers:
        # "$1,299.00" and "1299" are the same number, but "0042" is a code and stays what it is.
        raw_values = _canonical_numbers(raw_values)
    values, codes_of_raw = _distinct(plain_texts(raw_values))
    codes = codes_of_raw[raw_codes]
    raw_of_code = dict(zip(codes_of_raw.tolist(), raw_values, strict=True))
    raw_of_value = [raw_of_code[code] for code in range(len(values))]
    counted = word_counts(values)
    return Column(
        name=name,
        codes=codes,
        values=values,
        frequencies=np.bincount(codes, minlength=len(values)),
        styles=styles,
        numbers=as_numbers(raw_of_value) if of_numbers else None,
        days=as_days(raw_of_value) if of_days else None,
        words=tf_idf(counted),
        grams=tf_idf(gram_counts(values)),
        sets=idf_sets(counted),
        digits=idf_sets(number_counts(values)),
    )


def _styles(values: Sequence[str]) -> list[str]:
    known: dict[str, str] = {}  # many values share a pattern
    styles = []
    for value in values:
        text = value[:_STYLED]
        pattern = text.translate(_KIND_OF_LETTER) if text.isascii() else _pattern(text)
        kinds = known.get(pattern)
        if kinds is None:
            kinds = known[pattern] = "".join(sorted(set(pattern)))
        styles.append(kinds + "T" * text.istitle())
    return styles


def _pattern(text: str) -> str:
    return "".join(("A" if one.isupper() else "a") if one.isalpha() else "0" if one.isdigit() else one for one in text)


def _canonical_numbers(values: Sequence[str]) -> list[str]:
    return [
        value if number != number or value.strip().isdigit() else f"{number:.10g}"  # noqa: PLR0124 - the quickest test for NaN
        for value, number in zip(values, as_numbers(values).tolist(), strict=True)
    ]


def _distinct(values: Sequence[str]) -> tuple[list[str], Codes]:
    code_of: dict[str, int] = {}
    codes = np.fromiter((code_of.setdefault(value, len(code_of)) for value in values), np.int64, len(values))
    return list(code_of), codes
