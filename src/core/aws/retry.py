"""Writes that get in each other's way at DynamoDB: tried again, after a pause that grows."""

import time
from collections.abc import Callable
from random import uniform
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import LedgerUnavailable

Outcome = TypeVar("Outcome")
_ROUNDS = 8
_FIRST_PAUSE = 0.02  # seconds; doubles, so that eight rounds take some 5 s


class WriteContention(Exception):
    """Somebody else touched the line or the item at the same moment: look again."""


def again(act: Callable[[], Outcome], pause: Callable[[float], None]) -> Outcome:
    """Do `act` until others leave it alone. Raises LedgerUnavailable, also for botocore's errors."""
    try:
        for attempt in range(_ROUNDS):
            try:
                return act()
            except WriteContention:
                pause(_FIRST_PAUSE * 2**attempt)
    except (ClientError, BotoCoreError) as fault:
        raise LedgerUnavailable(str(fault)) from fault
    raise LedgerUnavailable("too many writers at the same line")


def sleep_with_jitter(seconds: float) -> None:
    """Many writers to one line must not come back all at once."""
    time.sleep(uniform(seconds / 2, seconds))  # noqa: S311  no secret
