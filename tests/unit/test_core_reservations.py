"""If a process dies, stalls or loses the ledger during a start, its reservation is settled later, once."""

from contextlib import suppress
from typing import Any

import pytest

from core.cancel import cancel
from core.errors import LedgerUnavailable, RequestInFlight, TryAgainLater
from core.requests import StartCommand
from core.runs import Run, Status, run_id
from core.start import Accepted
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

PAST_LEASE_SECONDS = 61  # seconds, past the lease
PAST_GRACE_SECONDS = 121  # seconds, past the grace period
EVERY_COMMAND = pytest.mark.parametrize("command", [labeling_command(), import_command()], ids=["labeling", "import"])


class Died(BaseException):
    """The process died. Not an Exception, so that none of its handlers runs."""


def fail_write(service: Service, number: int, error: BaseException, *, written: bool) -> None:
    """Let the ledger's `nth` write fail; `written` says whether it happened nevertheless."""
    write, calls = service.ledger.write, iter(range(1, 100))

    def write_or_fail(*arguments: Any, **options: Any) -> Run:  # noqa: ANN401  passed on as they came
        if next(calls) != number:
            return write(*arguments, **options)
        if written:
            write(*arguments, **options)
        raise error

    service.ledger.write = write_or_fail  # type: ignore[method-assign]  # the fault under test


def settle(service: Service, command: StartCommand) -> Run:
    for seconds in (0, PAST_LEASE_SECONDS, PAST_GRACE_SECONDS, PAST_GRACE_SECONDS):
        service.clock.pass_seconds(seconds)
        service.reconcile()
    run = service.ledger.get(run_id(command.caller, command.key))
    assert run is not None
    return run


@pytest.mark.parametrize("point", ["before Glue", "after Glue"])
@EVERY_COMMAND
def test_reservation_of_a_dead_process_is_settled(service: Service, command: StartCommand, point: str) -> None:
    start_in_glue = service.glue.start

    def start_and_die(run: Run) -> str:
        if point == "after Glue":
            start_in_glue(run)
        raise Died

    service.glue.start = start_and_die  # type: ignore[method-assign]  # the process dies here
    with pytest.raises(Died):
        service.start(command)
    service.glue.start = start_in_glue  # type: ignore[method-assign]  # the next process is well
    assert settle(service, command).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1
    assert service.bus.detail_types() == ["TaskRunStarted"]


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
@pytest.mark.parametrize("error", [Died(), LedgerUnavailable()], ids=["died", "ledger away"])
@pytest.mark.parametrize("fault", [None, Fault.LOST_AFTER, Fault.LOST_BEFORE])
@pytest.mark.parametrize("number", [1, 2], ids=["reserving", "recording"])
@EVERY_COMMAND
def test_failed_write_starts_one_run_and_loses_none(
    service: Service, command: StartCommand, number: int, fault: Fault | None, error: BaseException, *, written: bool
) -> None:
    service.glue.faults = [fault] if fault else []
    fail_write(service, number, error, written=written)
    with suppress(Died, TryAgainLater):
        service.start(command)
    if number == 1 and not written:
        assert not service.ledger.items
        service.start(command)  # the caller sends the same key again
    run = settle(service, command)
    assert run.status is Status.STARTING
    assert [task_run.task_run_id for task_run in service.glue.all_task_runs()] == [run.task_run_id]
    assert service.bus.detail_types() == ["TaskRunStarted"]


def test_start_that_cannot_be_recorded_is_returned_as_unconfirmed(service: Service) -> None:
    fail_write(service, 2, LedgerUnavailable(), written=False)
    run = service.start_run(labeling_command())
    assert (run.status, run.task_run_id) == (Status.UNCONFIRMED, None)


