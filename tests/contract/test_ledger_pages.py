"""The listings of the Ledger port: every page of every filter, in every ledger."""

from base64 import urlsafe_b64decode
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from core.errors import InvalidCursor
from core.ports import Ledger, RunFilter
from core.runs import Run, Status, TaskType
from tests.contract.conftest import ledger_on
from tests.contract.sample_runs import importing, labeling
from tests.simulation.table import DynamoDB

STATUSES = [Status.SUCCEEDED, Status.FAILED, Status.RUNNING]
FILTERS = [
    RunFilter(),
    RunFilter(transform_id="tfm-1"),
    RunFilter(status=Status.FAILED),
    RunFilter(task_type=TaskType.IMPORT_LABELS),
    RunFilter("tfm-2", Status.SUCCEEDED, TaskType.LABELING_SET_GENERATION),
    RunFilter(status=Status.LOST),
    RunFilter(transform_id="tfm-none"),
    RunFilter(requested_by="alice"),
    RunFilter(requested_by="alice", status=Status.SUCCEEDED),
    RunFilter("tfm-2", task_type=TaskType.LABELING_SET_GENERATION, requested_by="bob"),
    RunFilter("tfm-1", Status.FAILED, requested_by="bob"),
    RunFilter(requested_by="carol"),
]


@pytest.fixture
def twelve(ledger: Ledger) -> list[Run]:
    """Twelve runs of two callers, newest first."""
    kinds = [labeling, importing]
    runs = [
        replace(kinds[number % 2](number, STATUSES[number % 3], f"tfm-{1 + number // 6}"), task_run_id=f"tsk-{number}")
        for number in range(12)
    ]
    ended = [replace(run, status=Status.STOPPED) if run.is_import and run.status is Status.RUNNING else run for run in runs]
    of_callers = [replace(run, requested_by="alice" if number % 5 < 3 else "bob") for number, run in enumerate(ended)]
    return [ledger.write(None, run) for run in of_callers][::-1]


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_pages_list_every_matching_run_once_newest_first(ledger: Ledger, twelve: list[Run], limit: int) -> None:
    for run_filter in FILTERS:
        listed: list[Run] = []
        cursor: str | None = None
        for _ in range(20):
            page = ledger.list_runs(run_filter, limit, cursor)
            assert len(page.items) <= limit
            listed += page.items
            if (cursor := page.next) is None:
                break
        assert cursor is None
        assert listed == [run for run in twelve if _matches(run, run_filter)]


def _matches(run: Run, run_filter: RunFilter) -> bool:
    return (
        run_filter.transform_id in (None, run.transform_id)
        and run_filter.status in (None, run.status)
        and run_filter.task_type in (None, run.task_type)
        and run_filter.requested_by in (None, run.requested_by)
    )


@pytest.mark.parametrize("run_filter", [RunFilter(requested_by="alice"), RunFilter("tfm-1", requested_by="alice")])
def test_cursor_of_a_callers_listing_knows_only_the_callers_runs(
    ledger: Ledger, twelve: list[Run], run_filter: RunFilter
) -> None:
    cursor: str | None = None
    for _ in range(len(twelve)):
        page = ledger.list_runs(run_filter, 1, cursor)
        if (cursor := page.next) is None:
            break
        revealed = cursor + _decoded(cursor)
        for run in twelve:
            times = {run.requested_on.isoformat(timespec=precision) for precision in ("seconds", "microseconds")}
            assert run.requested_by == "alice" or not [text for text in (run.id, *times) if text in revealed]
    else:
        raise AssertionError("the listing has no end")


def _decoded(cursor: str) -> str:
    with suppress(ValueError):  # the fake's cursor is plain text
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode(errors="replace")
    return ""


def test_more_runs_than_a_query_reads_are_all_listed(ledger: Ledger) -> None:
    written = [ledger.write(None, labeling(number, Status.SUCCEEDED, f"tfm-{number % 7}")) for number in range(130)][::-1]
    for run_filter in (RunFilter(), RunFilter(requested_by="alice"), RunFilter(requested_by="alice", status=Status.SUCCEEDED)):
        first = ledger.list_runs(run_filter, 100, None)
        second = ledger.list_runs(run_filter, 100, first.next)
        assert ([*first.items, *second.items], second.next) == (written, None)


def test_runs_of_the_first_release_are_listed_among_the_others(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    written = [ledger.write(None, labeling(number, Status.SUCCEEDED)) for number in range(40)][::-1]
    for run in written[::3]:
        dynamodb.update_item(
            TableName=ledger._table,  # noqa: SLF001  a write of release 0.1.0
            Key={"id": {"S": run.id}},
            UpdateExpression="SET kind = :kind",
            ExpressionAttributeValues={":kind": {"S": "run"}},
        )
        assert ledger.get(run.id) == run
    for run_filter in (RunFilter(), RunFilter("tfm-1"), RunFilter(requested_by="alice")):
        assert list(ledger.list_runs(run_filter, 100, None).items) == written


def test_item_that_cannot_be_read_hides_no_others(caplog: pytest.LogCaptureFixture) -> None:
    client = DynamoDB()
    ledger = ledger_on(client)
    runs = [ledger.write(None, labeling(number)) for number in (1, 2)]
    (table,) = client.tables.values()
    damaged = {name: value for name, value in table.items[runs[0].id].items() if name != "status"} | {"id": {"S": "d" * 32}}
    table.put(damaged, "d" * 32)
    listed = ledger.list_runs(RunFilter(), 10, None).items
    assert {run.id for run in listed} == {run.id for run in runs}
    assert "RUN_UNREADABLE" in caplog.messages


def test_run_added_between_two_pages_hides_none(ledger: Ledger, twelve: list[Run]) -> None:
    first = ledger.list_runs(RunFilter(), 5, None)
    ledger.write(None, labeling(99, Status.SUCCEEDED))
    second = ledger.list_runs(RunFilter(), 7, first.next)
    assert [*first.items, *second.items] == twelve


def test_cursor_of_another_listing_is_invalid(ledger: Ledger, twelve: list[Run]) -> None:
    assert twelve
    cursor = ledger.list_runs(RunFilter(), 5, None).next
    for run_filter, other_cursor in (
        (RunFilter(transform_id="tfm-1"), cursor),
        (RunFilter(), "nonsense"),
        (RunFilter(), "W10"),
    ):
        with pytest.raises(InvalidCursor):
            ledger.list_runs(run_filter, 5, other_cursor)
