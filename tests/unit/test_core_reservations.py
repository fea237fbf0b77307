"""A process may die, stall or lose the ledger after any step: its reservation is settled by others, once."""

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

LEASE = 61  # seconds, past the lease
REST = 121  # seconds, past the grace period
EVERY_ORDER = pytest.mark.parametrize("order", [labeling_command(), import_command()], ids=["labeling", "import"])


class Died(BaseException):
    """The process is gone: no handler of ours runs any more."""


def failing(service: Service, nth: int, how: BaseException, *, written: bool) -> None:
    """Let the ledger's `nth` write fail; `written` says whether it happened nevertheless."""
    write, calls = service.ledger.write, iter(range(1, 100))

    def flaky(*arguments: Any, **options: Any) -> Run:  # noqa: ANN401  passed on as they came
        if next(calls) != nth:
            return write(*arguments, **options)
        if written:
            write(*arguments, **options)
        raise how

    service.ledger.write = flaky  # type: ignore[method-assign]  # the fault under test


def settled(service: Service, order: StartCommand) -> Run:
    for seconds in (0, LEASE, REST, REST):
        service.clock.pass_seconds(seconds)
        service.reconcile()
    run = service.ledger.get(run_id(order.caller, order.key))
    assert run is not None
    return run


@pytest.mark.parametrize("moment", ["before Glue", "after Glue"])
@EVERY_ORDER
def test_a_reservation_left_behind_is_settled(service: Service, order: StartCommand, moment: str) -> None:
    ask = service.glue.start

    def dying(run: Run) -> str:
        if moment == "after Glue":
            ask(run)
        raise Died

    service.glue.start = dying  # type: ignore[method-assign]  # the process dies here
    with pytest.raises(Died):
        service.start(order)
    service.glue.start = ask  # type: ignore[method-assign]  # the next process is well
    assert settled(service, order).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1
    assert service.bus.detail_types() == ["TaskRunStarted"]


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
@pytest.mark.parametrize("how", [Died(), LedgerUnavailable()], ids=["died", "ledger away"])
@pytest.mark.parametrize("fault", [None, Fault.LOST_AFTER, Fault.LOST_BEFORE])
@pytest.mark.parametrize("nth", [1, 2], ids=["reserving", "recording"])
@EVERY_ORDER
def test_a_write_that_fails_starts_nothing_twice_and_loses_nothing(
    service: Service, order: StartCommand, nth: int, fault: Fault | None, how: BaseException, *, written: bool
) -> None:
    service.glue.faults = [fault] if fault else []
    failing(service, nth, how, written=written)
    with suppress(Died, TryAgainLater):
        service.start(order)
    if nth == 1 and not written:
        assert not service.ledger.items
        service.start(order)  # the caller was told to come again
    run = settled(service, order)
    assert run.status is Status.STARTING
    assert [one.task_run_id for one in service.glue.all_task_runs()] == [run.task_run_id]
    assert service.bus.detail_types() == ["TaskRunStarted"]


def test_a_caller_whose_answer_could_not_be_recorded_is_told_of_the_doubt(service: Service) -> None:
    failing(service, 2, LedgerUnavailable(), written=False)
    run = service.start_run(labeling_command())
    assert (run.status, run.task_run_id) == (Status.UNCONFIRMED, None)


def test_a_known_run_that_cannot_be_read_just_now_may_be_asked_for_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = service.start_run(labeling_command())

    def away(_: str) -> None:
        raise LedgerUnavailable

    with monkeypatch.context() as while_away:
        while_away.setattr(service.ledger, "get_if_recent", away)
        with pytest.raises(TryAgainLater):
            service.start(labeling_command())
    assert service.start(labeling_command()) == Accepted(run, replayed=True)
    assert len(service.glue.task_runs["tfm-1"]) == 1


def test_a_request_is_in_flight_until_its_lease_is_over(service: Service) -> None:
    failing(service, 1, LedgerUnavailable(), written=True)
    with pytest.raises(TryAgainLater):
        service.start(labeling_command())
    with pytest.raises(RequestInFlight):
        service.start(labeling_command())
    service.clock.pass_seconds(LEASE)
    again = service.start(labeling_command())
    assert (again.run.status, again.replayed) == (Status.UNCONFIRMED, True)
    assert not service.glue.calls


def test_a_reservation_within_its_lease_is_left_alone(service: Service) -> None:
    failing(service, 1, LedgerUnavailable(), written=True)
    with pytest.raises(TryAgainLater):
        service.start(labeling_command())
    service.clock.pass_seconds(LEASE - 3)
    service.reconcile()
    assert [run.status for run in service.ledger.items.values()] == [Status.RESERVED]


def test_a_late_answer_is_recorded_although_a_retry_put_it_in_doubt(service: Service) -> None:
    ask = service.glue.start

    def slow(run: Run) -> str:
        started = ask(run)
        service.clock.pass_seconds(LEASE)
        assert service.start(labeling_command()).run.status is Status.UNCONFIRMED
        return started

    service.glue.start = slow  # type: ignore[method-assign]  # a slow answer
    run = service.start_run(labeling_command())
    assert (run.status, service.reload(run).status) == (Status.STARTING, Status.STARTING)
    assert len(service.glue.all_task_runs()) == 1


def test_a_late_answer_gives_way_to_what_was_found_meanwhile(service: Service) -> None:
    ask = service.glue.start

    def slow(run: Run) -> str:
        started = ask(run)
        service.clock.pass_seconds(LEASE)
        service.glue.finish_all()
        service.reconcile()
        return started

    service.glue.start = slow  # type: ignore[method-assign]  # a slow answer
    assert service.start_run(labeling_command()).status is Status.SUCCEEDED
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunSucceeded"]


Answer = tuple[Fault | None, int, Status]


@pytest.mark.parametrize(
    ("fault", "limit", "at_last"),
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
@EVERY_ORDER
def test_a_cancellation_while_the_start_is_in_flight_is_kept(
    service: Service, order: StartCommand, fault: Fault | None, limit: int, at_last: Status
) -> None:
    cancel_meanwhile(service, order)
    service.glue.faults, service.glue.limit = [fault] if fault else [], limit
    try:
        service.start(order)
    except TryAgainLater:
        assert fault is Fault.THROTTLED
    service.glue.limit = 3
    settled(service, order)
    service.glue.finish_all(Status.STOPPED)
    run = settled(service, order)
    assert run.status is at_last
    assert len(service.glue.all_task_runs()) == (at_last is Status.STOPPED)


def test_a_cancellation_is_not_mistaken_for_another_request(service: Service) -> None:
    """The caller's own request met the limit, and somebody cancelled it in that moment: that is no conflict of theirs."""
    order = labeling_command()
    cancel_meanwhile(service, order)
    service.glue.limit = 0
    assert service.start_run(order).status is Status.CANCELLED


def cancel_meanwhile(service: Service, order: StartCommand) -> None:
    ask = service.glue.start

    def cancelled_meanwhile(run: Run) -> str:
        service.glue.start = ask  # type: ignore[method-assign]  # once is enough
        assert cancel(run_id(order.caller, order.key), service.deps).cancel_requested
        return ask(run)

    service.glue.start = cancelled_meanwhile  # type: ignore[method-assign]  # a cancellation while Glue is asked
