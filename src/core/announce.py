"""Turn each change of a run in the ledger into its events, and send them to the bus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.events import Detail, DetailType, detail_types, event_detail
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
    detail: Detail

    @property
    def transform_id(self) -> str | None:
        return self.change.after.transform_id


class Bus(Protocol):
    def send(self, events: Sequence[Event]) -> list[Event]:
        """Send the events; return those that the bus did not accept."""


def announce(changes: Sequence[Change], bus: Bus) -> list[str]:
    """Send the events of `changes`; return the sequence numbers of the changes that must be delivered again."""
    events = [
        Event(change, detail_type, event_detail(change.after, detail_type))
        for change in changes
        for detail_type in detail_types(change.before, change.after)
    ]
    rejected = bus.send(events)
    return list(dict.fromkeys(event.change.sequence_number for event in rejected))
