"""Columns prepared for comparison: distinct normalized values, their frequencies and their term vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from findmatches.normalization import is_mark
from findmatches.tokenization import codepoints, mixed, text_hashes
from findmatches.value_types import Holds, Numbers

Codes = NDArray[np.int64]
Texts = NDArray[np.object_]

_STYLE_CHARACTERS = 80
_EDITED_CHARACTERS = 120
_MAX_ASCII = 127


def _classes_of_ascii() -> NDArray[np.uint64]:
    """A bit per character: small letters share one, capitals, digits and control characters too, all others have their own."""
    classes = [
        "a" if c.islower() else "A" if c.isupper() else "0" if c.isdigit() else c if c.isprintable() else ""
        for c in map(chr, range(_MAX_ASCII + 1))
    ]
    number_of = {name: number for number, name in enumerate(dict.fromkeys(classes))}
    return np.left_shift(np.uint64(1), np.array([number_of[name] for name in classes], np.uint64))


_CLASS_OF_ASCII = _classes_of_ascii()


@dataclass(frozen=True)
class ColumnKind:
    """How a column's values are compared: as text, numbers or dates; as single words; by their edits unless they are long.

    It is inferred from the values once, when a model is fitted, and stays the same for other tables.
    """

    name: str
    holds: Holds
    single_words: bool
    long: bool


@dataclass(frozen=True)
class Column:
    """One column of the `n` records at hand and their `m` distinct values.

    `values[codes[record]]` is a record's normalized text, "" for a missing value; `codes` has shape (n,). Of a long text,
    `values` holds the excerpt that is compared. `frequencies`, shape (m,), is how many of the table's `rows` have each value;
    `numbers` and `days`, shape (m,), are None unless the column holds numbers or dates. The matrices
    (m, terms) are tf-idf vectors of words and n-grams, and idf-weighted sets of words and numbers, those of words None if
    the column has single words only.
    """

    kind: ColumnKind
    codes: Codes
    values: list[str]
    frequencies: NDArray[np.int64]
    rows: int
    numbers: Numbers | None
    days: Numbers | None
    gram_vectors: Any
    word_vectors: Any = None
    word_sets: Any = None
    number_sets: Any = None

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


def style_hashes(values: Sequence[str]) -> NDArray[np.uint64]:
    """Equal for values written with the same classes of characters, and alike in whether each word begins with a capital."""
    heads = [value[:_STYLE_CHARACTERS] for value in values]
    # A set of classes is 64 bits, one for each class of ASCII's characters: the union over a text's characters.
    points, starts = codepoints(heads)
    ascii_class = _CLASS_OF_ASCII[np.minimum(points[1:], _MAX_ASCII)]
    ascii_class[starts[1:] - 1] = 0  # the blanks between the texts
    styles = np.bitwise_or.reduceat(ascii_class, starts[:-1]) if heads else np.zeros(0, np.uint64)
    for place, head in enumerate(heads):
        if not head.isascii():
            styles[place] = text_hashes(["".join(sorted(set(_pattern(head))))])[0]
    is_title = np.fromiter(map(str.istitle, heads), np.bool_, len(heads))
    return mixed(styles * np.uint64(2) + is_title)


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


def canonical_numbers(values: Sequence[str], numbers: Numbers) -> list[str]:
    """Each value as its number is usually written, if it is one; `numbers` are the values as numbers."""
    return [
        value if number != number or value.strip().isdigit() else f"{number:.10g}"  # noqa: PLR0124 - the quickest test for NaN
        for value, number in zip(values, numbers.tolist(), strict=True)
    ]


def distinct(values: Sequence[str]) -> tuple[list[str], Codes]:
    """The values, each once in the order of its first occurrence, and the place of each value among them."""
    code_of = dict(zip(dict.fromkeys(values), range(len(values)), strict=False))
    return list(code_of), np.fromiter(map(code_of.__getitem__, values), np.int64, len(values))
