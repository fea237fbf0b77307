"""core.announce.Bus in memory."""

from collections.abc import Sequence

from core.announce import Event, Rejection


class MemoryBus:
    """Keeps the events that it accepts; accepts none while `is_down`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.is_down = False

    def send(self, events: Sequence[Event]) -> list[Rejection]:
        if self.is_down:
            return [Rejection(event) for event in events]
        self.events += events
        return []

    def detail_types(self) -> list[str]:
        return [event.detail_type for event in self.events]
