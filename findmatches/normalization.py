"""Text normalization: case, accents, punctuation and HTML entities differ from source to source and carry no identity."""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from findmatches.tokenization import text_hashes

# The cost of n-grams grows with length: of a longer text so many characters are compared, of each part.
MAX_HEAD_CHARACTERS = 700
MAX_RARE_CHARACTERS = 800
MAX_TAIL_CHARACTERS = 500
MAX_CHARACTERS = MAX_HEAD_CHARACTERS + MAX_RARE_CHARACTERS + MAX_TAIL_CHARACTERS

# Words of long texts are counted by their hash.
LONG_WORD_BUCKETS = 1 << 18

_SEPARATOR = "\x1f"
_ASCII_NON_WORD = re.compile(r"(?:[^\w\x1f]|_)+")
# Accents of Latin, Greek and Cyrillic. Other scripts write vowels, tones and doubled consonants as combining marks.
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
# Soft hyphen, joiners, byte order mark and the Arabic line filler show how a word is drawn, not which word it is.
_INVISIBLE = re.compile("[\u00ad\u0640\u200c\u200d\u2060\ufeff]+")


def normalized_texts(values: Sequence[str | None]) -> list[str]:
    """Per value its words in lower case without accents and punctuation, one blank between them; "" for a null.

    Letters, combining marks and digits of every script make words; digits become 0 to 9. A value of punctuation only keeps
    its characters: "C++" and "C" may share a form, "++" and "--" must not.
    """
    texts = [value or "" for value in values]
    if not texts:
        return []
    # One pass over one long text runs in C; a pass per value would spend its time in Python.
    joined = _normalized(_SEPARATOR.join(texts))
    normalized = [text.strip() for text in joined.split(_SEPARATOR)]
    if len(normalized) != len(texts):  # a value contains the separator, or an entity that decodes to it
        normalized = [_normalized(value).replace(_SEPARATOR, " ").strip() for value in texts]
    for row, (before, after) in enumerate(zip(texts, normalized, strict=True)):
        if not after and before:
            normalized[row] = " ".join(before.casefold().split())
    return normalized


def long_word_counts(values: Sequence[str]) -> NDArray[np.int64]:
    """How many of these long normalized texts contain each word, by the word's hash; shape (LONG_WORD_BUCKETS,)."""
    counts = np.zeros(LONG_WORD_BUCKETS, np.int64)
    for value in values:
        counts[_word_buckets(list(dict.fromkeys(value.split())))] += 1
    return counts


def comparison_texts(values: Sequence[str], long_words: NDArray[np.int64]) -> list[str]:
    """The normalized `values`, long ones cut to their beginning, their end and their rare words, in order.

    Two texts of the same origin often share a long opening; what tells them apart are the words that few texts have.
    `long_words`: the column's `long_word_counts`.
    """
    return [_excerpt(value, long_words) if len(value) > MAX_CHARACTERS else value for value in values]


def is_mark(character: str) -> bool:
    """Whether it is a combining mark: a vowel sign, tone or accent."""
    return unicodedata.category(character).startswith("M")


def _normalized(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        return _ASCII_NON_WORD.sub(" ", text.casefold())
    # Unicode Standard Annex #15: NFKD separates a letter from its accents, which are then removed.
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)))
    characters = set(text)
    digits = {ord(digit): str(unicodedata.decimal(digit)) for digit in characters if digit.isdecimal() and not digit.isascii()}
    if digits:
        text = text.translate(digits)
    # `\w` of the re module covers letters and digits of every script, but no combining mark.
    marks = "".join(sorted(filter(is_mark, characters)))
    return re.sub(rf"(?:[^\w\x1f{marks}]|_)+", " ", text.casefold())


def _word_buckets(words: Sequence[str]) -> NDArray[np.int64]:
    return (text_hashes(words) % np.uint64(LONG_WORD_BUCKETS)).astype(np.int64)


def _excerpt(value: str, long_words: NDArray[np.int64]) -> str:
    head = value[:MAX_HEAD_CHARACTERS].rpartition(" ")[0] or value[:MAX_HEAD_CHARACTERS]
    tail = value[-MAX_TAIL_CHARACTERS:].partition(" ")[2] or value[-MAX_TAIL_CHARACTERS:]
    between = list(dict.fromkeys(value[len(head) : len(value) - len(tail)].split()))
    frequency = dict(zip(between, long_words[_word_buckets(between)].tolist(), strict=True))
    # A word that only this text has says nothing about any pair, so such words come last.
    rarest = sorted(between, key=lambda word: (frequency[word] <= 1, frequency[word]))
    chosen = set(_up_to(MAX_RARE_CHARACTERS, rarest))
    return " ".join([head, *(word for word in between if word in chosen), tail])


def _up_to(characters: int, words: Iterable[str]) -> Iterable[str]:
    for word in words:
        characters -= len(word) + 1
        if characters < 0:
            break
        yield word
