"""Cancel a task run, wherever it stands."""

import pytest

from core.cancel import cancel
from core.errors import AlreadyEnded, GlueUnavailable, LedgerUnavailable, RunNotFound, TryAgainLater
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.service import Service, labeling_command


def test_an_unknown_run_is_said_to_be_unknown(service: Service) -> None:
    with pytest.raises(RunNotFound):
        cancel("0" * 32, service.deps)


def test_a_queued_run_is_over_at_once(service: Service) -> None:
    service.glue.limit = 0
    run = cancel(service.start_run(labeling_command()).id, service.deps)
    service.deliver()
    assert (run.status, service.bus.detail_types()) == (Status.CANCELLED, ["TaskRunCancelled"])
    assert run.completed_on is not None
    assert not service.ledger.queues["tfm-1"].waiting
    assert "cancel" not in service.glue.calls


@pytest.mark.parametrize("status", [Status.STARTING, Status.RUNNING])
def test_a_run_in_glue_is_asked_to_stop(service: Service, status: Status) -> None:
    run = service.start_run(labeling_command())
    service.glue.set_status(run.task_run_id or "", status)
    service.reconcile()
    assert cancel(run.id, service.deps).status is Status.STOPPING
    service.glue.finish_all(Status.STOPPED)
    service.reconcile()
    assert service.reload(run).status is Status.STOPPED
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunStopped"]


def test_a_stopping_run_may_be_cancelled_again(service: Service) -> None:
    run = service.start_run(labeling_command())
    assert [cancel(run.id, service.deps).status for _ in range(2)] == [Status.STOPPING, Status.STOPPING]


@pytest.mark.parametrize("ending", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_a_run_that_ended_in_glue_just_now_keeps_its_own_ending(service: Service, ending: Status) -> None:
    run = service.start_run(labeling_command())
    service.glue.set_status(run.task_run_id or "", ending, "out of memory")
    assert cancel(run.id, service.deps).status is Status.STARTING
    service.reconcile()
    assert service.reload(run).status is ending
    assert service.reload(run).execution_time == 7


def test_a_run_that_glue_forgot_is_left_to_the_reconciler(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.glue.remove(run.task_run_id or "")
    assert cancel(run.id, service.deps).status is Status.STARTING


@pytest.mark.parametrize(
    "ending",
    [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT, Status.REFUSED, Status.CANCELLED],
)
def test_what_is_over_cannot_be_cancelled(service: Service, ending: Status) -> None:
    run = ended_as(service, ending)
    with pytest.raises(AlreadyEnded) as over:
        cancel(run.id, service.deps)
    assert over.value.run.status is ending


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
def test_a_passing_fault_asks_the_caller_to_come_again(service: Service, fault: Exception) -> None:
    run = service.start_run(labeling_command())

    def failing(*_: object) -> Status:
        raise fault

    service.glue.cancel = failing  # type: ignore[method-assign,assignment]  # the fault under test
    with pytest.raises(TryAgainLater):
        cancel(run.id, service.deps)
    assert not service.reload(run).cancel_requested


def test_a_cancellation_that_races_with_news_wins_in_the_end(service: Service) -> None:
    run = service.start_run(labeling_command())
    ask = service.glue.cancel

    def overtaken(transform_id: str, task_run_id: str) -> Status:
        service.glue.cancel = ask  # type: ignore[method-assign]  # once is enough
        service.glue.set_status(task_run_id, Status.RUNNING)
        service.reconcile()
        return ask(transform_id, task_run_id)

    service.glue.cancel = overtaken  # type: ignore[method-assign]  # the reconciler in between
    assert cancel(run.id, service.deps).status is Status.STOPPING
    assert service.reload(run).status is Status.STOPPING


def test_a_queued_run_that_starts_meanwhile_is_cancelled_in_glue(service: Service) -> None:
    service.glue.limit = 0
    run = service.start_run(labeling_command())
    get = service.ledger.get

    def stale(run_id: str) -> Run | None:
        seen = get(run_id)
        service.ledger.get = get  # type: ignore[method-assign]  # once is enough
        service.glue.limit = 3
        service.reconcile()
        return seen

    service.ledger.get = stale  # type: ignore[method-assign]  # the reconciler in between
    assert cancel(run.id, service.deps).status is Status.STOPPING


def test_a_run_that_never_stands_still_is_given_up_for_now(service: Service) -> None:
    run = service.start_run(labeling_command())
    get = service.ledger.get

    def restless(run_id: str) -> Run | None:
        seen = get(run_id)
        assert seen is not None
        service.ledger.write(seen, seen)
        return seen

    service.ledger.get = restless  # type: ignore[method-assign]  # somebody writes all the time
    with pytest.raises(TryAgainLater, match="changes too fast"):
        cancel(run.id, service.deps)
