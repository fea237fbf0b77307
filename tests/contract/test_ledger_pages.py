"""The listings of the Ledger port: every page of every filter, in every ledger."""

from dataclasses import replace

import pytest

from core.errors import InvalidCursor
from core.ports import Ledger, RunFilter
from core.runs import Run, Status, TaskType
from tests.contract.sample_runs import importing, labeling

STATUSES = [Status.SUCCEEDED, Status.FAILED, Status.RUNNING]
FILTERS = [
    RunFilter(),
    RunFilter(transform_id="tfm-1"),
    RunFilter(status=Status.FAILED),
    RunFilter(task_type=TaskType.IMPORT_LABELS),
    RunFilter("tfm-2", Status.SUCCEEDED, TaskType.LABELING_SET_GENERATION),
    RunFilter(status=Status.LOST),
    RunFilter(transform_id="tfm-none"),
]


@pytest.fixture
def twelve(ledger: Ledger) -> list[Run]:
    """Twelve runs, newest first."""
    kinds = [labeling, importing]
    runs = [
        replace(kinds[number % 2](number, STATUSES[number % 3], f"tfm-{1 + number // 6}"), task_run_id=f"tsk-{number}")
        for number in range(12)
    ]
    ended = [replace(run, status=Status.STOPPED) if run.is_import and run.status is Status.RUNNING else run for run in runs]
    return [ledger.write(None, run) for run in ended][::-1]


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
    )


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
