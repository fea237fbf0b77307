"""Text normalization: case, accents, punctuation and HTML entities differ from source to source and carry no identity."""

import html
import re
import unicodedata
from collections.abc import Sequence

# The cost of edit distances and n-grams grows with length, and two long texts usually differ near their beginning.
MAX_CHARACTERS = 2000

_SEPARATOR = "\x1f"
_NON_WORD = re.compile(r"(?:[^\w\x1f]|_)+")
_COMBINING_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")


def normalized_texts(values: Sequence[str | None]) -> list[str]:
    """Per value its words in lower case without accents and punctuation, one blank between them; "" for a null.

    A value of punctuation only keeps its characters: "C++" and "C" may share a form, "++" and "--" must not.
    """
    shortened = [value[: 2 * MAX_CHARACTERS] if value else "" for value in values]
    if not shortened:
        return []
    # One pass over one long text runs in C; a pass per value would spend its time in Python.
    joined = _normalized(_SEPARATOR.join(shortened))
    normalized = [text.strip() for text in joined.split(_SEPARATOR)]
    if len(normalized) != len(shortened):  # a value contains the separator, or an entity that decodes to it
        normalized = [_normalized(value).replace(_SEPARATOR, " ").strip() for value in shortened]
    for row, (before, after) in enumerate(zip(shortened, normalized, strict=True)):
        if not after and before:
            normalized[row] = " ".join(before.casefold().split())
        elif len(after) > MAX_CHARACTERS:
            normalized[row] = after[:MAX_CHARACTERS]
    return normalized


def _normalized(text: str) -> str:
    # Unicode Standard Annex #15: NFKD separates a letter from its accents, which are then removed.
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _COMBINING_MARKS.sub("", unicodedata.normalize("NFKD", text))
    return _NON_WORD.sub(" ", text.casefold())
