"""The queue of a transform, in every ledger: who waits, who may overtake, how many fit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.aws.ledger import DynamoLedger
from core.errors import Conflict, QueueBlocked, QueueLimitReached
from core.ports import Ledger
from core.runs import Run, Status
from tests.contract.conftest import ledger_on
from tests.contract.sample_runs import NOW, evaluating, exporting, importing, labeling, turn

OPEN_STATUSES = [Status.RESERVED, Status.UNCONFIRMED, Status.STARTING, Status.RUNNING, Status.STOPPING]


def is_unchanged(ledger: Ledger, run: Run) -> bool:
    return ledger.get(run.id) == (run if run.revision else None)


def test_labeling_sets_run_side_by_side(ledger: Ledger) -> None:
    for number in range(5):
        ledger.write(None, labeling(number))


@pytest.mark.parametrize("kind", [labeling, importing])
@pytest.mark.parametrize("queued", [labeling, importing])
def test_new_request_does_not_overtake_queued_ones(ledger: Ledger, queued: type, kind: type) -> None:
    ledger.write(None, queued(1, Status.QUEUED))
    new_run = kind(2)
    with pytest.raises(QueueBlocked):
        ledger.write(None, new_run)
    assert is_unchanged(ledger, new_run)
    ledger.write(None, kind(2, transform_id="tfm-2"))


@pytest.mark.parametrize("status", OPEN_STATUSES)
@pytest.mark.parametrize("kind", [importing, evaluating, exporting])
@pytest.mark.parametrize("later", [importing, evaluating, exporting])
def test_open_exclusive_run_blocks_the_next_one(ledger: Ledger, kind: type, later: type, status: Status) -> None:
    ledger.write(None, kind(1, status))
    with pytest.raises(QueueBlocked):
        ledger.write(None, later(2))
    ledger.write(None, labeling(3))
    ledger.write(None, importing(4, transform_id="tfm-2"))


@pytest.mark.parametrize("ending", [status for status in Status if status.is_terminal])
def test_ended_import_unblocks_the_next_import(ledger: Ledger, ending: Status) -> None:
    turn(ledger, ledger.write(None, importing(1)), ending)
    ledger.write(None, importing(2))


def test_erased_import_unblocks_the_next_import(ledger: Ledger) -> None:
    ledger.delete(ledger.write(None, importing(1)))
    ledger.write(None, importing(2))


def test_import_back_in_the_queue_keeps_its_place(ledger: Ledger) -> None:
    first = turn(ledger, ledger.write(None, importing(1)), Status.QUEUED)
    with pytest.raises(QueueBlocked):
        ledger.write(None, importing(2))
    second = ledger.write(None, importing(2, Status.QUEUED))
    with pytest.raises(QueueBlocked):
        turn(ledger, second, Status.RESERVED)
    turn(ledger, first, Status.RESERVED)


def test_refused_import_may_be_sent_again_once_nothing_blocks_it(ledger: Ledger) -> None:
    refused = turn(ledger, ledger.write(None, importing(1)), Status.REFUSED)
    blocking = ledger.write(None, importing(2))
    with pytest.raises(QueueBlocked):
        turn(ledger, refused, Status.RESERVED)
    assert is_unchanged(ledger, refused)
    turn(ledger, blocking, Status.SUCCEEDED)
    turn(ledger, refused, Status.RESERVED)


@pytest.mark.parametrize("kind", [labeling, importing])
def test_first_accepted_of_a_kind_leaves_the_queue_first_whatever_its_time(ledger: Ledger, kind: type) -> None:
    first, second = (ledger.write(None, kind(seconds, Status.QUEUED)) for seconds in (2, 1))
    assert ledger.queue("tfm-1") == (first.id, second.id)
    with pytest.raises(QueueBlocked):
        turn(ledger, second, Status.RESERVED)
    assert is_unchanged(ledger, second)
    turn(ledger, first, Status.RESERVED, Status.SUCCEEDED)
    turn(ledger, second, Status.RESERVED)


def test_labeling_set_may_overtake_a_blocked_import(ledger: Ledger) -> None:
    running = ledger.write(None, importing(1))
    blocked, behind = ledger.write(None, importing(2, Status.QUEUED)), ledger.write(None, labeling(3, Status.QUEUED))
    with pytest.raises(QueueBlocked):
        turn(ledger, blocked, Status.RESERVED)
    turn(ledger, behind, Status.RESERVED)
    turn(ledger, running, Status.SUCCEEDED)
    turn(ledger, blocked, Status.RESERVED)


def test_exclusive_run_does_not_pass_a_queued_one_of_another_type(ledger: Ledger) -> None:
    kinds = (importing, evaluating, exporting, importing)
    runs = [ledger.write(None, kind(number, Status.QUEUED)) for number, kind in enumerate(kinds)]
    while runs:
        first, *later = runs
        for run in later:
            with pytest.raises(QueueBlocked):
                turn(ledger, run, Status.RESERVED)
        turn(ledger, first, Status.RESERVED, Status.SUCCEEDED)
        runs = later


@pytest.mark.parametrize("ending", [Status.CANCELLED, Status.START_FAILED])
def test_run_ending_in_the_queue_leaves_it_from_any_place(ledger: Ledger, ending: Status) -> None:
    runs = [ledger.write(None, labeling(number, Status.QUEUED)) for number in range(3)]
    turn(ledger, runs[1], ending)
    turn(ledger, runs[0], Status.RESERVED)
    turn(ledger, runs[2], Status.RESERVED)
    ledger.write(None, labeling(9))


def test_cancelled_import_leaves_the_queue_while_another_import_is_open(ledger: Ledger) -> None:
    ledger.write(None, importing(1))
    turn(ledger, ledger.write(None, importing(2, Status.QUEUED)), Status.CANCELLED)


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_queue_holds_at_most_max_waiting_runs(ledger: Ledger, limit: int) -> None:
    for number in range(limit):
        ledger.write(None, labeling(number, Status.QUEUED), max_queued=limit)
    one_too_many = labeling(9, Status.QUEUED)
    with pytest.raises(QueueLimitReached):
        ledger.write(None, one_too_many, max_queued=limit)
    assert is_unchanged(ledger, one_too_many)


def test_run_may_return_to_a_full_queue(ledger: Ledger) -> None:
    runs = [ledger.write(None, labeling(number, Status.QUEUED), max_queued=2) for number in range(2)]
    taken = turn(ledger, runs[0], Status.RESERVED)
    ledger.write(None, labeling(2, Status.QUEUED), max_queued=2)
    back = turn(ledger, taken, Status.QUEUED)
    turn(ledger, back, Status.RESERVED)


def test_import_that_cannot_join_a_full_queue_stays_open(ledger: Ledger) -> None:
    ledger.write(None, labeling(0, Status.QUEUED), max_queued=1)
    holding = ledger.write(None, importing(1, Status.UNCONFIRMED))
    with pytest.raises(QueueLimitReached):
        ledger.write(holding, replace(holding, status=Status.QUEUED), max_queued=1)
    assert is_unchanged(ledger, holding)


def test_stale_writer_gets_a_conflict_before_the_queue_is_checked(ledger: Ledger) -> None:
    first = ledger.write(None, importing(1))
    with pytest.raises(Conflict) as conflict:
        ledger.write(None, importing(1))
    assert conflict.value.current == first


def test_stale_writer_does_not_change_the_queue(ledger: Ledger) -> None:
    run = ledger.write(None, labeling(1, Status.QUEUED))
    turn(ledger, run, Status.RESERVED)
    with pytest.raises(Conflict):
        turn(ledger, run, Status.RESERVED)
    with pytest.raises(Conflict):
        ledger.write(None, labeling(1, Status.QUEUED))
    ledger.write(None, labeling(2))


def expiry(dynamodb: Any, ledger: DynamoLedger) -> datetime | None:  # noqa: ANN401  boto3's client
    """When the transform's item expires; None if it does not."""
    key = {"id": {"S": "line#tfm-1"}}
    item = dynamodb.get_item(TableName=ledger._table, Key=key)["Item"]  # noqa: SLF001  a call that the ledger never makes
    return datetime.fromtimestamp(int(item["expiresAt"]["N"]), UTC) if "expiresAt" in item else None


