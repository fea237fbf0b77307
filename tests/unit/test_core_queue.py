"""Requests at Glue's limits: started later, oldest first, and never for ever in the queue."""

import pytest

from core.errors import Conflict
from core.reconcile import reconcile_transform
from core.runs import Run, Status, ended
from tests.fakes.glue import Fault
from tests.fakes.loop import Loop, import_command, labeling_command

DAY = 86_400  # seconds, the default start deadline


def queue_up(loop: Loop, count: int) -> list[Run]:
    """`count` queued labeling sets, and room in Glue again afterwards."""
    loop.glue.limit = 0
    runs = [loop.run_of(labeling_command(f"key-{number}")) for number in range(count)]
    loop.glue.limit = 3
    assert {run.status for run in runs} <= {Status.QUEUED}
    return runs


def started_order(loop: Loop) -> list[str | None]:
    return [one.path for one in loop.glue.all()]


def test_the_oldest_are_started_first_as_many_as_glue_takes(loop: Loop) -> None:
    runs = queue_up(loop, 8)
    for _ in range(3):
        loop.reconcile()
        assert sum(not one.status.is_terminal for one in loop.glue.all()) <= 3
        loop.glue.finish_all()
    assert started_order(loop) == [run.path for run in runs]


def test_a_slot_that_frees_late_is_no_error(loop: Loop) -> None:
    (run,) = queue_up(loop, 1)
    loop.glue.limit = 0
    for _ in range(3):
        tally = loop.reconcile()
        assert (tally.started, tally.waiting, tally.failed) == (0, 1, 0)
        assert loop.now(run).status is Status.QUEUED
    loop.glue.limit = 3
    loop.reconcile()
    assert loop.now(run).status is Status.STARTING


def test_a_run_that_glue_still_has_no_room_for_keeps_its_place(loop: Loop) -> None:
    runs = queue_up(loop, 3)
    line = list(loop.ledger.lines["tfm-1"].waiting)
    loop.glue.limit = 0
    loop.reconcile()
    assert sorted(loop.ledger.lines["tfm-1"].waiting) == line
    loop.glue.limit = 1
    loop.reconcile()
    assert started_order(loop) == [runs[0].path]


def test_a_throttle_lets_the_queue_wait(loop: Loop) -> None:
    runs = queue_up(loop, 2)
    loop.glue.faults = [Fault.THROTTLED]
    loop.reconcile()
    assert loop.glue.calls[-1] == "start"
    assert [loop.now(run).status for run in runs] == [Status.QUEUED, Status.QUEUED]
    loop.reconcile()
    assert started_order(loop) == [run.path for run in runs]


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.LOST_AFTER, Fault.LOST_BEFORE])
def test_one_runs_trouble_does_not_hold_up_those_behind(loop: Loop, fault: Fault) -> None:
    first, second = queue_up(loop, 2)
    loop.glue.faults = [fault]
    loop.reconcile()
    assert loop.now(first).status is (Status.REFUSED if fault is Fault.REFUSED else Status.UNCONFIRMED)
    assert loop.now(second).status is Status.STARTING


def test_a_request_past_its_start_deadline_ends(loop: Loop) -> None:
    old = queue_up(loop, 2)
    loop.clock.pass_seconds(DAY - 60)
    young = loop.run_of(labeling_command("young"))
    loop.clock.pass_seconds(61)
    loop.reconcile()
    ends = [loop.now(run) for run in old]
    assert [(run.status, run.error and run.error.code) for run in ends] == [(Status.START_FAILED, "START_DEADLINE")] * 2
    assert all(run.completed_on for run in ends)
    assert loop.bus.told().count("TaskRunStartFailed") == 2
    assert loop.now(young).status is Status.STARTING


def test_the_start_deadline_holds_while_glue_has_no_room(loop: Loop) -> None:
    runs = queue_up(loop, 2)
    loop.glue.limit = 0
    loop.clock.pass_seconds(DAY + 1)
    loop.reconcile()
    assert [loop.now(run).status for run in runs] == [Status.START_FAILED, Status.START_FAILED]
    assert not loop.ledger.lines["tfm-1"].waiting


def test_a_queued_run_whose_transform_is_deleted_is_refused(loop: Loop) -> None:
    (run,) = queue_up(loop, 1)
    del loop.glue.task_runs["tfm-1"]
    loop.reconcile()
    assert loop.now(run).status is Status.REFUSED
    assert loop.bus.told() == ["TaskRunRefused"]


def test_an_emptied_queue_is_passed_through_again(loop: Loop) -> None:
    queue_up(loop, 1)
    loop.reconcile()
    assert loop.run_of(labeling_command("next")).status is Status.STARTING


def test_two_hundred_at_once_are_all_done_in_order_three_at_a_time(loop: Loop) -> None:
    loop.set_policy(max_queued=200)
    runs = [loop.run_of(labeling_command(f"key-{number}")) for number in range(200)]
    for _ in range(67):
        assert sum(not one.status.is_terminal for one in loop.glue.all()) <= 3
        loop.glue.finish_all()
        loop.reconcile()
    assert {loop.now(run).status for run in runs} == {Status.SUCCEEDED}
    assert started_order(loop) == [run.path for run in runs]


def test_two_reconcilers_start_each_queued_run_once(loop: Loop) -> None:
    runs = queue_up(loop, 3)
    as_listed = list(loop.ledger.open_runs())
    ask = loop.glue.start

    def meanwhile(run: Run) -> str:
        loop.glue.start = ask  # type: ignore[method-assign]  # the other one goes through undisturbed
        reconcile_transform(as_listed, loop.deps)
        return ask(run)

    loop.glue.start = meanwhile  # type: ignore[method-assign]  # a second reconciler in the middle of the first
    loop.reconcile()
    loop.reconcile()
    assert sorted(filter(None, started_order(loop))) == sorted(run.path or "" for run in runs)


def test_a_queued_run_that_was_cancelled_meanwhile_is_not_started(loop: Loop) -> None:
    first, second = queue_up(loop, 2)
    stale = list(loop.ledger.open_runs())
    loop.ledger.write(first, ended(first, Status.CANCELLED, loop.clock()))
    reconcile_transform(stale, loop.deps)
    reconcile_transform(list(loop.ledger.open_runs()), loop.deps)
    assert loop.now(first).status is Status.CANCELLED
    assert started_order(loop) == [second.path]


def test_a_stale_view_is_no_license_to_overwrite(loop: Loop) -> None:
    (run,) = queue_up(loop, 1)
    loop.reconcile()
    with pytest.raises(Conflict) as conflict:
        loop.ledger.write(run, run)
    assert conflict.value.current == loop.now(run)


def test_imports_and_labeling_sets_share_the_queues_bound(loop: Loop) -> None:
    loop.set_policy(max_queued=2)
    loop.glue.limit = 0
    loop.start(labeling_command("one"))
    assert loop.run_of(import_command("two")).status is Status.QUEUED
    assert len(loop.ledger.lines["tfm-1"].waiting) == 2
