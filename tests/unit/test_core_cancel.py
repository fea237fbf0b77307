"""Cancel a task run, wherever it stands."""

import pytest

from core.cancel import cancel
from core.errors import AlreadyEnded, GlueUnavailable, LedgerUnavailable, TryAgainLater, UnknownRun
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.loop import Loop, labeling_command


def test_an_unknown_run_is_said_to_be_unknown(loop: Loop) -> None:
    with pytest.raises(UnknownRun):
        cancel("0" * 32, loop.deps)


def test_a_queued_run_is_over_at_once(loop: Loop) -> None:
    loop.glue.limit = 0
    run = cancel(loop.run_of(labeling_command()).id, loop.deps)
    loop.deliver()
    assert (run.status, loop.bus.told()) == (Status.CANCELLED, ["TaskRunCancelled"])
    assert run.completed_on is not None
    assert not loop.ledger.lines["tfm-1"].waiting
    assert "cancel" not in loop.glue.calls


@pytest.mark.parametrize("status", [Status.STARTING, Status.RUNNING])
def test_a_run_in_glue_is_asked_to_stop(loop: Loop, status: Status) -> None:
    run = loop.run_of(labeling_command())
    loop.glue.turn(run.task_run_id or "", status)
    loop.reconcile()
    assert cancel(run.id, loop.deps).status is Status.STOPPING
    loop.glue.finish_all(Status.STOPPED)
    loop.reconcile()
    assert loop.now(run).status is Status.STOPPED
    assert loop.bus.told() == ["TaskRunStarted", "TaskRunStopped"]


def test_a_stopping_run_may_be_cancelled_again(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    assert [cancel(run.id, loop.deps).status for _ in range(2)] == [Status.STOPPING, Status.STOPPING]


@pytest.mark.parametrize("ending", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_a_run_that_ended_in_glue_just_now_keeps_its_own_ending(loop: Loop, ending: Status) -> None:
    run = loop.run_of(labeling_command())
    loop.glue.turn(run.task_run_id or "", ending, "out of memory")
    assert cancel(run.id, loop.deps).status is Status.STARTING
    loop.reconcile()
    assert loop.now(run).status is ending
    assert loop.now(run).execution_time == 7


def test_a_run_that_glue_forgot_is_left_to_the_reconciler(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    loop.glue.forget(run.task_run_id or "")
    assert cancel(run.id, loop.deps).status is Status.STARTING


@pytest.mark.parametrize(
    "ending",
    [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT, Status.REFUSED, Status.CANCELLED],
)
def test_what_is_over_cannot_be_cancelled(loop: Loop, ending: Status) -> None:
    run = ended_as(loop, ending)
    with pytest.raises(AlreadyEnded) as over:
        cancel(run.id, loop.deps)
    assert over.value.run.status is ending


def ended_as(loop: Loop, ending: Status) -> Run:
    if ending is Status.REFUSED:
        loop.glue.faults = [Fault.REFUSED]
        return loop.run_of(labeling_command())
    if ending is Status.CANCELLED:
        loop.glue.limit = 0
        return cancel(loop.run_of(labeling_command()).id, loop.deps)
    run = loop.run_of(labeling_command())
    loop.glue.finish_all(ending)
    loop.reconcile()
    return run


@pytest.mark.parametrize("fault", [GlueUnavailable("throttled"), LedgerUnavailable()])
def test_a_passing_fault_asks_the_caller_to_come_again(loop: Loop, fault: Exception) -> None:
    run = loop.run_of(labeling_command())

    def failing(*_: object) -> Status:
        raise fault

    loop.glue.cancel = failing  # type: ignore[method-assign,assignment]  # the fault under test
    with pytest.raises(TryAgainLater):
        cancel(run.id, loop.deps)
    assert not loop.now(run).cancel_requested


def test_a_cancellation_that_races_with_news_wins_in_the_end(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    ask = loop.glue.cancel

    def overtaken(transform_id: str, task_run_id: str) -> Status:
        loop.glue.cancel = ask  # type: ignore[method-assign]  # once is enough
        loop.glue.turn(task_run_id, Status.RUNNING)
        loop.reconcile()
        return ask(transform_id, task_run_id)

    loop.glue.cancel = overtaken  # type: ignore[method-assign]  # the reconciler in between
    assert cancel(run.id, loop.deps).status is Status.STOPPING
    assert loop.now(run).status is Status.STOPPING


def test_a_queued_run_that_starts_meanwhile_is_cancelled_in_glue(loop: Loop) -> None:
    loop.glue.limit = 0
    run = loop.run_of(labeling_command())
    get = loop.ledger.get

    def stale(run_id: str) -> Run | None:
        seen = get(run_id)
        loop.ledger.get = get  # type: ignore[method-assign]  # once is enough
        loop.glue.limit = 3
        loop.reconcile()
        return seen

    loop.ledger.get = stale  # type: ignore[method-assign]  # the reconciler in between
    assert cancel(run.id, loop.deps).status is Status.STOPPING


def test_a_run_that_never_stands_still_is_given_up_for_now(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    get = loop.ledger.get

    def restless(run_id: str) -> Run | None:
        seen = get(run_id)
        assert seen is not None
        loop.ledger.write(seen, seen)
        return seen

    loop.ledger.get = restless  # type: ignore[method-assign]  # somebody writes all the time
    with pytest.raises(TryAgainLater, match="changes too fast"):
        cancel(run.id, loop.deps)
