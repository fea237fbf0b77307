"""The ledger's stream becomes events; what the bus does not take is delivered again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from core.announce import Change, Event, Rejection, Unpublished, announce, events_of, publish
from core.paths import AllowedPrefixes
from core.requests import new_run
from core.runs import Run, Status
from tests.fakes.bus import MemoryBus
from tests.fakes.service import labeling_command

RUN = new_run(labeling_command(), datetime(2026, 11, 22, tzinfo=UTC), AllowedPrefixes.parse("s3://bucket/"))
STARTED = replace(RUN, status=Status.STARTING, task_run_id="tsk-1")
ENDED = replace(STARTED, status=Status.SUCCEEDED)
HISTORY: list[tuple[Run | None, Run]] = [(None, RUN), (RUN, STARTED), (STARTED, ENDED)]
CHANGES = [Change(str(number), *pair) for number, pair in enumerate(HISTORY)]


class PickyBus:
    """Takes only the events that `takes` names."""

    def __init__(self, takes: set[str]) -> None:
        self.takes = takes

    def send(self, events: Sequence[Event]) -> list[Rejection]:
        return [Rejection(event) for event in events if event.detail_type not in self.takes]


def test_changes_are_told_in_their_order() -> None:
    bus = MemoryBus()
    assert announce(CHANGES, bus) == []
    assert bus.detail_types() == ["TaskRunStarted", "TaskRunSucceeded"]


def test_nothing_is_sent_where_nothing_happened() -> None:
    bus = MemoryBus()
    assert announce([Change("7", RUN, RUN)], bus) == []
    assert bus.events == []


def test_a_stream_that_repeats_itself_repeats_the_same_events() -> None:
    bus = MemoryBus()
    announce(CHANGES, bus)
    announce(CHANGES[::-1], bus)
    ids = [event.detail.metadata.event_id for event in bus.events]
    assert sorted(ids[:2]) == sorted(ids[2:])


@given(st.sets(st.sampled_from(["TaskRunStarted", "TaskRunSucceeded"])))
def test_just_the_changes_whose_events_were_not_taken_come_again(takes: set[str]) -> None:
    expected = [number for number, kind in (("1", "TaskRunStarted"), ("2", "TaskRunSucceeded")) if kind not in takes]
    assert announce(CHANGES, PickyBus(takes)) == expected


def test_a_change_with_two_events_is_named_once() -> None:
    found_over = Change("9", replace(RUN, status=Status.UNCONFIRMED), ENDED)
    assert announce([found_over], PickyBus(set())) == ["9"]


class StrictBus:
    """Rejects every event: TaskRunStarted for now, others for good."""

    def send(self, events: Sequence[Event]) -> list[Rejection]:
        return [Rejection(event, is_final=event.detail_type != "TaskRunStarted") for event in events]


def test_changes_that_can_never_be_published_are_told_apart() -> None:
    both_events = Change("9", replace(RUN, status=Status.UNCONFIRMED), ENDED)
    events = [event for change in (*CHANGES, both_events) for event in events_of(change)]
    assert publish(events, StrictBus()) == Unpublished(retry=["1", "9"], final=["2"])
