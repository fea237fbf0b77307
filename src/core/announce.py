"""Turn each change of a run in the ledger into its events, and send them to the bus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.events import Detail, DetailType, SubmissionDetail, detail_types, event_detail
from core.runs import Run


@dataclass(frozen=True, slots=True)
class Change:
    """One record of the ledger's stream; `before` is None if the run is new."""

    sequence_number: str
    before: Run | None
    after: Run


@dataclass(frozen=True, slots=True)
class Event:
    """One event to send, and the change that caused it."""

    change: Change
    detail_type: DetailType
    detail: Detail | SubmissionDetail

    @property
    def transform_id(self) -> str | None:
        return self.change.after.transform_id


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that the bus did not accept. `is_final`: it would never accept the same event."""

    event: Event
    is_final: bool = False


class Bus(Protocol):
    def send(self, events: Sequence[Event]) -> list[Rejection]:
        """Send the events; return those that the bus did not accept."""


@dataclass(frozen=True, slots=True)
class Unpublished:
    """Changes with rejected events, by sequence number: `retry` may succeed later, `final` cannot."""

    retry: list[str]
    final: list[str]


def events_of(change: Change) -> list[Event]:
    return [Event(change, kind, event_detail(change.after, kind)) for kind in detail_types(change.before, change.after)]


def publish(events: Sequence[Event], bus: Bus) -> Unpublished:
    """Send `events`. A change counts as final only if all its rejected events are."""
    rejections = bus.send(events)
    retry = dict.fromkeys(rejection.event.change.sequence_number for rejection in rejections if not rejection.is_final)
    final = dict.fromkeys(rejection.event.change.sequence_number for rejection in rejections if rejection.is_final)
    return Unpublished(list(retry), [number for number in final if number not in retry])


def announce(changes: Sequence[Change], bus: Bus) -> list[str]:
    """Send the events of `changes`, and return the sequence numbers of the changes that are not fully published."""
    rejections = bus.send([event for change in changes for event in events_of(change)])
    return list(dict.fromkeys(rejection.event.change.sequence_number for rejection in rejections))
