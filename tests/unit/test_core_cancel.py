"""Cancel a task run in any state."""

import pytest

from core.cancel import cancel
from core.errors import AlreadyEnded, GlueUnavailable, LedgerUnavailable, RunNotFound, TryAgainLater
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.service import Service, labeling_command


def test_cancelling_an_unknown_run_raises_run_not_found(service: Service) -> None:
    with pytest.raises(RunNotFound):
        cancel("0" * 32, service.deps)


def test_cancelling_a_queued_run_ends_it_at_once(service: Service) -> None:
    service.glue.limit = 0
    run = cancel(service.start_run(labeling_command()).id, service.deps)
    service.deliver()
    assert (run.status, service.bus.detail_types()) == (Status.CANCELLED, ["TaskRunCancelled"])
    assert run.completed_on is not None
    assert not service.ledger.queues["tfm-1"].waiting
    assert "cancel" not in service.glue.calls


@pytest.mark.parametrize("status", [Status.STARTING, Status.RUNNING])
def test_cancelling_a_run_in_glue_stops_it(service: Service, status: Status) -> None:
    run = service.start_run(labeling_command())
    service.glue.set_status(run.task_run_id or "", status)
    service.reconcile()
    assert cancel(run.id, service.deps).status is Status.STOPPING
    service.glue.finish_all(Status.STOPPED)
    service.reconcile()
    assert service.reload(run).status is Status.STOPPED
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunStopped"]


def test_stopping_run_may_be_cancelled_again(service: Service) -> None:
    run = service.start_run(labeling_command())
    assert [cancel(run.id, service.deps).status for _ in range(2)] == [Status.STOPPING, Status.STOPPING]


@pytest.mark.parametrize("ending", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_cancelling_a_run_that_has_just_ended_keeps_its_result(service: Service, ending: Status) -> None:
    run = service.start_run(labeling_command())
    service.glue.set_status(run.task_run_id or "", ending, "out of memory")
    assert cancel(run.id, service.deps).status is Status.STARTING
    service.reconcile()
    assert service.reload(run).status is ending
    assert service.reload(run).execution_time == 7


def test_cancelling_a_run_that_glue_lost_leaves_it_to_the_reconciler(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.glue.remove(run.task_run_id or "")
    assert cancel(run.id, service.deps).status is Status.STARTING


@pytest.mark.parametrize(
    "ending",
    [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT, Status.REFUSED, Status.CANCELLED],
)
def test_ended_run_cannot_be_cancelled(service: Service, ending: Status) -> None:
    run = ended_as(service, ending)
    with pytest.raises(AlreadyEnded) as error:
        cancel(run.id, service.deps)
    assert error.value.run.status is ending


def ended_as(service: Service, ending: Status) -> Run:
    if ending is Status.REFUSED:
        service.glue.faults = [Fault.REFUSED]
        return service.start_run(labeling_command())
    if ending is Status.CANCELLED:
        service.glue.limit = 0
        return cancel(service.start_run(labeling_command()).id, service.deps)
    run = service.start_run(labeling_command())
    service.glue.finish_all(ending)
    service.reconcile()
    return run


@pytest.mark.parametrize("fault", [GlueUnavailable("throttled"), LedgerUnavailable()])
def test_temporary_failure_of_a_cancellation_raises_try_again_later(service: Service, fault: Exception) -> None:
    run = service.start_run(labeling_command())

    def failing(*_: object) -> Status:
        raise fault

    service.glue.cancel = failing  # type: ignore[method-assign,assignment]  # the fault under test
    with pytest.raises(TryAgainLater):
        cancel(run.id, service.deps)
    assert not service.reload(run).cancel_requested


def test_cancellation_survives_a_concurrent_status_change(service: Service) -> None:
    run = service.start_run(labeling_command())
    cancel_in_glue = service.glue.cancel

    def cancel_after_a_status_change(transform_id: str, task_run_id: str) -> Status:
        service.glue.cancel = cancel_in_glue  # type: ignore[method-assign]  # once is enough
        service.glue.set_status(task_run_id, Status.RUNNING)
        service.reconcile()
        return cancel_in_glue(transform_id, task_run_id)

    service.glue.cancel = cancel_after_a_status_change  # type: ignore[method-assign]  # the reconciler in between
    assert cancel(run.id, service.deps).status is Status.STOPPING
    assert service.reload(run).status is Status.STOPPING


def test_queued_run_that_starts_during_its_cancellation_is_cancelled_in_glue(service: Service) -> None:
    service.glue.limit = 0
    run = service.start_run(labeling_command())
    get = service.ledger.get

    def read_before_a_start(run_id: str) -> Run | None:
        run = get(run_id)
        service.ledger.get = get  # type: ignore[method-assign]  # once is enough
        service.glue.limit = 3
        service.reconcile()
        return run

    service.ledger.get = read_before_a_start  # type: ignore[method-assign]  # the reconciler in between
    assert cancel(run.id, service.deps).status is Status.STOPPING


def test_cancellation_gives_up_after_repeated_conflicts(service: Service) -> None:
    run = service.start_run(labeling_command())
    get = service.ledger.get

    def read_before_a_write(run_id: str) -> Run | None:
        run = get(run_id)
        assert run is not None
        service.ledger.write(run, run)
        return run

    service.ledger.get = read_before_a_write  # type: ignore[method-assign]  # other writers change the run all the time
    with pytest.raises(TryAgainLater, match="changes too fast"):
        cancel(run.id, service.deps)
