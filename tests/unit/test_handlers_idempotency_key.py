"""Who is asking, and under which idempotency key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.callers import event_caller, rest_caller, upload_caller
from handlers.rest.idempotency_key import MalformedKey, idempotency_key

VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255)


@given(VISIBLE.filter(lambda key: not key.startswith('"')))
def test_a_bare_key_is_taken_as_it_stands(key: str) -> None:
    assert idempotency_key(key) == idempotency_key(f"  {key} ") == key


@given(VISIBLE)
def test_a_quoted_key_is_the_same_as_the_bare_one(key: str) -> None:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    assert idempotency_key(f'"{quoted}"') == key


@given(st.text(max_size=300))
def test_whatever_is_sent_is_a_visible_key_or_malformed(header: str) -> None:
    try:
        key = idempotency_key(header)
    except MalformedKey:
        return
    assert 1 <= len(key) <= 255
    assert all("!" <= sign <= "~" for sign in key)


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
def test_what_is_no_key_is_malformed(header: str) -> None:
    with pytest.raises(MalformedKey):
        idempotency_key(header)


@pytest.mark.parametrize(
    ("identity", "caller"),
    [
        ({"userArn": "arn:aws:iam::1:user/alice"}, "arn:aws:iam::1:user/alice"),
        ({"userArn": "arn:aws:sts::1:assumed-role/loop/i-1"}, "arn:aws:sts::1:assumed-role/loop"),
        ({"userArn": "arn:aws:sts::1:assumed-role/loop/i-2", "caller": "x"}, "arn:aws:sts::1:assumed-role/loop"),
        ({"userArn": "arn:aws-cn:sts::1:assumed-role/loop/i-1"}, "arn:aws-cn:sts::1:assumed-role/loop"),
        ({"userArn": None, "caller": "AIDA1"}, "AIDA1"),
        ({"accountId": "1"}, "1"),
        ({}, "anonymous"),
    ],
)
def test_a_rest_caller_is_known_by_its_arn_without_the_roles_session(identity: dict[str, str], caller: str) -> None:
    assert rest_caller({"requestContext": {"identity": identity}}) == caller


def test_callers_by_other_doors_are_told_apart() -> None:
    event = {"account": "1", "source": "planner"}
    callers = {
        event_caller(event),
        event_caller(event | {"source": "x"}),
        event_caller(event | {"account": "2"}),
        upload_caller("b"),
    }
    assert len(callers) == 4
