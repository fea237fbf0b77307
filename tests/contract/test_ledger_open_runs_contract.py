"""Tracking open runs, in every ledger: the index's entries and shards, progress in one write, where a reader begins."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.errors import Conflict
from core.open_runs import SHARDS, Checkpoint, OpenRun, Place, open_run, shard_of
from core.ports import Ledger, RunFilter
from core.runs import IN_GLUE, Run, RunError, Status
from tests.contract.conftest import ledger_on
from tests.contract.sample_runs import NOW, evaluating, exporting, importing, labeling, progress, turn

ENDINGS = [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT]
LATER = NOW + timedelta(minutes=7, microseconds=1)


def in_glue(run: Run) -> Run:
    return replace(run, status=Status.STARTING, task_run_id=f"tsk-{run.id}", start_attempted_on=LATER, started_on=LATER)


def only_open_run(ledger: Ledger) -> OpenRun:
    (run,) = ledger.open_runs()
    return run


@pytest.mark.parametrize("kind", [labeling, importing, evaluating, exporting])
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


@pytest.mark.parametrize("kind", [importing, evaluating, exporting])
def test_exclusive_run_can_run_but_not_end_by_progress(ledger: Ledger, kind: type) -> None:
    run = ledger.write(None, in_glue(kind()))
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
        ExpressionAttributeValues={":shard": {"S": shard_of("tfm-1")}},
    )["Items"]
    assert [set(item) for item in items] == [{"id", "openShard", "openKey", "status", "revision", "since", "tag"}]


def test_shards_together_have_every_run_once(ledger: Ledger) -> None:
    written = {ledger.write(None, labeling(number, transform_id=f"tfm-{number % 30}")).id for number in range(60)}
    by_shard = {shard: list(ledger.open_runs([shard])) for shard in SHARDS}
    assert sorted(run.id for runs in by_shard.values() for run in runs) == sorted(written)
    assert all(run.shard == shard == shard_of(run.transform_id) for shard, runs in by_shard.items() for run in runs)
    assert list(ledger.open_runs(["3", "b"])) == by_shard["3"] + by_shard["b"]


def test_reader_begins_at_any_place_and_reads_every_run_once(ledger: Ledger) -> None:
    for number in range(9):
        ledger.write(None, labeling(number, transform_id=f"tfm-{number % 5}"))
    runs = list(ledger.open_runs())
    for number, first in enumerate(runs):
        place = Place(first.shard, first.transform_id)
        earlier_of_transform = sum(run.transform_id == first.transform_id for run in runs[:number])
        begin = number - earlier_of_transform
        assert list(ledger.open_runs(begin=place)) == runs[begin:] + runs[:begin]


def test_no_transform_is_missed_whose_name_is_the_beginning_of_another(ledger: Ledger) -> None:
    names = ["tfm", "tfm-1", "tfm-1-", "tfm-10", "tfm-11", "tfm_1"]
    for number, name in enumerate(names):
        ledger.write(None, labeling(number, transform_id=name))
    for name in names:
        runs = list(ledger.open_runs(begin=Place(shard_of(name), name)))
        assert runs[0].transform_id == name
        assert sorted(run.transform_id for run in runs) == sorted(names)


def test_place_of_a_transform_without_open_runs_is_between_its_neighbors(ledger: Ledger) -> None:
    ledger.write(None, labeling())
    (run,) = ledger.open_runs()
    for place in (Place(run.shard, "tfm-0"), Place(run.shard, "tfm-2"), Place("0", "tfm"), Place("f", "tfm")):
        assert list(ledger.open_runs(begin=place)) == [run]
    elsewhere = [shard for shard in SHARDS if shard != run.shard]
    assert list(ledger.open_runs(elsewhere, Place(run.shard, "tfm-1"))) == []


def test_checkpoint_is_kept_by_part_until_a_round_gets_through(ledger: Ledger) -> None:
    first, second = Checkpoint(Place("3", "tfm-1"), None), Checkpoint(Place("a", "tfm-2"), held_until=LATER)
    assert ledger.checkpoint("0/2") is None
    ledger.save_checkpoint("0/2", second)
    ledger.save_checkpoint("1/2", second)
    ledger.save_checkpoint("0/2", first)
    assert (ledger.checkpoint("0/2"), ledger.checkpoint("1/2"), ledger.checkpoint("0/1")) == (first, second, None)
    ledger.save_checkpoint("0/2", None)
    ledger.save_checkpoint("0/1", None)
    assert (ledger.checkpoint("0/2"), ledger.checkpoint("1/2"), ledger.checkpoint("0/1")) == (None, second, None)


def test_checkpoint_is_neither_a_run_nor_open_nor_listed(ledger: Ledger) -> None:
    ledger.save_checkpoint("0/1", Checkpoint(Place("3", "tfm-1"), None))
    assert ledger.get("round#0/1") is None
    assert list(ledger.open_runs()) == []
    assert [ledger.list_runs(run_filter, 10, None).items for run_filter in (RunFilter(), RunFilter("tfm-1"))] == [(), ()]


def test_runs_from_before_there_were_shards_are_read_and_move_as_they_are_written(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    run = ledger.write(None, in_glue(labeling()))
    assert shard_of("tfm-1") != "0"
    dynamodb.update_item(
        TableName=ledger._table,  # noqa: SLF001  a write of release 0.1.0
        Key={"id": {"S": run.id}},
        UpdateExpression="SET openShard = :shard",
        ExpressionAttributeValues={":shard": {"S": "0"}},
    )
    assert only_open_run(ledger) == open_run(run)._replace(shard="0")
    running = ledger.record_progress(only_open_run(ledger), progress(run.task_run_id or "", Status.RUNNING))
    assert only_open_run(ledger) == open_run(running)._replace(shard="0")
    ledger.write(running, running)
    assert only_open_run(ledger).shard == shard_of("tfm-1")
