"""The same key again after a run came to nothing: a new attempt of the same request, unless it is the same message."""

from collections.abc import Callable

import pytest

from core.cancel import cancel
from core.errors import QueueFull, TryAgainLater
from core.requests import StartCommand
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command


def refused(service: Service, order: StartCommand) -> Run:
    service.glue.faults = [Fault.REFUSED]
    return service.start_run(order)


def start_failed(service: Service, order: StartCommand) -> Run:
    service.glue.limit = 0
    run = service.start_run(order)
    service.clock.pass_seconds(service.policy.start_deadline.total_seconds())
    service.reconcile()
    service.glue.limit = 3
    return service.reload(run)


def cancelled(service: Service, order: StartCommand) -> Run:
    service.glue.limit = 0
    run = cancel(service.start_run(order).id, service.deps)
    service.glue.limit = 3
    return run


Ending = Callable[[Service, StartCommand], Run]
CAME_TO_NOTHING = pytest.mark.parametrize(
    ("ends", "status"),
    [(refused, Status.REFUSED), (start_failed, Status.START_FAILED), (cancelled, Status.CANCELLED)],
)
KINDS = pytest.mark.parametrize("order", [labeling_command, import_command], ids=["labeling", "import"])


@KINDS
@CAME_TO_NOTHING
def test_the_same_key_is_a_new_attempt(
    service: Service, ends: Ending, status: Status, order: Callable[[], StartCommand]
) -> None:
    first = ends(service, order())
    assert first.status is status
    again = service.start(order())
    assert (again.run.id, again.run.attempt, again.replayed) == (first.id, 2, False)
    assert (again.run.status, again.run.error, again.run.completed_on) == (Status.STARTING, None, None)
    assert len(service.glue.all_task_runs()) == 1


@KINDS
@CAME_TO_NOTHING
def test_the_same_message_delivered_again_is_only_a_replay(
    service: Service, ends: Ending, status: Status, order: Callable[[], StartCommand]
) -> None:
    message = order()
    ends(service, message)
    again = service.start(message)
    assert (again.run.status, again.run.attempt, again.replayed) == (status, 1, True)
    assert not service.glue.all_task_runs()


@CAME_TO_NOTHING
def test_each_attempt_has_event_ids_of_its_own(service: Service, ends: Ending, status: Status) -> None:
    ends(service, labeling_command())
    assert ends(service, labeling_command()).status is status
    service.start(labeling_command())
    service.deliver()
    told = [(event.detail_type, event.detail.metadata.event_id) for event in service.bus.events]
    assert len(told) == len(set(told)) == 3
    assert told[0][0] == told[1][0] != told[2][0] == "TaskRunStarted"


@CAME_TO_NOTHING
def test_a_throttled_new_attempt_leaves_the_run_as_it_ended(service: Service, ends: Ending, status: Status) -> None:
    first = ends(service, import_command())
    service.deliver()
    service.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        service.start(import_command())
    service.deliver()
    left = service.reload(first)
    assert (left.status, left.attempt, left.error, left.completed_on) == (status, 1, first.error, first.completed_on)
    assert service.ledger.queues["tfm-1"].importing is None
    assert len({event.detail.metadata.event_id for event in service.bus.events}) == 1


def test_a_new_attempt_at_a_full_queue_leaves_the_run_as_it_ended(service: Service) -> None:
    first = refused(service, labeling_command())
    service.set_policy(max_queued=0)
    service.glue.limit = 0
    with pytest.raises(QueueFull):
        service.start(labeling_command())
    assert service.reload(first).status is Status.REFUSED


def test_a_new_attempt_waits_in_line_with_the_time_of_its_own_request(service: Service) -> None:
    first = refused(service, labeling_command("first"))
    service.glue.limit = 0
    second = service.start_run(labeling_command("second"))
    again = service.start_run(labeling_command("first"))
    assert (again.status, again.attempt) == (Status.QUEUED, 2)
    assert first.requested_on < second.requested_on < again.requested_on


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_a_run_that_glue_ended_is_never_started_again(service: Service, status: Status) -> None:
    service.start(labeling_command())
    service.glue.finish_all(status)
    service.reconcile()
    again = service.start(labeling_command())
    assert (again.run.status, again.replayed) == (status, True)
    assert len(service.glue.all_task_runs()) == 1


def test_a_lost_run_is_never_started_again(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.glue.remove(run.task_run_id or "")
    service.clock.pass_seconds(service.policy.confirm_after.total_seconds())
    service.reconcile()
    again = service.start(labeling_command())
    assert (again.run.status, again.replayed) == (Status.LOST, True)
    assert not service.glue.all_task_runs()
