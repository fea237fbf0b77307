"""A listing's cursor: opaque, and worth something only where it was given out."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.items import requested_key
from core.aws.ledger import DynamoLedger
from core.errors import InvalidCursor
from core.ports import RunFilter
from core.runs import Status, TaskType

ID = "0123456789abcdef" * 2
NOW = datetime(2026, 11, 22, tzinfo=UTC)
FILTERS = st.builds(
    RunFilter,
    st.none() | st.sampled_from(["tfm-1", "tfm-2"]),
    st.none() | st.sampled_from(Status),
    st.none() | st.sampled_from(TaskType),
)


class OneMore:
    """A table that always has more: its answers are only what a cursor is made of."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def query(self, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  botocore's own arguments
        self.asked.append(arguments)
        return {"Items": [], "LastEvaluatedKey": {"requestedKey": {"S": requested_key(NOW, ID)}}}


def page(which: RunFilter, cursor: str | None) -> tuple[str | None, OneMore]:
    client: Any = OneMore()
    ledger = DynamoLedger(client, "ledger", timedelta(days=90), lambda: "revision")
    return ledger.list_runs(which, 10, cursor).next, client


@given(FILTERS)
def test_a_cursor_goes_on_where_the_page_before_ended(which: RunFilter) -> None:
    cursor, _ = page(which, None)
    _, client = page(which, cursor)
    start = client.asked[0]["ExclusiveStartKey"]
    assert (start["id"], start["requestedKey"]) == ({"S": ID}, {"S": requested_key(NOW, ID)})


@given(FILTERS, FILTERS)
def test_a_cursor_of_another_listing_is_refused(one: RunFilter, other: RunFilter) -> None:
    cursor, _ = page(one, None)
    if one == other:
        assert page(other, cursor)[0]
    else:
        with pytest.raises(InvalidCursor, match="other filters"):
            page(other, cursor)


@given(st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_whatever_else_is_sent_is_no_cursor(text: str) -> None:
    if text:
        with pytest.raises(InvalidCursor):
            page(RunFilter(), text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_that_we_did_not_write_is_no_cursor(document: object) -> None:
    with pytest.raises(InvalidCursor):
        page(RunFilter(), urlsafe_b64encode(json.dumps(document).encode()).decode())


@pytest.mark.parametrize("place", ["", "2026", f"{NOW.isoformat()}#short", f"' OR 1=1#{ID}", 7, None, ["x"]])
def test_a_forged_place_is_refused(place: object) -> None:
    forged = urlsafe_b64encode(json.dumps([place, None, None, None]).encode()).decode()
    with pytest.raises(InvalidCursor):
        page(RunFilter(), forged)


def test_a_cursor_nested_without_end_is_no_cursor() -> None:
    with pytest.raises(InvalidCursor):
        page(RunFilter(), urlsafe_b64encode(b"[" * 4000).decode())


def test_an_empty_page_with_a_cursor_is_bounded_work() -> None:
    cursor, client = page(RunFilter(status=Status.LOST), None)
    assert cursor
    assert len(client.asked) == 10
