"""Following open work, in every ledger: what the index tells, what one write records, where the next reader begins."""

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
from tests.contract.runs import NOW, importing, labeling, progress, turn

ENDINGS = [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT]
LATER = NOW + timedelta(minutes=7, microseconds=1)


def in_glue(run: Run) -> Run:
    return replace(run, status=Status.STARTING, task_run_id=f"tsk-{run.id}", asked_on=LATER, started_on=LATER)


def only(ledger: Ledger) -> OpenRun:
    (run,) = ledger.open_runs()
    return run


@pytest.mark.parametrize("kind", [labeling, importing])
def test_a_run_under_way_is_told_with_what_following_it_takes(ledger: Ledger, kind: type) -> None:
    run = ledger.write(None, in_glue(kind()))
    told = only(ledger)
    assert told == open_run(run)
    assert (told.id, told.transform_id, told.task_type) == (run.id, "tfm-1", run.task_type)
    assert (told.requested_on, told.look_from, told.revision) == (run.requested_on, LATER, run.revision)
    assert told.task_tag


@pytest.mark.parametrize("status", [status for status in Status if not status.is_terminal])
def test_a_run_that_wants_more_than_to_be_followed_has_no_tag(ledger: Ledger, status: Status) -> None:
    run = ledger.write(None, replace(in_glue(labeling()), status=status))
    assert (only(ledger).task_tag is not None) == (status in IN_GLUE)
    ledger.write(run, replace(run, cancel_requested=True))
    assert only(ledger).task_tag is None


def test_an_export_before_an_import_is_looked_for_from_when_it_was_asked_for(ledger: Ledger) -> None:
    run = ledger.write(None, importing(status=Status.QUEUED))
    assert only(ledger).look_from is None
    ledger.write(run, replace(run, export_asked_on=LATER))
    assert only(ledger).look_from == LATER


@pytest.mark.parametrize("status", [*sorted(IN_GLUE), *ENDINGS])
def test_progress_changes_what_it_says_and_nothing_else(ledger: Ledger, status: Status) -> None:
    run = ledger.write(None, replace(in_glue(labeling()), lease_until=LATER, error=RunError("AT_LIMIT", "before")))
    error = RunError("GLUE_FAILED", "out of memory") if status is Status.FAILED else None
    news = progress(run.task_run_id or "", status, error)
    after = ledger.advance(only(ledger), news)
    assert after == ledger.get(run.id) == replace(news.onto(run), revision=after.revision)
    assert after.revision not in ("", run.revision)
    assert list(ledger.open_runs()) == ([] if status.is_terminal else [open_run(after)])


def test_an_import_gets_on_like_any_other_but_its_end_is_no_progress(ledger: Ledger) -> None:
    run = ledger.write(None, in_glue(importing()))
    running = ledger.advance(only(ledger), progress(run.task_run_id or "", Status.RUNNING))
    assert running.status is Status.RUNNING
    with pytest.raises(ValueError, match="line"):
        ledger.advance(only(ledger), progress(run.task_run_id or "", Status.SUCCEEDED))
    turn(ledger, running, Status.SUCCEEDED)
    ledger.write(None, importing(2))


def test_progress_of_a_run_that_has_changed_since_is_a_conflict(ledger: Ledger) -> None:
    run = ledger.write(None, in_glue(labeling()))
    stale = only(ledger)
    now = ledger.write(run, replace(run, cancel_requested=True))
    with pytest.raises(Conflict) as conflict:
        ledger.advance(stale, progress(run.task_run_id or "", Status.SUCCEEDED))
    assert conflict.value.current == now == ledger.get(run.id)


def test_progress_of_a_run_that_is_gone_is_a_conflict_and_brings_nothing_back(ledger: Ledger) -> None:
    run = ledger.write(None, in_glue(labeling()))
    stale = only(ledger)
    ledger.erase(run)
    with pytest.raises(Conflict) as conflict:
        ledger.advance(stale, progress(run.task_run_id or "", Status.SUCCEEDED))
    assert conflict.value.current is None
    assert ledger.get(run.id) is None


def test_progress_of_another_task_run_is_a_conflict(ledger: Ledger) -> None:
    run = ledger.write(None, in_glue(labeling()))
    with pytest.raises(Conflict):
        ledger.advance(only(ledger), progress("tsk-another", Status.SUCCEEDED))
    assert ledger.get(run.id) == run


def test_the_index_holds_what_following_takes_and_nothing_else(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    ledger.write(None, in_glue(labeling()))
    found = dynamodb.query(
        TableName=ledger._table,  # noqa: SLF001  what the ledger itself never asks for
        IndexName="open",
        KeyConditionExpression="openShard = :shard",
        ExpressionAttributeValues={":shard": {"S": "0"}},
    )["Items"]
    assert [set(item) for item in found] == [{"id", "openShard", "openKey", "status", "revision", "since", "tag"}]


def test_who_did_not_read_to_the_end_is_followed_by_one_who_begins_there(ledger: Ledger) -> None:
    for number in range(9):
        ledger.write(None, labeling(number, transform_id=f"tfm-{number % 3}"))
    everything = list(ledger.open_runs())
    assert list(islice(ledger.open_runs(), 4)) == everything[:4]
    assert list(islice(ledger.open_runs(), 4)) == everything[3:7]
    assert list(ledger.open_runs()) == everything[6:] + everything[:6]
    assert list(ledger.open_runs()) == everything


def test_who_begins_late_misses_no_transform_whose_name_only_begins_alike(ledger: Ledger) -> None:
    names = ["tfm", "tfm-1", "tfm-1-", "tfm-10", "tfm-11", "tfm_1"]
    for number, name in enumerate(names):
        ledger.write(None, labeling(number, transform_id=name))
    for stop in range(1, len(names) + 1):
        list(islice(ledger.open_runs(), stop))
        assert sorted(run.transform_id for run in ledger.open_runs()) == sorted(names)
