"""Imports of a transform reach Glue one at a time, in the order of acceptance, or a late replace would erase newer labels."""

import pytest

from core.cancel import cancel
from core.errors import TryAgainLater
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.loop import Loop, import_command, labeling_command

LEASE_AND_GRACE = 200  # seconds


def upload(loop: Loop, number: int) -> Run:
    return loop.run_of(import_command(f"key-{number}", path=f"s3://bucket/labels/tfm-1/{number}.csv", replaces=number % 2 == 0))


def imported(loop: Loop) -> list[str]:
    return [
        (one.path or "").removeprefix("s3://bucket/labels/tfm-1/")
        for one in loop.glue.all()
        if one.replace_all_labels is not None
    ]


def open_imports(loop: Loop) -> int:
    return sum(one.task_type == "IMPORT_LABELS" and not one.status.is_terminal for one in loop.glue.all())


def test_the_second_import_waits_for_the_first_although_glue_has_room(loop: Loop) -> None:
    first, second = upload(loop, 1), upload(loop, 2)
    assert (first.status, second.status) == (Status.STARTING, Status.QUEUED)
    loop.reconcile()
    assert loop.now(second).status is Status.QUEUED
    loop.glue.finish_all()
    loop.reconcile()
    assert loop.now(second).status is Status.STARTING


def test_imports_go_one_at_a_time_in_the_order_of_acceptance(loop: Loop) -> None:
    for number in range(6):
        upload(loop, number)
    for _ in range(8):
        assert open_imports(loop) <= 1
        loop.glue.finish_all()
        loop.reconcile()
    assert imported(loop) == [f"{number}.csv" for number in range(6)]


def test_a_queued_import_is_not_overtaken_by_one_that_comes_when_the_way_is_free(loop: Loop) -> None:
    upload(loop, 1), upload(loop, 2)
    loop.glue.finish_all()
    third = upload(loop, 3)
    assert third.status is Status.QUEUED
    for _ in range(4):
        loop.reconcile()
        loop.glue.finish_all()
    assert imported(loop) == ["1.csv", "2.csv", "3.csv"]


def test_labeling_sets_may_pass_a_blocked_import(loop: Loop) -> None:
    upload(loop, 1)
    blocked = upload(loop, 2)
    labeling = loop.run_of(labeling_command())
    loop.reconcile()
    assert loop.now(labeling).status is Status.STARTING
    assert loop.now(blocked).status is Status.QUEUED


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
def test_an_import_in_doubt_keeps_the_next_one_waiting_until_it_is_settled(loop: Loop, fault: Fault) -> None:
    loop.glue.faults = [fault]
    first, second = upload(loop, 1), upload(loop, 2)
    assert (first.status, second.status) == (Status.UNCONFIRMED, Status.QUEUED)
    for _ in range(4):
        loop.clock.pass_seconds(LEASE_AND_GRACE)
        loop.reconcile()
        assert open_imports(loop) <= 1
    assert loop.now(second).status is Status.QUEUED
    loop.glue.finish_all()
    loop.reconcile()
    assert imported(loop) == ["1.csv", "2.csv"]


@pytest.mark.parametrize("ending", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_however_an_import_ends_the_next_one_follows(loop: Loop, ending: Status) -> None:
    upload(loop, 1)
    second = upload(loop, 2)
    loop.glue.finish_all(ending)
    loop.reconcile()
    assert loop.now(second).status is Status.STARTING


def test_a_refused_import_lets_the_next_one_through(loop: Loop) -> None:
    loop.glue.faults = [Fault.REFUSED]
    assert [upload(loop, number).status for number in (1, 2)] == [Status.REFUSED, Status.STARTING]


def test_a_throttled_import_lets_the_next_one_through(loop: Loop) -> None:
    loop.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        upload(loop, 1)
    assert upload(loop, 2).status is Status.STARTING


def test_a_lost_import_lets_the_next_one_through(loop: Loop) -> None:
    first, second = upload(loop, 1), upload(loop, 2)
    loop.glue.forget(first.task_run_id or "")
    loop.clock.pass_seconds(LEASE_AND_GRACE)
    loop.reconcile()
    assert [loop.now(run).status for run in (first, second)] == [Status.LOST, Status.STARTING]


def test_a_cancelled_import_leaves_the_line(loop: Loop) -> None:
    upload(loop, 1)
    second, third = upload(loop, 2), upload(loop, 3)
    cancel(second.id, loop.deps)
    loop.glue.finish_all()
    loop.reconcile()
    assert loop.now(third).status is Status.STARTING
    assert imported(loop) == ["1.csv", "3.csv"]


def test_imports_at_glues_limit_keep_their_order_too(loop: Loop) -> None:
    loop.glue.limit = 1
    loop.start(labeling_command())
    runs = [upload(loop, number) for number in range(3)]
    assert {run.status for run in runs} == {Status.QUEUED}
    for _ in range(4):
        loop.glue.finish_all()
        loop.reconcile()
    assert imported(loop) == ["0.csv", "1.csv", "2.csv"]


def test_imports_of_different_transforms_do_not_wait_for_each_other(loop: Loop) -> None:
    upload(loop, 1)
    assert loop.run_of(import_command("other", transform_id="tfm-2")).status is Status.STARTING
