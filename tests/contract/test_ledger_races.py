"""Twenty at once: the conditions hold under real threads, in the fake and on the local cloud's DynamoDB."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from core.errors import Conflict, LedgerUnavailable, QueueBlocked, QueueLimitReached
from core.ports import Ledger
from core.runs import Run, Status
from tests.contract.runs import importing, labeling, turn

AT_ONCE = 20
Outcome = Run | type[Exception]


def at_once(act: Callable[[int], Run]) -> list[Outcome]:
    """Let AT_ONCE threads act in the same moment; what each of them got."""
    start = threading.Barrier(AT_ONCE)

    def one(number: int) -> Outcome:
        start.wait(timeout=10)
        try:
            return act(number)
        except (Conflict, QueueBlocked, QueueLimitReached, LedgerUnavailable) as error:
            return type(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def winners(outcomes: list[Outcome]) -> list[Run]:
    return [one for one in outcomes if isinstance(one, Run)]


def losses(outcomes: list[Outcome]) -> Counter[Outcome]:
    return Counter(one for one in outcomes if not isinstance(one, Run))


def test_of_twenty_who_write_the_same_key_one_wins(threaded_ledger: Ledger) -> None:
    for run in (labeling(), importing(transform_id="tfm-2")):
        outcomes = at_once(lambda number, run=run: threaded_ledger.write(None, replace(run, requested_by=f"caller-{number}")))  # type: ignore[misc]  # a default binds the loop's variable
        (won,) = winners(outcomes)
        assert losses(outcomes) == {Conflict: AT_ONCE - 1}
        assert threaded_ledger.get(run.id) == won


def test_of_twenty_who_change_the_same_run_one_wins(threaded_ledger: Ledger) -> None:
    run = threaded_ledger.write(None, labeling())
    outcomes = at_once(lambda _: turn(threaded_ledger, run, Status.STARTING))
    (won,) = winners(outcomes)
    assert losses(outcomes) == {Conflict: AT_ONCE - 1}
    assert threaded_ledger.get(run.id) == won


def test_of_twenty_who_join_a_line_of_five_places_five_do(threaded_ledger: Ledger) -> None:
    outcomes = at_once(lambda number: threaded_ledger.write(None, labeling(number, Status.QUEUED), max_waiting=5))
    assert len(winners(outcomes)) == 5
    assert losses(outcomes) == {QueueLimitReached: AT_ONCE - 5}
    assert sorted(run.id for run in threaded_ledger.open_runs()) == sorted(run.id for run in winners(outcomes))


def test_of_twenty_imports_one_is_open(threaded_ledger: Ledger) -> None:
    for round_ in range(3):
        outcomes = at_once(lambda number, round_=round_: threaded_ledger.write(None, importing(100 * round_ + number)))  # type: ignore[misc]  # a default binds the loop's variable
        (opened,) = winners(outcomes)
        assert losses(outcomes) == {QueueBlocked: AT_ONCE - 1}
        turn(threaded_ledger, opened, Status.SUCCEEDED)


def test_twenty_who_wait_leave_in_their_order_whoever_pushes(threaded_ledger: Ledger) -> None:
    waiting = [threaded_ledger.write(None, importing(number, Status.QUEUED)) for number in range(AT_ONCE)]
    outcomes = at_once(lambda number: turn(threaded_ledger, waiting[number], Status.RESERVED))
    assert [run.id for run in winners(outcomes)] == [waiting[0].id]
    assert losses(outcomes) == {QueueBlocked: AT_ONCE - 1}


def test_twenty_who_leave_a_line_at_once_all_leave_it(threaded_ledger: Ledger) -> None:
    waiting = [threaded_ledger.write(None, labeling(number, Status.QUEUED)) for number in range(AT_ONCE)]
    outcomes = at_once(lambda number: turn(threaded_ledger, waiting[number], Status.CANCELLED))
    left = {run.id for run in winners(outcomes)}
    for run in waiting:  # who found the line too crowded comes again, as a reconciler does
        if run.id not in left:
            turn(threaded_ledger, run, Status.CANCELLED)
    assert set(losses(outcomes)) <= {LedgerUnavailable}
    threaded_ledger.write(None, labeling(99))


def test_nobody_joins_an_open_import_or_a_line_unseen(threaded_ledger: Ledger) -> None:
    """Ten start, ten queue up: whoever starts has seen an empty line, and only one of them is open."""

    def act(number: int) -> Run:
        if number % 2:
            return threaded_ledger.write(None, importing(number, Status.QUEUED))
        return threaded_ledger.write(None, importing(number))

    outcomes = at_once(act)
    assert sum(run.status is Status.RESERVED for run in winners(outcomes)) <= 1
    assert sum(run.status is Status.QUEUED for run in winners(outcomes)) == AT_ONCE // 2
    assert set(losses(outcomes)) <= {QueueBlocked}
