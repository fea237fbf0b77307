"""Changes of the ledger become events; those that the bus rejects are delivered again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from core.announce import Change, Event, Rejection, Unpublished, announce, events_of, publish
from core.requests import new_run
from core.runs import Run, Status
from tests.fakes.bus import MemoryBus
from tests.fakes.service import labeling_command

RUN = new_run(labeling_command(), datetime(2026, 11, 22, tzinfo=UTC))
STARTED = replace(RUN, status=Status.STARTING, task_run_id="tsk-1")
ENDED = replace(STARTED, status=Status.SUCCEEDED)
HISTORY: list[tuple[Run | None, Run]] = [(None, RUN), (RUN, STARTED), (STARTED, ENDED)]
CHANGES = [Change(str(number), *pair) for number, pair in enumerate(HISTORY)]


class SelectiveBus:
    """Takes only the events that `takes` names."""

    def __init__(self, accepted_types: set[str]) -> None:
        self.accepted_types = accepted_types

    def send(self, events: Sequence[Event]) -> list[Rejection]:
        return [Rejection(event) for event in events if event.detail_type not in self.accepted_types]


def test_events_are_sent_in_the_order_of_the_changes() -> None:
    bus = MemoryBus()
    assert announce(CHANGES, bus) == []
    assert bus.detail_types() == ["TaskRunStarted", "TaskRunSucceeded"]


def test_change_without_effect_sends_no_event() -> None:
    bus = MemoryBus()
    assert announce([Change("7", RUN, RUN)], bus) == []
    assert bus.events == []


def test_repeated_changes_send_events_with_the_same_ids() -> None:
    bus = MemoryBus()
    announce(CHANGES, bus)
    announce(CHANGES[::-1], bus)
    ids = [event.detail.metadata.event_id for event in bus.events]
    assert sorted(ids[:2]) == sorted(ids[2:])


@given(st.sets(st.sampled_from(["TaskRunStarted", "TaskRunSucceeded"])))
def test_only_changes_with_rejected_events_are_delivered_again(accepted_types: set[str]) -> None:
    expected = [number for number, kind in (("1", "TaskRunStarted"), ("2", "TaskRunSucceeded")) if kind not in accepted_types]
    assert announce(CHANGES, SelectiveBus(accepted_types)) == expected


def test_change_with_two_rejected_events_is_returned_once() -> None:
    found_after_its_end = Change("9", replace(RUN, status=Status.UNCONFIRMED), ENDED)
    assert announce([found_after_its_end], SelectiveBus(set())) == ["9"]


class StrictBus:
    """Rejects every event: TaskRunStarted for now, others for good."""

    def send(self, events: Sequence[Event]) -> list[Rejection]:
        return [Rejection(event, is_final=event.detail_type != "TaskRunStarted") for event in events]


def test_temporary_and_final_rejections_are_returned_apart() -> None:
    both_events = Change("9", replace(RUN, status=Status.UNCONFIRMED), ENDED)
    events = [event for change in (*CHANGES, both_events) for event in events_of(change)]
    assert publish(events, StrictBus()) == Unpublished(retry=["1", "9"], final=["2"])