@pytest.mark.parametrize("ending", [Status.REFUSED, Status.SUCCEEDED, None])
def test_item_of_a_queue_that_nobody_uses_expires(dynamodb: Any, ending: Status | None) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    run = ledger.write(None, replace(importing(), changed_on=NOW))
    assert expiry(dynamodb, ledger) is None
    if ending is None:
        ledger.delete(run)
    else:
        turn(ledger, run, ending)
    assert expiry(dynamodb, ledger) == NOW + timedelta(days=90)
    ledger.write(None, importing(2))
    assert expiry(dynamodb, ledger) is None


def test_item_of_a_queue_that_is_in_use_does_not_expire(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    queued = ledger.write(None, labeling(1, Status.QUEUED))
    assert expiry(dynamodb, ledger) is None
    reserved = turn(ledger, queued, Status.RESERVED)
    assert expiry(dynamodb, ledger) is not None
    back = turn(ledger, reserved, Status.QUEUED)
    assert expiry(dynamodb, ledger) is None
    turn(ledger, back, Status.CANCELLED)
    assert expiry(dynamodb, ledger) is not None
    ledger.write(None, importing(2, Status.QUEUED))
    assert expiry(dynamodb, ledger) is None


def test_queued_import_that_starts_keeps_the_item(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    turn(ledger, ledger.write(None, importing(1, Status.QUEUED)), Status.RESERVED)
    assert expiry(dynamodb, ledger) is None
