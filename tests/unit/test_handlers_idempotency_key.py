"""The Idempotency-Key header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rest.idempotency_key import MalformedKey, idempotency_key

VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255)


@given(VISIBLE.filter(lambda key: not key.startswith('"')))
def test_bare_key_is_used_unchanged(key: str) -> None:
    assert idempotency_key(key) == idempotency_key(f"  {key} ") == key


@given(VISIBLE)
def test_quoted_key_equals_the_bare_key(key: str) -> None:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    assert idempotency_key(f'"{quoted}"') == key


@given(st.text(max_size=300))
def test_any_header_is_a_visible_key_or_malformed(header: str) -> None:
    try:
        key = idempotency_key(header)
    except MalformedKey:
        return
    assert 1 <= len(key) <= 255
    assert all("!" <= character <= "~" for character in key)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        '""',
        '"',
        '"a',
        '"a"b"',
        '"a";p=1',
        '"a\\b"',
        "a b",
        '"a b"',
        "a\tb",
        "a\nb",
        "ключ",
        "k" * 256,
        f'"{"k" * 256}"',
    ],
)
def test_invalid_key_is_malformed(header: str) -> None:
    with pytest.raises(MalformedKey):
        idempotency_key(header)
