"""The same key again after a run came to nothing: a new attempt of the same request, unless it is the same message."""

from collections.abc import Callable

import pytest

from core.cancel import cancel
from core.errors import QueueFull, TryAgainLater
from core.requests import StartCommand
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.loop import Loop, import_command, labeling_command


def refused(loop: Loop, order: StartCommand) -> Run:
    loop.glue.faults = [Fault.REFUSED]
    return loop.run_of(order)


def start_failed(loop: Loop, order: StartCommand) -> Run:
    loop.glue.limit = 0
    run = loop.run_of(order)
    loop.clock.pass_seconds(loop.policy.start_deadline.total_seconds())
    loop.reconcile()
    loop.glue.limit = 3
    return loop.now(run)


def cancelled(loop: Loop, order: StartCommand) -> Run:
    loop.glue.limit = 0
    run = cancel(loop.run_of(order).id, loop.deps)
    loop.glue.limit = 3
    return run


Ending = Callable[[Loop, StartCommand], Run]
CAME_TO_NOTHING = pytest.mark.parametrize(
    ("ends", "status"),
    [(refused, Status.REFUSED), (start_failed, Status.START_FAILED), (cancelled, Status.CANCELLED)],
)
KINDS = pytest.mark.parametrize("order", [labeling_command, import_command], ids=["labeling", "import"])


@KINDS
@CAME_TO_NOTHING
def test_the_same_key_is_a_new_attempt(loop: Loop, ends: Ending, status: Status, order: Callable[[], StartCommand]) -> None:
    first = ends(loop, order())
    assert first.status is status
    again = loop.start(order())
    assert (again.run.id, again.run.attempt, again.replayed) == (first.id, 2, False)
    assert (again.run.status, again.run.error, again.run.completed_on) == (Status.STARTING, None, None)
    assert len(loop.glue.all()) == 1


@KINDS
@CAME_TO_NOTHING
def test_the_same_message_delivered_again_is_only_a_replay(
    loop: Loop, ends: Ending, status: Status, order: Callable[[], StartCommand]
) -> None:
    message = order()
    ends(loop, message)
    again = loop.start(message)
    assert (again.run.status, again.run.attempt, again.replayed) == (status, 1, True)
    assert not loop.glue.all()


@CAME_TO_NOTHING
def test_each_attempt_has_event_ids_of_its_own(loop: Loop, ends: Ending, status: Status) -> None:
    ends(loop, labeling_command())
    assert ends(loop, labeling_command()).status is status
    loop.start(labeling_command())
    loop.deliver()
    told = [(event.detail_type, event.detail.metadata.event_id) for event in loop.bus.events]
    assert len(told) == len(set(told)) == 3
    assert told[0][0] == told[1][0] != told[2][0] == "TaskRunStarted"


@CAME_TO_NOTHING
def test_a_throttled_new_attempt_leaves_the_run_as_it_ended(loop: Loop, ends: Ending, status: Status) -> None:
    first = ends(loop, import_command())
    loop.deliver()
    loop.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        loop.start(import_command())
    loop.deliver()
    left = loop.now(first)
    assert (left.status, left.attempt, left.error, left.completed_on) == (status, 1, first.error, first.completed_on)
    assert loop.ledger.lines["tfm-1"].importing is None
    assert len({event.detail.metadata.event_id for event in loop.bus.events}) == 1


def test_a_new_attempt_at_a_full_queue_leaves_the_run_as_it_ended(loop: Loop) -> None:
    first = refused(loop, labeling_command())
    loop.set_policy(max_queued=0)
    loop.glue.limit = 0
    with pytest.raises(QueueFull):
        loop.start(labeling_command())
    assert loop.now(first).status is Status.REFUSED


def test_a_new_attempt_waits_in_line_with_the_time_of_its_own_request(loop: Loop) -> None:
    first = refused(loop, labeling_command("first"))
    loop.glue.limit = 0
    second = loop.run_of(labeling_command("second"))
    again = loop.run_of(labeling_command("first"))
    assert (again.status, again.attempt) == (Status.QUEUED, 2)
    assert first.requested_on < second.requested_on < again.requested_on


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_a_run_that_glue_ended_is_never_started_again(loop: Loop, status: Status) -> None:
    loop.start(labeling_command())
    loop.glue.finish_all(status)
    loop.reconcile()
    again = loop.start(labeling_command())
    assert (again.run.status, again.replayed) == (status, True)
    assert len(loop.glue.all()) == 1


def test_a_lost_run_is_never_started_again(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    loop.glue.forget(run.task_run_id or "")
    loop.clock.pass_seconds(loop.policy.confirm_after.total_seconds())
    loop.reconcile()
    again = loop.start(labeling_command())
    assert (again.run.status, again.replayed) == (Status.LOST, True)
    assert not loop.glue.all()
