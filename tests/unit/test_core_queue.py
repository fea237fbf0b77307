"""Requests at Glue's limits: started later, oldest first, and never for ever in the queue."""

import pytest

from core.errors import Conflict
from core.reconcile import reconcile_transform
from core.runs import Run, Status, as_ended
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

DAY = 86_400  # seconds, the default start deadline


def queue_up(service: Service, count: int) -> list[Run]:
    """`count` queued labeling sets, and room in Glue again afterwards."""
    service.glue.limit = 0
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(count)]
    service.glue.limit = 3
    assert {run.status for run in runs} <= {Status.QUEUED}
    return runs


def started_order(service: Service) -> list[str | None]:
    return [one.path for one in service.glue.all_task_runs()]


def test_the_oldest_are_started_first_as_many_as_glue_takes(service: Service) -> None:
    runs = queue_up(service, 8)
    for _ in range(3):
        service.reconcile()
        assert sum(not one.status.is_terminal for one in service.glue.all_task_runs()) <= 3
        service.glue.finish_all()
    assert started_order(service) == [run.path for run in runs]


def test_a_slot_that_frees_late_is_no_error(service: Service) -> None:
    (run,) = queue_up(service, 1)
    service.glue.limit = 0
    for _ in range(3):
        summary = service.reconcile()
        assert (summary.started, summary.queued, summary.failed) == (0, 1, 0)
        assert service.reload(run).status is Status.QUEUED
    service.glue.limit = 3
    service.reconcile()
    assert service.reload(run).status is Status.STARTING


def test_a_run_that_glue_still_has_no_room_for_keeps_its_place(service: Service) -> None:
    runs = queue_up(service, 3)
    line = list(service.ledger.queues["tfm-1"].waiting)
    service.glue.limit = 0
    service.reconcile()
    assert sorted(service.ledger.queues["tfm-1"].waiting) == line
    service.glue.limit = 1
    service.reconcile()
    assert started_order(service) == [runs[0].path]


def test_a_throttle_lets_the_queue_wait(service: Service) -> None:
    runs = queue_up(service, 2)
    service.glue.faults = [Fault.THROTTLED]
    service.reconcile()
    assert service.glue.calls[-1] == "start"
    assert [service.reload(run).status for run in runs] == [Status.QUEUED, Status.QUEUED]
    service.reconcile()
    assert started_order(service) == [run.path for run in runs]


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.LOST_AFTER, Fault.LOST_BEFORE])
def test_one_runs_trouble_does_not_hold_up_those_behind(service: Service, fault: Fault) -> None:
    first, second = queue_up(service, 2)
    service.glue.faults = [fault]
    service.reconcile()
    assert service.reload(first).status is (Status.REFUSED if fault is Fault.REFUSED else Status.UNCONFIRMED)
    assert service.reload(second).status is Status.STARTING


def test_a_request_past_its_start_deadline_ends(service: Service) -> None:
    old = queue_up(service, 2)
    service.clock.pass_seconds(DAY - 60)
    young = service.start_run(labeling_command("young"))
    service.clock.pass_seconds(61)
    service.reconcile()
    ends = [service.reload(run) for run in old]
    assert [(run.status, run.error and run.error.code) for run in ends] == [(Status.START_FAILED, "START_DEADLINE")] * 2
    assert all(run.completed_on for run in ends)
    assert service.bus.detail_types().count("TaskRunStartFailed") == 2
    assert service.reload(young).status is Status.STARTING


def test_the_start_deadline_holds_while_glue_has_no_room(service: Service) -> None:
    runs = queue_up(service, 2)
    service.glue.limit = 0
    service.clock.pass_seconds(DAY + 1)
    service.reconcile()
    assert [service.reload(run).status for run in runs] == [Status.START_FAILED, Status.START_FAILED]
    assert not service.ledger.queues["tfm-1"].waiting


def test_a_queued_run_whose_transform_is_deleted_is_refused(service: Service) -> None:
    (run,) = queue_up(service, 1)
    del service.glue.task_runs["tfm-1"]
    service.reconcile()
    assert service.reload(run).status is Status.REFUSED
    assert service.bus.detail_types() == ["TaskRunRefused"]


def test_an_emptied_queue_is_passed_through_again(service: Service) -> None:
    queue_up(service, 1)
    service.reconcile()
    assert service.start_run(labeling_command("next")).status is Status.STARTING


def test_two_hundred_at_once_are_all_done_in_order_three_at_a_time(service: Service) -> None:
    service.set_policy(max_queued=200)
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(200)]
    for _ in range(67):
        assert sum(not one.status.is_terminal for one in service.glue.all_task_runs()) <= 3
        service.glue.finish_all()
        service.reconcile()
    assert {service.reload(run).status for run in runs} == {Status.SUCCEEDED}
    assert started_order(service) == [run.path for run in runs]


def test_two_reconcilers_start_each_queued_run_once(service: Service) -> None:
    runs = queue_up(service, 3)
    as_listed = list(service.ledger.open_runs())
    ask = service.glue.start

    def meanwhile(run: Run) -> str:
        service.glue.start = ask  # type: ignore[method-assign]  # the other one goes through undisturbed
        reconcile_transform(as_listed, service.deps)
        return ask(run)

    service.glue.start = meanwhile  # type: ignore[method-assign]  # a second reconciler in the middle of the first
    service.reconcile()
    service.reconcile()
    assert sorted(filter(None, started_order(service))) == sorted(run.path or "" for run in runs)


def test_a_queued_run_that_was_cancelled_meanwhile_is_not_started(service: Service) -> None:
    first, second = queue_up(service, 2)
    stale = list(service.ledger.open_runs())
    service.ledger.write(first, as_ended(first, Status.CANCELLED, service.clock()))
    reconcile_transform(stale, service.deps)
    reconcile_transform(list(service.ledger.open_runs()), service.deps)
    assert service.reload(first).status is Status.CANCELLED
    assert started_order(service) == [second.path]


def test_a_stale_view_is_no_license_to_overwrite(service: Service) -> None:
    (run,) = queue_up(service, 1)
    service.reconcile()
    with pytest.raises(Conflict) as conflict:
        service.ledger.write(run, run)
    assert conflict.value.current == service.reload(run)


def test_imports_and_labeling_sets_share_the_queues_bound(service: Service) -> None:
    service.set_policy(max_queued=2)
    service.glue.limit = 0
    service.start(labeling_command("one"))
    assert service.start_run(import_command("two")).status is Status.QUEUED
    assert len(service.ledger.queues["tfm-1"].waiting) == 2
