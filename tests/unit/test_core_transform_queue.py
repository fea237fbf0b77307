"""Who waits in front of a transform, and which import is open."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.paths import AllowedPrefixes
from core.requests import new_run
from core.runs import Run, Status
from core.transform_queue import is_next, queue_key, queue_move
from tests.fakes.service import import_command, labeling_command

ALLOWED = AllowedPrefixes.parse("s3://bucket/")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LABELING = new_run(labeling_command(), NOW, ALLOWED)
IMPORT = new_run(import_command(), NOW, ALLOWED)
HISTORIES = st.lists(st.sampled_from(list(Status)), max_size=12)
MOMENTS = st.integers(min_value=0, max_value=10**12).map(lambda us: NOW + timedelta(microseconds=us))


@given(st.sampled_from([LABELING, IMPORT]), HISTORIES)
def test_a_line_holds_a_run_just_while_it_is_queued_whatever_its_history(run: Run, history: list[Status]) -> None:
    waiting, open_imports, before = 0, 0, None
    for status in [*history, None]:
        after = replace(run, status=status) if status else None
        move = queue_move(before, after)
        waiting += move.joins - move.leaves
        open_imports += move.opens_import - move.closes_import
        assert waiting == (status is Status.QUEUED)
        holds = run.is_import and status is not None and not status.is_terminal and status is not Status.QUEUED
        assert open_imports == holds
        before = after


@given(HISTORIES)
def test_only_a_new_request_has_to_see_that_nobody_waits(history: list[Status]) -> None:
    before = None
    for status in history:
        after = replace(LABELING, status=status)
        is_new = status is Status.RESERVED and (before is None or before.status.is_terminal)
        assert queue_move(before, after).requires_empty_queue == is_new
        before = after


def test_most_changes_do_not_touch_the_line() -> None:
    starting, running = replace(LABELING, status=Status.STARTING), replace(LABELING, status=Status.RUNNING)
    assert queue_move(LABELING, starting).is_none
    assert queue_move(starting, running).is_none
    assert not queue_move(None, LABELING).is_none


@given(st.lists(MOMENTS, min_size=1, max_size=20, unique=True))
def test_places_sort_in_the_order_of_acceptance(moments: list[datetime]) -> None:
    runs = [replace(IMPORT, requested_on=moment) for moment in moments]
    assert sorted(runs, key=queue_key) == sorted(runs, key=lambda run: run.requested_on)


@given(st.lists(st.tuples(MOMENTS, st.sampled_from([LABELING, IMPORT])), min_size=1, max_size=20, unique_by=lambda one: one[0]))
def test_the_next_is_the_oldest_of_its_kind(entries: list[tuple[datetime, Run]]) -> None:
    runs = [replace(run, requested_on=moment, id=f"{number:032x}") for number, (moment, run) in enumerate(entries)]
    line = tuple(map(queue_key, runs))
    for run in runs:
        older = [one for one in runs if one.task_type is run.task_type and one.requested_on < run.requested_on]
        assert is_next(run, line) == (not older)


def test_nobody_is_next_in_an_empty_line() -> None:
    assert not is_next(IMPORT, ())