def test_replay_fails_temporarily_while_its_run_cannot_be_read(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    run = service.start_run(labeling_command())

    def unavailable(_: str) -> None:
        raise LedgerUnavailable

    with monkeypatch.context() as outage:
        outage.setattr(service.ledger, "get_if_recent", unavailable)
        with pytest.raises(TryAgainLater):
            service.start(labeling_command())
    assert service.start(labeling_command()) == Accepted(run, replayed=True)
    assert len(service.glue.task_runs["tfm-1"]) == 1


def test_request_is_in_flight_until_its_lease_ends(service: Service) -> None:
    fail_write(service, 1, LedgerUnavailable(), written=True)
    with pytest.raises(TryAgainLater):
        service.start(labeling_command())
    with pytest.raises(RequestInFlight):
        service.start(labeling_command())
    service.clock.pass_seconds(PAST_LEASE_SECONDS)
    again = service.start(labeling_command())
    assert (again.run.status, again.replayed) == (Status.UNCONFIRMED, True)
    assert not service.glue.calls


def test_reservation_within_its_lease_is_not_settled(service: Service) -> None:
    fail_write(service, 1, LedgerUnavailable(), written=True)
    with pytest.raises(TryAgainLater):
        service.start(labeling_command())
    service.clock.pass_seconds(PAST_LEASE_SECONDS - 3)
    service.reconcile()
    assert [run.status for run in service.ledger.items.values()] == [Status.RESERVED]


def test_late_response_is_recorded_after_a_retry_made_the_run_unconfirmed(service: Service) -> None:
    start_in_glue = service.glue.start

    def start_slowly(run: Run) -> str:
        started = start_in_glue(run)
        service.clock.pass_seconds(PAST_LEASE_SECONDS)
        assert service.start(labeling_command()).run.status is Status.UNCONFIRMED
        return started

    service.glue.start = start_slowly  # type: ignore[method-assign]  # a slow answer
    run = service.start_run(labeling_command())
    assert (run.status, service.reload(run).status) == (Status.STARTING, Status.STARTING)
    assert len(service.glue.all_task_runs()) == 1


def test_late_response_does_not_overwrite_a_settled_run(service: Service) -> None:
    start_in_glue = service.glue.start

    def start_slowly(run: Run) -> str:
        started = start_in_glue(run)
        service.clock.pass_seconds(PAST_LEASE_SECONDS)
        service.glue.finish_all()
        service.reconcile()
        return started

    service.glue.start = start_slowly  # type: ignore[method-assign]  # a slow answer
    assert service.start_run(labeling_command()).status is Status.SUCCEEDED
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunSucceeded"]


Answer = tuple[Fault | None, int, Status]


@pytest.mark.parametrize(
    ("fault", "limit", "expected"),
    [
        (None, 3, Status.STOPPED),
        (Fault.LOST_AFTER, 3, Status.STOPPED),
        (Fault.LOST_BEFORE, 3, Status.CANCELLED),
        (Fault.REFUSED, 3, Status.REFUSED),
        (Fault.THROTTLED, 3, Status.CANCELLED),
        (None, 0, Status.CANCELLED),
    ],
    ids=["started", "lost after", "lost before", "refused", "throttled", "at the limit"],
)
@EVERY_COMMAND
def test_cancellation_during_a_start_is_kept(
    service: Service, command: StartCommand, fault: Fault | None, limit: int, expected: Status
) -> None:
    cancel_during_start(service, command)
    service.glue.faults, service.glue.limit = [fault] if fault else [], limit
    try:
        service.start(command)
    except TryAgainLater:
        assert fault is Fault.THROTTLED
    service.glue.limit = 3
    settle(service, command)
    service.glue.finish_all(Status.STOPPED)
    run = settle(service, command)
    assert run.status is expected
    assert len(service.glue.all_task_runs()) == (expected is Status.STOPPED)


def test_cancellation_during_a_start_is_no_conflict_for_the_caller(service: Service) -> None:
    """The caller's own request met the limit, and was cancelled at the same time: that is no conflict for the caller."""
    command = labeling_command()
    cancel_during_start(service, command)
    service.glue.limit = 0
    assert service.start_run(command).status is Status.CANCELLED


def cancel_during_start(service: Service, command: StartCommand) -> None:
    start_in_glue = service.glue.start

    def start_after_a_cancellation(run: Run) -> str:
        service.glue.start = start_in_glue  # type: ignore[method-assign]  # once is enough
        assert cancel(run_id(command.caller, command.key), service.deps).cancel_requested
        return start_in_glue(run)

    service.glue.start = start_after_a_cancellation  # type: ignore[method-assign]  # a cancellation during the start
