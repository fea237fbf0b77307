"""Who sent a request or an event."""

import pytest

from handlers.callers import event_caller, rest_caller, rest_session, upload_caller


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
def test_rest_caller_is_its_arn_without_the_session_name(identity: dict[str, str], caller: str) -> None:
    assert rest_caller({"requestContext": {"identity": identity}}) == caller


def test_callers_of_different_entry_points_differ() -> None:
    event = {"account": "1", "source": "planner"}
    callers = {
        event_caller(event),
        event_caller(event | {"source": "x"}),
        event_caller(event | {"account": "2"}),
        upload_caller("b"),
    }
    assert len(callers) == 4


@pytest.mark.parametrize(
    ("arn", "session"),
    [
        ("arn:aws:sts::1:assumed-role/AWSReservedSSO_Data_0123/alice@example.com", "alice@example.com"),
        ("arn:aws-cn:sts::1:assumed-role/team/i-0123", "i-0123"),
        ("arn:aws:iam::1:user/alice", None),
        (None, None),
    ],
)
def test_session_of_a_role_is_kept_apart_from_the_caller(arn: str | None, session: str | None) -> None:
    assert rest_session({"requestContext": {"identity": {"userArn": arn}}}) == session
