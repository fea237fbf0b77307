"""The same key after a run was refused, cancelled or not started: a new attempt, unless it is the same message again."""

from collections.abc import Callable

import pytest

from core.cancel import cancel
from core.errors import QueueFull, TryAgainLater
from core.requests import StartCommand
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command


def refused(service: Service, command: StartCommand) -> Run:
    service.glue.faults = [Fault.REFUSED]
    return service.start_run(command)


def start_failed(service: Service, command: StartCommand) -> Run:
    service.glue.limit = 0
    run = service.start_run(command)
    service.clock.pass_seconds(service.policy.start_deadline.total_seconds())
    service.reconcile()
    service.glue.limit = 3
    return service.reload(run)


def cancelled(service: Service, command: StartCommand) -> Run:
    service.glue.limit = 0
    run = cancel(service.start_run(command).id, service.deps)
    service.glue.limit = 3
    return run


EndRun = Callable[[Service, StartCommand], Run]
EVERY_RETRYABLE_STATUS = pytest.mark.parametrize(
    ("end", "status"),
    [(refused, Status.REFUSED), (start_failed, Status.START_FAILED), (cancelled, Status.CANCELLED)],
)
EVERY_COMMAND = pytest.mark.parametrize("command", [labeling_command, import_command], ids=["labeling", "import"])


@EVERY_COMMAND
@EVERY_RETRYABLE_STATUS
def test_same_key_after_a_failed_start_is_a_new_attempt(
    service: Service, end: EndRun, status: Status, command: Callable[[], StartCommand]
) -> None:
    first = end(service, command())
    assert first.status is status
    accepted = service.start(command())
    assert (accepted.run.id, accepted.run.attempt, accepted.replayed) == (first.id, 2, False)
    assert (accepted.run.status, accepted.run.error, accepted.run.completed_on) == (Status.STARTING, None, None)
    assert len(service.glue.all_task_runs()) == 1


@EVERY_COMMAND
@EVERY_RETRYABLE_STATUS
def test_same_message_delivered_again_is_a_replay(
    service: Service, end: EndRun, status: Status, command: Callable[[], StartCommand]
) -> None:
    message = command()
    end(service, message)
    accepted = service.start(message)
    assert (accepted.run.status, accepted.run.attempt, accepted.replayed) == (status, 1, True)
    assert not service.glue.all_task_runs()


@EVERY_RETRYABLE_STATUS
def test_each_attempt_has_its_own_event_ids(service: Service, end: EndRun, status: Status) -> None:
    end(service, labeling_command())
    assert end(service, labeling_command()).status is status
    service.start(labeling_command())
    service.deliver()
    sent = [(event.detail_type, event.detail.metadata.event_id) for event in service.bus.events]
    assert len(sent) == len(set(sent)) == 3
    assert sent[0][0] == sent[1][0] != sent[2][0] == "TaskRunStarted"


@EVERY_RETRYABLE_STATUS
def test_throttled_new_attempt_leaves_the_run_as_it_was(service: Service, end: EndRun, status: Status) -> None:
    first = end(service, import_command())
    service.deliver()
    service.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        service.start(import_command())
    service.deliver()
    left = service.reload(first)
    assert (left.status, left.attempt, left.error, left.completed_on) == (status, 1, first.error, first.completed_on)
    assert service.ledger.queues["tfm-1"].importing is None
    assert len({event.detail.metadata.event_id for event in service.bus.events}) == 1


def test_new_attempt_at_a_full_queue_leaves_the_run_as_it_was(service: Service) -> None:
    first = refused(service, labeling_command())
    service.set_policy(max_queued=0)
    service.glue.limit = 0
    with pytest.raises(QueueFull):
        service.start(labeling_command())
    assert service.reload(first).status is Status.REFUSED


def test_new_attempt_is_queued_with_the_time_of_its_request(service: Service) -> None:
    first = refused(service, labeling_command("first"))
    service.glue.limit = 0
    second = service.start_run(labeling_command("second"))
    accepted = service.start_run(labeling_command("first"))
    assert (accepted.status, accepted.attempt) == (Status.QUEUED, 2)
    assert first.requested_on < second.requested_on < accepted.requested_on


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_run_that_ended_in_glue_is_never_started_again(service: Service, status: Status) -> None:
    service.start(labeling_command())
    service.glue.finish_all(status)
    service.reconcile()
    accepted = service.start(labeling_command())
    assert (accepted.run.status, accepted.replayed) == (status, True)
    assert len(service.glue.all_task_runs()) == 1


def test_lost_run_is_never_started_again(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.glue.remove(run.task_run_id or "")
    service.clock.pass_seconds(service.policy.confirm_after.total_seconds())
    service.reconcile()
    accepted = service.start(labeling_command())
    assert (accepted.run.status, accepted.replayed) == (Status.LOST, True)
    assert not service.glue.all_task_runs()
