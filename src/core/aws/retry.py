"""Retry writes that conflicted with another writer, with exponential backoff and jitter."""

import time
from collections.abc import Callable
from random import uniform
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import LedgerUnavailable

Result = TypeVar("Result")
_MAX_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.02  # doubles, so eight attempts take some 5 s


class WriteContention(Exception):
    """Another writer changed the run or its transform's queue at the same time; the write may be tried again."""


def retry_on_contention(write: Callable[[], Result], sleep: Callable[[float], None]) -> Result:
    """Call `write` until it does not raise WriteContention, and return its result; `sleep` takes seconds.

    Raises LedgerUnavailable after eight attempts, and for botocore's errors.
    """
    try:
        for attempt in range(_MAX_ATTEMPTS):
            try:
                return write()
            except WriteContention:
                sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    except (ClientError, BotoCoreError) as error:
        raise LedgerUnavailable(str(error)) from error
    raise LedgerUnavailable("too many writers to the same transform's queue")


def sleep_with_jitter(seconds: float) -> None:
    """Sleep for half of `seconds` at least, so that concurrent writers do not retry all at once."""
    time.sleep(uniform(seconds / 2, seconds))  # noqa: S311  no secret
