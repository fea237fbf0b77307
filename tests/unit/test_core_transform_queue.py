"""The queue of a transform: what each change of a run requires of it and does to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.requests import new_run
from core.runs import Run, Status
from core.transform_queue import is_next, queue_key, queue_move, queued_run_id
from tests.fakes.service import evaluation_command, export_command, import_command, labeling_command

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LABELING = new_run(labeling_command(), NOW)
IMPORT = new_run(import_command(), NOW)
ALL = [LABELING, IMPORT, new_run(evaluation_command(), NOW), new_run(export_command(), NOW)]
HISTORIES = st.lists(st.sampled_from(list(Status)), max_size=12)
TIMES = st.integers(min_value=0, max_value=10**12).map(lambda us: NOW + timedelta(microseconds=us))


@given(st.sampled_from(ALL), HISTORIES)
def test_queue_holds_a_run_exactly_while_it_is_queued(run: Run, history: list[Status]) -> None:
    waiting, open_exclusive, before = 0, 0, None
    for status in [*history, None]:
        after = replace(run, status=status) if status else None
        move = queue_move(before, after)
        waiting += move.joins - move.leaves
        open_exclusive += move.opens_exclusive - move.closes_exclusive
        assert waiting == (status is Status.QUEUED)
        holds = run.task_type.is_exclusive and status is not None and not status.is_terminal and status is not Status.QUEUED
        assert open_exclusive == holds
        before = after


@given(HISTORIES)
def test_only_new_requests_require_an_empty_queue(history: list[Status]) -> None:
    before = None
    for status in history:
        after = replace(LABELING, status=status)
        is_new = status is Status.RESERVED and (before is None or before.status.is_terminal)
        assert queue_move(before, after).requires_empty_queue == is_new
        before = after


def test_most_changes_do_not_change_the_queue() -> None:
    starting, running = replace(LABELING, status=Status.STARTING), replace(LABELING, status=Status.RUNNING)
    assert not any(queue_move(LABELING, starting))
    assert not any(queue_move(starting, running))
    assert any(queue_move(None, LABELING))


@given(st.lists(st.tuples(TIMES, st.sampled_from(ALL)), min_size=1, max_size=20))
def test_exclusive_runs_keep_their_order_and_labeling_sets_theirs_whatever_the_clocks_say(
    entries: list[tuple[datetime, Run]],
) -> None:
    runs = [replace(run, requested_on=time, id=f"{number:032x}") for number, (time, run) in enumerate(entries)]
    queue = tuple(map(queue_key, runs))
    assert list(map(queued_run_id, queue)) == [run.id for run in runs]
    for position, run in enumerate(runs):
        earlier = [entry for entry in runs[:position] if entry.task_type.is_exclusive is run.task_type.is_exclusive]
        assert is_next(run, queue) == (not earlier)


def test_new_run_joins_at_the_tail_and_reserved_run_at_the_head() -> None:
    queued = replace(IMPORT, status=Status.QUEUED)
    moves = [queue_move(before, queued) for before in (None, replace(IMPORT, status=Status.CANCELLED), IMPORT)]
    assert [(move.joins_at_head, move.joins_at_tail) for move in moves] == [(False, True), (False, True), (True, False)]


def test_no_run_is_next_in_an_empty_queue() -> None:
    assert not is_next(IMPORT, ())
