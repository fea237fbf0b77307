"""Runs queued at Glue's limits start later, oldest first, or end at their start deadline."""

import pytest

from core.errors import Conflict
from core.reconcile import reconcile_transform
from core.runs import Run, Status, as_ended
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

START_DEADLINE_SECONDS = 86_400  # seconds, the default start deadline


def queue_up(service: Service, count: int) -> list[Run]:
    """Queue `count` labeling sets; afterwards Glue has room again."""
    service.glue.limit = 0
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(count)]
    service.glue.limit = 3
    assert {run.status for run in runs} <= {Status.QUEUED}
    return runs


def started_paths(service: Service) -> list[str | None]:
    return [task_run.path for task_run in service.glue.all_task_runs()]


def test_oldest_runs_are_started_first_up_to_glues_limit(service: Service) -> None:
    runs = queue_up(service, 8)
    for _ in range(3):
        service.reconcile()
        assert sum(not task_run.status.is_terminal for task_run in service.glue.all_task_runs()) <= 3
        service.glue.finish_all()
    assert started_paths(service) == [run.path for run in runs]


def test_queued_run_waits_for_a_free_slot_without_an_error(service: Service) -> None:
    (run,) = queue_up(service, 1)
    service.glue.limit = 0
    for _ in range(3):
        summary = service.reconcile()
        assert (summary.started, summary.queued, summary.failed) == (0, 1, 0)
        assert service.reload(run).status is Status.QUEUED
    service.glue.limit = 3
    service.reconcile()
    assert service.reload(run).status is Status.STARTING


def test_run_that_glue_rejects_again_keeps_its_place(service: Service) -> None:
    runs = queue_up(service, 3)
    entries = list(service.ledger.queues["tfm-1"].waiting)
    service.glue.limit = 0
    service.reconcile()
    assert sorted(service.ledger.queues["tfm-1"].waiting) == entries
    service.glue.limit = 1
    service.reconcile()
    assert started_paths(service) == [runs[0].path]


def test_throttling_leaves_the_queue_as_it_is(service: Service) -> None:
    runs = queue_up(service, 2)
    service.glue.faults = [Fault.THROTTLED]
    service.reconcile()
    assert service.glue.calls[-1] == "start"
    assert [service.reload(run).status for run in runs] == [Status.QUEUED, Status.QUEUED]
    service.reconcile()
    assert started_paths(service) == [run.path for run in runs]


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.LOST_AFTER, Fault.LOST_BEFORE])
def test_failed_start_does_not_block_the_next_run(service: Service, fault: Fault) -> None:
    first, second = queue_up(service, 2)
    service.glue.faults = [fault]
    service.reconcile()
    assert service.reload(first).status is (Status.REFUSED if fault is Fault.REFUSED else Status.UNCONFIRMED)
    assert service.reload(second).status is Status.STARTING


def test_run_past_its_start_deadline_ends(service: Service) -> None:
    old = queue_up(service, 2)
    service.clock.pass_seconds(START_DEADLINE_SECONDS - 60)
    young = service.start_run(labeling_command("young"))
    service.clock.pass_seconds(61)
    service.reconcile()
    ended = [service.reload(run) for run in old]
    assert [(run.status, run.error and run.error.code) for run in ended] == [(Status.START_FAILED, "START_DEADLINE")] * 2
    assert all(run.completed_on for run in ended)
    assert service.bus.detail_types().count("TaskRunStartFailed") == 2
    assert service.reload(young).status is Status.STARTING


def test_start_deadline_holds_while_glue_is_at_its_limit(service: Service) -> None:
    runs = queue_up(service, 2)
    service.glue.limit = 0
    service.clock.pass_seconds(START_DEADLINE_SECONDS + 1)
    service.reconcile()
    assert [service.reload(run).status for run in runs] == [Status.START_FAILED, Status.START_FAILED]
    assert not service.ledger.queues["tfm-1"].waiting


def test_queued_run_of_a_deleted_transform_is_refused(service: Service) -> None:
    (run,) = queue_up(service, 1)
    del service.glue.task_runs["tfm-1"]
    service.reconcile()
    assert service.reload(run).status is Status.REFUSED
    assert service.bus.detail_types() == ["TaskRunRefused"]


def test_new_run_starts_at_once_after_the_queue_is_empty(service: Service) -> None:
    queue_up(service, 1)
    service.reconcile()
    assert service.start_run(labeling_command("next")).status is Status.STARTING


def test_two_hundred_runs_finish_in_order_three_at_a_time(service: Service) -> None:
    service.set_policy(max_queued=200)
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(200)]
    for _ in range(67):
        assert sum(not task_run.status.is_terminal for task_run in service.glue.all_task_runs()) <= 3
        service.glue.finish_all()
        service.reconcile()
    assert {service.reload(run).status for run in runs} == {Status.SUCCEEDED}
    assert started_paths(service) == [run.path for run in runs]


def test_two_reconcilers_start_each_queued_run_once(service: Service) -> None:
    runs = queue_up(service, 3)
    open_runs = list(service.ledger.open_runs())
    start_in_glue = service.glue.start

    def start_after_another_reconciler(run: Run) -> str:
        service.glue.start = start_in_glue  # type: ignore[method-assign]  # the other reconciler is not interrupted
        reconcile_transform(open_runs, service.deps)
        return start_in_glue(run)

    service.glue.start = start_after_another_reconciler  # type: ignore[method-assign]  # a second reconciler in the middle of the first
    service.reconcile()
    service.reconcile()
    assert sorted(filter(None, started_paths(service))) == sorted(run.path or "" for run in runs)


def test_cancelled_queued_run_is_not_started(service: Service) -> None:
    first, second = queue_up(service, 2)
    stale = list(service.ledger.open_runs())
    service.ledger.write(first, as_ended(first, Status.CANCELLED, service.clock()))
    reconcile_transform(stale, service.deps)
    reconcile_transform(list(service.ledger.open_runs()), service.deps)
    assert service.reload(first).status is Status.CANCELLED
    assert started_paths(service) == [second.path]


def test_stale_read_never_overwrites(service: Service) -> None:
    (run,) = queue_up(service, 1)
    service.reconcile()
    with pytest.raises(Conflict) as conflict:
        service.ledger.write(run, run)
    assert conflict.value.current == service.reload(run)


def test_imports_and_labeling_sets_share_the_queue_limit(service: Service) -> None:
    service.set_policy(max_queued=2)
    service.glue.limit = 0
    service.start(labeling_command("one"))
    assert service.start_run(import_command("two")).status is Status.QUEUED
    assert len(service.ledger.queues["tfm-1"].waiting) == 2
