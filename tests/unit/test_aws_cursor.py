"""A cursor is opaque, and valid only for the listing that returned it."""

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
    st.none() | st.sampled_from(["alice", "bob"]),
)


class EndlessTable:
    """A table that always has more items: its responses have only what a cursor is made of."""

    def __init__(self) -> None:
        self.queries: list[dict[str, Any]] = []

    def query(self, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  botocore's own arguments
        self.queries.append(arguments)
        return {"Items": [], "LastEvaluatedKey": {"requestedKey": {"S": requested_key(NOW, ID)}}}


def list_page(run_filter: RunFilter, cursor: str | None) -> tuple[str | None, EndlessTable]:
    client: Any = EndlessTable()
    ledger = DynamoLedger(client, "ledger", timedelta(days=90), lambda: "revision")
    return ledger.list_runs(run_filter, 10, cursor).next, client


@given(FILTERS)
def test_cursor_continues_after_the_previous_page(run_filter: RunFilter) -> None:
    cursor, _ = list_page(run_filter, None)
    _, client = list_page(run_filter, cursor)
    assert client.queries[0]["ExpressionAttributeValues"][":before"] == {"S": requested_key(NOW, ID)}


@given(FILTERS, FILTERS)
def test_cursor_of_another_listing_is_rejected(first: RunFilter, second: RunFilter) -> None:
    cursor, _ = list_page(first, None)
    if first == second:
        assert list_page(second, cursor)[0]
    else:
        with pytest.raises(InvalidCursor, match="other filters"):
            list_page(second, cursor)


@given(st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_any_other_text_is_rejected(text: str) -> None:
    if text:
        with pytest.raises(InvalidCursor):
            list_page(RunFilter(), text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_other_json_is_rejected(document: object) -> None:
    with pytest.raises(InvalidCursor):
        list_page(RunFilter(), urlsafe_b64encode(json.dumps(document).encode()).decode())


@pytest.mark.parametrize("key", ["", "2026", f"{NOW.isoformat()}#short", f"' OR 1=1#{ID}", 7, None, ["x"]])
def test_forged_key_is_rejected(key: object) -> None:
    forged = urlsafe_b64encode(json.dumps([key, None, None, None]).encode()).decode()
    with pytest.raises(InvalidCursor):
        list_page(RunFilter(), forged)


def test_deeply_nested_cursor_is_rejected() -> None:
    with pytest.raises(InvalidCursor):
        list_page(RunFilter(), urlsafe_b64encode(b"[" * 4000).decode())


def test_rare_filter_reads_a_limited_number_of_pages() -> None:
    for run_filter in (RunFilter("tfm-1", Status.LOST), RunFilter(status=Status.LOST, requested_by="alice")):
        cursor, client = list_page(run_filter, None)
        assert cursor
        assert len(client.queries) == 10
