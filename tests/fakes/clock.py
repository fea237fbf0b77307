"""A clock that a test moves."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Advances by a millisecond at each call, so that no two times are equal."""

    def __init__(self, now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
