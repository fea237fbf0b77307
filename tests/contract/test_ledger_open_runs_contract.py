"""Tracking open runs, in every ledger: the index's entries, progress in one write, where the next reader begins."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from core.errors import Conflict
from core.open_runs import OpenRun, open_run
from core.ports import Ledger
from core.runs import IN_GLUE, Run, RunError, Status
from tests.contract.conftest import ledger_on
from tests.contract.sample_runs import NOW, importing, labeling, progress, turn

ENDINGS = [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT]
LATER = NOW + timedelta(minutes=7, microseconds=1)


def in_glue(run: Run) -> Run:
    return replace(run, status=Status.STARTING, task_run_id=f"tsk-{run.id}", start_attempted_on=LATER, started_on=LATER)


def only_open_run(ledger: Ledger) -> OpenRun:
    (run,) = ledger.open_runs()
    return run


@pytest.mark.parametrize("kind", [labeling, importing])
def test_index_entry_has_what_tracking_needs(ledger: Ledger, kind: type) -> None:
    run = ledger.write(None, in_glue(kind()))
    entry = only_open_run(ledger)
    assert entry == open_run(run)
    assert (entry.id, entry.transform_id, entry.task_type) == (run.id, "tfm-1", run.task_type)
    assert (entry.requested_on, entry.search_from, entry.revision) == (run.requested_on, LATER, run.revision)
    assert entry.task_tag


@pytest.mark.parametrize("status", [status for status in Status if not status.is_terminal])
def test_only_runs_in_glue_without_cancellation_have_a_task_tag(ledger: Ledger, status: Status) -> None:
    run = ledger.write(None, replace(in_glue(labeling()), status=status))
    assert (only_open_run(ledger).task_tag is not None) == (status in IN_GLUE)
    ledger.write(run, replace(run, cancel_requested=True))
    assert only_open_run(ledger).task_tag is None


def test_export_is_looked_up_from_its_start_time(ledger: Ledger) -> None:
    run = ledger.write(None, importing(status=Status.QUEUED))
    assert only_open_run(ledger).search_from is None
    ledger.write(run, replace(run, export_attempted_on=LATER))
    assert only_open_run(ledger).search_from == LATER


@pytest.mark.parametrize("status", [*sorted(IN_GLUE), *ENDINGS])
def test_progress_changes_only_its_own_attributes(ledger: Ledger, status: Status) -> None:
    run = ledger.write(None, replace(in_glue(labeling()), lease_until=LATER, error=RunError("AT_LIMIT", "before")))
    error = RunError("GLUE_FAILED", "out of memory") if status is Status.FAILED else None
    reported = progress(run.task_run_id or "", status, error)
    after = ledger.record_progress(only_open_run(ledger), reported)
    assert after == ledger.get(run.id) == replace(reported.apply_to(run), revision=after.revision)
    assert after.revision not in ("", run.revision)
    assert list(ledger.open_runs()) == ([] if status.is_terminal else [open_run(after)])


def test_import_can_run_but_not_end_by_progress(ledger: Ledger) -> None:
    run = ledger.write(None, in_glue(importing()))
    running = ledger.record_progress(only_open_run(ledger), progress(run.task_run_id or "", Status.RUNNING))
    assert running.status is Status.RUNNING
    with pytest.raises(ValueError, match="queue"):
        ledger.record_progress(only_open_run(ledger), progress(run.task_run_id or "", Status.SUCCEEDED))
    turn(ledger, running, Status.SUCCEEDED)
    ledger.write(None, importing(2))


def test_progress_of_a_changed_run_is_a_conflict(ledger: Ledger) -> None:
    run = ledger.write(None, in_glue(labeling()))
    stale = only_open_run(ledger)
    now = ledger.write(run, replace(run, cancel_requested=True))
    with pytest.raises(Conflict) as conflict:
        ledger.record_progress(stale, progress(run.task_run_id or "", Status.SUCCEEDED))
    assert conflict.value.current == now == ledger.get(run.id)


def test_progress_of_an_erased_run_is_a_conflict_and_restores_nothing(ledger: Ledger) -> None:
    run = ledger.write(None, in_glue(labeling()))
    stale = only_open_run(ledger)
    ledger.delete(run)
    with pytest.raises(Conflict) as conflict:
        ledger.record_progress(stale, progress(run.task_run_id or "", Status.SUCCEEDED))
    assert conflict.value.current is None
    assert ledger.get(run.id) is None


def test_progress_of_another_task_run_is_a_conflict(ledger: Ledger) -> None:
    run = ledger.write(None, in_glue(labeling()))
    with pytest.raises(Conflict):
        ledger.record_progress(only_open_run(ledger), progress("tsk-another", Status.SUCCEEDED))
    assert ledger.get(run.id) == run


def test_index_projects_only_what_tracking_needs(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    ledger.write(None, in_glue(labeling()))
    items = dynamodb.query(
        TableName=ledger._table,  # noqa: SLF001  a query that the ledger never makes
        IndexName="open",
        KeyConditionExpression="openShard = :shard",
        ExpressionAttributeValues={":shard": {"S": "0"}},
    )["Items"]
    assert [set(item) for item in items] == [{"id", "openShard", "openKey", "status", "revision", "since", "tag"}]


def test_next_reader_begins_where_the_last_one_stopped(ledger: Ledger) -> None:
    for number in range(9):
        ledger.write(None, labeling(number, transform_id=f"tfm-{number % 3}"))
    all_runs = list(ledger.open_runs())
    assert list(islice(ledger.open_runs(), 4)) == all_runs[:4]
    assert list(islice(ledger.open_runs(), 4)) == all_runs[3:7]
    assert list(ledger.open_runs()) == all_runs[6:] + all_runs[:6]
    assert list(ledger.open_runs()) == all_runs


def test_resumed_reader_misses_no_transform_with_a_common_prefix(ledger: Ledger) -> None:
    names = ["tfm", "tfm-1", "tfm-1-", "tfm-10", "tfm-11", "tfm_1"]
    for number, name in enumerate(names):
        ledger.write(None, labeling(number, transform_id=name))
    for stop in range(1, len(names) + 1):
        list(islice(ledger.open_runs(), stop))
        assert sorted(run.transform_id for run in ledger.open_runs()) == sorted(names)
