"""A table's columns prepared for comparison: distinct normalized values, their frequencies and their term vectors."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from findmatches.normalization import comparison_texts, is_mark, normalized_texts
from findmatches.table import InvalidTable, Table
from findmatches.term_vectors import gram_counts, idf_sets, number_counts, tf_idf, word_counts
from findmatches.value_types import Numbers, as_days, as_numbers, is_type_of_column

Codes = NDArray[np.int64]
Texts = NDArray[np.object_]

_STYLE_CHARACTERS = 80
_SAMPLED_VALUES = 2000
_MAX_SHARE_OF_PHRASES = 0.02
_EDITED_CHARACTERS = 120
# Edit distances cost the product of both lengths; longer texts are compared by their words and n-grams.
_MAX_MEAN_EDITED_CHARACTERS = 80.0
_CHARACTER_CLASS = str.maketrans(
    string.ascii_lowercase + string.ascii_uppercase + string.digits, "a" * 26 + "A" * 26 + "0" * 10
)


@dataclass(frozen=True)
class ColumnKind:
    """How a column's values are compared: as text, numbers or dates; as single words; by their edits unless they are long.

    It is inferred from the values once, when a model is fitted, and stays the same for other tables.
    """

    name: str
    holds: Literal["text", "numbers", "dates"]
    single_words: bool
    long: bool


@dataclass(frozen=True)
class Column:
    """One column of `n` rows and `m` distinct values.

    `values[codes[row]]` is a row's normalized text, "" for a missing value; `codes` has shape (n,). The whole text decides
    the code; of a long text, `values` holds the excerpt that is compared. `frequencies`,
    `numbers` and `days` have shape (m,); the last two are None unless the column holds numbers or dates. The matrices
    (m, terms) are tf-idf vectors of words and n-grams, and idf-weighted sets of words and numbers.
    `styles[row]`, shape (n,), numbers how the raw value was written (case, punctuation): it often reveals a row's source.
    """

    kind: ColumnKind
    codes: Codes
    values: list[str]
    frequencies: NDArray[np.int64]
    styles: Codes
    numbers: Numbers | None
    days: Numbers | None
    word_vectors: Any
    gram_vectors: Any
    word_sets: Any
    number_sets: Any

    @property
    def name(self) -> str:
        """The column's name in the table."""
        return self.kind.name

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Which values stand for a missing value; shape (m,)."""
        return np.fromiter((not value for value in self.values), np.bool_, len(self.values))

    @cached_property
    def short_values(self) -> Texts:
        """The values cut for edit distances; shape (m,)."""
        return shortened(self.values)

    @cached_property
    def sorted_values(self) -> Texts:
        """`short_values`, the words of each in alphabetical order; shape (m,)."""
        return words_sorted(self.short_values)


def comparable_columns(table: Table, kinds: Sequence[ColumnKind] | None = None) -> list[Column]:
    """The columns that can distinguish rows: not the primary key, not empty, not constant; or those of `kinds`.

    Raises InvalidTable if the table lacks a column of `kinds`.
    """
    if kinds is not None:
        for kind in kinds:
            if kind.name not in table.columns:
                raise InvalidTable(f"The table has no column {kind.name}, which the model compares.")
        return [_column(kind.name, table.columns[kind.name], kind) for kind in kinds]
    columns = (_column(name, table.columns[name]) for name in table.names if name != table.primary_key)
    return [column for column in columns if len(column.values) > 1]


def shortened(texts: Sequence[str]) -> Texts:
    """The texts' beginnings: an edit distance costs the product of both lengths."""
    short = np.empty(len(texts), object)
    short[:] = [text[:_EDITED_CHARACTERS] for text in texts]
    return short


def words_sorted(texts: Texts) -> Texts:
    """The words of each text in alphabetical order, so that word order no longer counts in an edit distance."""
    ordered = np.empty(len(texts), object)
    ordered[:] = [" ".join(sorted(text.split())) for text in texts.tolist()]
    return ordered


def _column(name: str, cells: Sequence[str | None], kind: ColumnKind | None = None) -> Column:
    raw_values, raw_codes = _distinct([cell or "" for cell in cells])
    holds = kind.holds if kind else _inferred_type(raw_values)
    styles = _distinct(_styles(raw_values))[1][raw_codes]
    if holds == "numbers":
        # "$1,299.00" and "1299" are the same number, but "0042" is a code and stays as it is.
        raw_values = _canonical_numbers(raw_values)
    values, code_of_raw = _distinct(normalized_texts(raw_values))
    codes = code_of_raw[raw_codes]
    raw_of_code = dict(zip(code_of_raw.tolist(), raw_values, strict=True))
    raw_of_value = [raw_of_code[code] for code in range(len(values))]
    values = comparison_texts(values)
    counts = word_counts(values)
    return Column(
        kind=kind or ColumnKind(name, holds, _has_single_words(values), _is_long(values)),
        codes=codes,
        values=values,
        frequencies=np.bincount(codes, minlength=len(values)),
        styles=styles,
        numbers=as_numbers(raw_of_value) if holds == "numbers" else None,
        days=as_days(raw_of_value) if holds == "dates" else None,
        word_vectors=tf_idf(counts),
        gram_vectors=tf_idf(gram_counts(values)),
        word_sets=idf_sets(counts),
        number_sets=idf_sets(number_counts(values)),
    )


def _inferred_type(values: Sequence[str]) -> Literal["text", "numbers", "dates"]:
    sample = [value for value in values if value.strip()][:_SAMPLED_VALUES]
    if is_type_of_column(as_days(sample)):
        return "dates"
    return "numbers" if is_type_of_column(as_numbers(sample)) else "text"


def _has_single_words(values: Sequence[str]) -> bool:
    """Whether hardly any value has more than one word."""
    return sum(" " in value for value in values) <= _MAX_SHARE_OF_PHRASES * len(values)


def _is_long(values: Sequence[str]) -> bool:
    present = [len(value) for value in values if value]
    return sum(present) / max(1, len(present)) > _MAX_MEAN_EDITED_CHARACTERS


def _styles(values: Sequence[str]) -> list[str]:
    """Which classes of characters each value is written with, and whether each word begins with a capital letter."""
    style_of: dict[str, str] = {}  # many values share a pattern
    styles = []
    for value in values:
        text = value[:_STYLE_CHARACTERS]
        pattern = text.translate(_CHARACTER_CLASS) if text.isascii() else _pattern(text)
        style = style_of.get(pattern)
        if style is None:
            style = style_of[pattern] = "".join(sorted(set(pattern)))
        styles.append(style + "T" * text.istitle())
    return styles


def _pattern(text: str) -> str:
    return "".join(
        "A"
        if character.isupper()
        else "a"
        if character.isalpha() or is_mark(character)
        else "0"
        if character.isdigit()
        else character
        for character in text
    )


def _canonical_numbers(values: Sequence[str]) -> list[str]:
    return [
        value if number != number or value.strip().isdigit() else f"{number:.10g}"  # noqa: PLR0124 - the quickest test for NaN
        for value, number in zip(values, as_numbers(values).tolist(), strict=True)
    ]


def _distinct(values: Sequence[str]) -> tuple[list[str], Codes]:
    code_of: dict[str, int] = {}
    codes = np.fromiter((code_of.setdefault(value, len(code_of)) for value in values), np.int64, len(values))
    return list(code_of), codes
