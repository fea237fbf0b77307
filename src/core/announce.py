"""Every change of a run in the ledger becomes its event on the bus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.events import Detail, DetailType, detail, detail_types
from core.runs import Run


@dataclass(frozen=True, slots=True)
class Change:
    """One record of the ledger's stream. `sequence_number` is the stream's."""

    sequence_number: str
    before: Run | None
    after: Run


@dataclass(frozen=True, slots=True)
class Event:
    """One event on its way out, and the change that it tells of."""

    change: Change
    detail_type: DetailType
    detail: Detail

    @property
    def transform_id(self) -> str | None:
        return self.change.after.transform_id


class Bus(Protocol):
    def send(self, events: Sequence[Event]) -> list[Event]:
        """Put the events on the bus, and return those that it did not take."""


def announce(changes: Sequence[Change], bus: Bus) -> list[str]:
    """Send the events of `changes`, and return the sequence numbers of the changes that have to be delivered again."""
    events = [
        Event(change, kind, detail(change.after, kind))
        for change in changes
        for kind in detail_types(change.before, change.after)
    ]
    refused = bus.send(events)
    return list(dict.fromkeys(event.change.sequence_number for event in refused))
