"""The Idempotency-Key header, by the IETF draft that defines it: a structured-field string in quotes, or the bare key.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import re

from core.errors import LoopError

MAX_CHARACTERS = 255
KEY_PATTERN = f"^[!-~]{{1,{MAX_CHARACTERS}}}$"
KEY_RULE = f"must be 1 to {MAX_CHARACTERS} visible ASCII characters"
# A string of RFC 8941, without the space that a key must not have: a quote and a backslash are escaped by a backslash.
_QUOTED = rf'"(?:[!#-\[\]-~]|\\["\\]){{1,{MAX_CHARACTERS}}}"'
_BARE = rf"[!#-~][!-~]{{0,{MAX_CHARACTERS - 1}}}"
HEADER_PATTERN = f"^(?:{_BARE}|{_QUOTED})$"
MAX_HEADER_CHARACTERS = 2 * MAX_CHARACTERS + 2

_HEADER = re.compile(HEADER_PATTERN)


class MalformedKey(LoopError):
    """The header is not an idempotency key."""


def idempotency_key(header: str) -> str:
    """The key that `header` carries, without quotes and escapes. Raises MalformedKey."""
    text = header.strip()
    if not _HEADER.fullmatch(text):
        raise MalformedKey(f"Idempotency-Key {KEY_RULE}, either bare or as one quoted string.")
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
