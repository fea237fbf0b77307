"""One plain form of a text, without a source's habits of case, accents, punctuation and HTML."""

import html
import re
import unicodedata
from collections.abc import Sequence

# Edit distances and n-grams cost grows with length; what tells two long texts apart shows in their beginning.
MOST_CHARACTERS = 2000

_SEPARATOR = "\x1f"
_NO_WORD = re.compile(r"(?:[^\w\x1f]|_)+")
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")


def plain_texts(values: Sequence[str | None]) -> list[str]:
    """Per value its words in lower case without accents and punctuation, one blank between them; "" for a null.

    A value of punctuation only keeps its characters: "C++" and "C" may share a form, "++" and "--" must not.
    """
    shortened = [value[: 2 * MOST_CHARACTERS] if value else "" for value in values]
    if not shortened:
        return []
    # One pass over one long text runs in C; a pass per value would spend its time in Python.
    joined = _plain(_SEPARATOR.join(shortened))
    plain = [text.strip() for text in joined.split(_SEPARATOR)]
    if len(plain) != len(shortened):  # a value held, or was decoded to, the separator
        plain = [_plain(value).replace(_SEPARATOR, " ").strip() for value in shortened]
    for row, (before, after) in enumerate(zip(shortened, plain, strict=True)):
        if not after and before:
            plain[row] = " ".join(before.casefold().split())
        elif len(after) > MOST_CHARACTERS:
            plain[row] = after[:MOST_CHARACTERS]
    return plain


def _plain(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    return _NO_WORD.sub(" ", text.casefold())
