"""Twenty threads at once: the ledger's conditions hold, in the fake and on the local cloud's DynamoDB."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from core.errors import Conflict, LedgerUnavailable, QueueBlocked, QueueLimitReached
from core.ports import Ledger
from core.runs import Run, Status
from tests.contract.sample_runs import importing, labeling, turn

THREADS = 20
Outcome = Run | type[Exception]


def run_concurrently(write: Callable[[int], Run]) -> list[Outcome]:
    """Call `write` in THREADS threads at the same time; the run or the exception of each."""
    start = threading.Barrier(THREADS)

    def attempt(number: int) -> Outcome:
        start.wait(timeout=10)
        try:
            return write(number)
        except (Conflict, QueueBlocked, QueueLimitReached, LedgerUnavailable) as error:
            return type(error)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(attempt, range(THREADS)))


def written_runs(outcomes: list[Outcome]) -> list[Run]:
    return [outcome for outcome in outcomes if isinstance(outcome, Run)]


def count_errors(outcomes: list[Outcome]) -> Counter[Outcome]:
    return Counter(outcome for outcome in outcomes if not isinstance(outcome, Run))


def test_one_of_twenty_writers_of_a_key_wins(threaded_ledger: Ledger) -> None:
    for run in (labeling(), importing(transform_id="tfm-2")):

        def write(number: int, run: Run = run) -> Run:
            return threaded_ledger.write(None, replace(run, requested_by=f"caller-{number}"))

        outcomes = run_concurrently(write)
        (winner,) = written_runs(outcomes)
        assert count_errors(outcomes) == {Conflict: THREADS - 1}
        assert threaded_ledger.get(run.id) == winner


def test_one_of_twenty_writers_of_a_run_wins(threaded_ledger: Ledger) -> None:
    run = threaded_ledger.write(None, labeling())
    outcomes = run_concurrently(lambda _: turn(threaded_ledger, run, Status.STARTING))
    (winner,) = written_runs(outcomes)
    assert count_errors(outcomes) == {Conflict: THREADS - 1}
    assert threaded_ledger.get(run.id) == winner


def test_five_of_twenty_join_a_queue_of_five(threaded_ledger: Ledger) -> None:
    outcomes = run_concurrently(lambda number: threaded_ledger.write(None, labeling(number, Status.QUEUED), max_queued=5))
    assert len(written_runs(outcomes)) == 5
    assert count_errors(outcomes) == {QueueLimitReached: THREADS - 5}
    assert sorted(run.id for run in threaded_ledger.open_runs()) == sorted(run.id for run in written_runs(outcomes))


def test_one_of_twenty_imports_opens(threaded_ledger: Ledger) -> None:
    for round_ in range(3):
        outcomes = run_concurrently(lambda number, round_=round_: threaded_ledger.write(None, importing(100 * round_ + number)))  # type: ignore[misc]  # a default binds the loop's variable
        (opened,) = written_runs(outcomes)
        assert count_errors(outcomes) == {QueueBlocked: THREADS - 1}
        turn(threaded_ledger, opened, Status.SUCCEEDED)


def test_only_the_oldest_of_twenty_leaves_the_queue(threaded_ledger: Ledger) -> None:
    waiting = [threaded_ledger.write(None, importing(number, Status.QUEUED)) for number in range(THREADS)]
    outcomes = run_concurrently(lambda number: turn(threaded_ledger, waiting[number], Status.RESERVED))
    assert [run.id for run in written_runs(outcomes)] == [waiting[0].id]
    assert count_errors(outcomes) == {QueueBlocked: THREADS - 1}


def test_twenty_cancelled_at_once_all_leave_the_queue(threaded_ledger: Ledger) -> None:
    waiting = [threaded_ledger.write(None, labeling(number, Status.QUEUED)) for number in range(THREADS)]
    outcomes = run_concurrently(lambda number: turn(threaded_ledger, waiting[number], Status.CANCELLED))
    left = {run.id for run in written_runs(outcomes)}
    for run in waiting:  # those that gave up on the busy queue retry, as a reconciler does
        if run.id not in left:
            turn(threaded_ledger, run, Status.CANCELLED)
    assert set(count_errors(outcomes)) <= {LedgerUnavailable}
    threaded_ledger.write(None, labeling(99))


def test_no_import_opens_beside_another_or_before_a_queue(threaded_ledger: Ledger) -> None:
    """Ten imports start while ten join the queue: at most one opens, and only if the queue was empty."""

    def write(number: int) -> Run:
        if number % 2:
            return threaded_ledger.write(None, importing(number, Status.QUEUED))
        return threaded_ledger.write(None, importing(number))

    outcomes = run_concurrently(write)
    assert sum(run.status is Status.RESERVED for run in written_runs(outcomes)) <= 1
    assert sum(run.status is Status.QUEUED for run in written_runs(outcomes)) == THREADS // 2
    assert set(count_errors(outcomes)) <= {QueueBlocked}
