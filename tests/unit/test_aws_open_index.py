"""The size of an item in the index of open runs, by DynamoDB's published rules: 10,000 must fit into two pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from core.aws.items import to_item
from core.aws.open_index import query_open_runs
from core.runs import IN_GLUE, Run, Status, TaskType
from local.cloud.template import resources

PAGE_BYTES = 1_000_000  # bytes; DynamoDB says 1 MB
NOW = datetime(2026, 11, 22, 12, 30, 15, 123456, UTC)
RUN = Run(
    id="0123456789abcdef" * 2,
    requested_by="arn:aws:sts::123456789012:assumed-role/labeling-service/session",
    requested_on=NOW,
    task_type=TaskType.LABELING_SET_GENERATION,
    status=Status.STARTING,
    transform_id=f"tfm-{'0123456789' * 4}",
    path=f"s3://a-bucket-with-a-longer-name/labeling-sets/{'0123456789abcdef' * 2}/",
    start_attempted_on=NOW + timedelta(seconds=1),
    changed_on=NOW + timedelta(seconds=2),
    task_run_id=f"tsk-{'0123456789abcdef' * 4}",
    started_on=NOW + timedelta(seconds=2),
    correlation_id="01234567-89ab-cdef-0123-456789abcdef",
    causation_id="01234567-89ab-cdef-0123-456789abcdef",
    revision="0123456789abcdef" * 2,
)


def projected(run: Run) -> dict[str, Any]:
    """The attributes of the run in the index, as template.yaml defines it."""
    (index,) = [
        index for index in resources()["Ledger"]["Properties"]["GlobalSecondaryIndexes"] if index["IndexName"] == "open"
    ]
    keys = [key["AttributeName"] for key in index["KeySchema"]]
    attributes = {"id", *keys, *index["Projection"]["NonKeyAttributes"]}
    return {name: value for name, value in to_item(run, timedelta(days=90)).items() if name in attributes}


def size_in_bytes(item: dict[str, dict[str, str]]) -> int:
    """In bytes: names and texts in UTF-8; a number has a byte for two of its significant digits, and one more."""
    return sum(len(name.encode()) + _value_size(*next(iter(value.items()))) for name, value in item.items())


def _value_size(kind: str, value: str) -> int:
    return (len(value.strip("0")) + 1) // 2 + 1 if kind == "N" else len(value.encode())


@pytest.mark.parametrize("status", sorted(IN_GLUE))
def test_two_pages_hold_ten_thousand_runs(status: Status) -> None:
    assert 5_000 * size_in_bytes(projected(replace(RUN, status=status))) <= PAGE_BYTES


@pytest.mark.parametrize("status", [Status.RESERVED, Status.QUEUED, Status.UNCONFIRMED])
def test_entries_of_runs_not_yet_in_glue_are_no_larger(status: Status) -> None:
    assert 5_000 * size_in_bytes(projected(replace(RUN, status=status))) <= PAGE_BYTES


def test_index_holds_only_the_attributes_for_tracking() -> None:
    assert set(projected(RUN)) == {"id", "openShard", "openKey", "status", "revision", "since", "tag"}
    assert set(projected(replace(RUN, status=Status.SUCCEEDED))) == {"id", "status", "revision"}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"id": {"S": "odd"}},
        {"id": {"S": "odd"}, "openKey": {"S": "no separators"}, "status": {"S": "QUEUED"}, "revision": {"S": "1"}},
        {**to_item(RUN, timedelta(days=90)), "status": {"S": "PAUSED"}},
        {**to_item(RUN, timedelta(days=90)), "since": {"N": "9" * 30}},
    ],
)
def test_unreadable_item_is_skipped_and_logged_and_the_others_are_read(
    odd: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = Mock(query=Mock(return_value={"Items": [odd, projected(RUN)]}))
    assert [run.id for run in query_open_runs(client, "ledger", ["0"], None)] == [RUN.id]
    assert "OPEN_RUN_UNREADABLE" in caplog.messages
