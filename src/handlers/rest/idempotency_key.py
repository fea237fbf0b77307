"""The Idempotency-Key header."""

import re

from core.errors import LoopError

_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_VISIBLE = re.compile(r"[!-~]{1,255}")


class MalformedKey(LoopError):
    """The header is not an idempotency key."""


def idempotency_key(header: str) -> str:
    """The key in `header`: a structured-field string in quotes, or bare. Raises MalformedKey."""
    text = header.strip()
    quoted = _QUOTED.fullmatch(text)
    if text.startswith('"') and quoted is None:
        raise MalformedKey("an Idempotency-Key that begins with a quote must be one quoted string")
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if not _VISIBLE.fullmatch(key):
        raise MalformedKey("an Idempotency-Key has 1 to 255 visible ASCII characters")
    return key
