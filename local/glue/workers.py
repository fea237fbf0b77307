"""Who does a run's work, and how it is told to stop; and the workers that are threads of this process."""

import threading
import time
from dataclasses import dataclass
from typing import Protocol

from local.glue.aws import Aws
from local.glue.job import Job, JobFailed, Outcome
from local.glue.jobs import do_job

POLL_SECONDS = 0.05


class Stopped(Exception):
    """The caller asked to stop."""


class OutOfTime(Exception):
    """The deadline passed."""


class WorkerDied(Exception):
    """The worker process ended before its work did."""


@dataclass(frozen=True)
class Limits:
    """`deadline`: on time.monotonic's clock."""

    stop: threading.Event
    deadline: float

    def check(self) -> None:
        """Raises Stopped or OutOfTime."""
        if self.stop.is_set():
            raise Stopped
        if time.monotonic() > self.deadline:
            raise OutOfTime


class Workers(Protocol):
    def run(self, job: Job, limits: Limits) -> Outcome:
        """Raises Stopped, OutOfTime, WorkerDied, or JobFailed with the reason."""

    def close(self) -> None: ...


class ThreadWorkers:
    """Work in threads of this process, with the ports it is given: for tests whose AWS lives in this process.

    A thread cannot be killed: after Stopped or OutOfTime it goes on, unheard.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def run(self, job: Job, limits: Limits) -> Outcome:
        box: list[Outcome | JobFailed] = []
        thread = threading.Thread(target=lambda: box.append(attempt(job, self._aws)), daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(POLL_SECONDS)
            if thread.is_alive():
                limits.check()
        if not box:
            raise WorkerDied
        return opened(box[0])

    def close(self) -> None:
        pass


def attempt(job: Job, aws: Aws) -> Outcome | JobFailed:
    """What happened, as a value: exceptions of any library may not survive pickling."""
    try:
        return do_job(job, aws)
    except MemoryError:
        return JobFailed("The worker ran out of memory.")
    except Exception as error:  # noqa: BLE001 - every fault of a run becomes its ErrorString
        return JobFailed(str(error) if _is_expected(error) else f"{type(error).__name__}: {error}")


def _is_expected(error: Exception) -> bool:
    return type(error).__name__ in ("JobFailed", "Unavailable", "LabelFileRefused", "NotEnoughLabels")


def opened(box: Outcome | JobFailed) -> Outcome:
    """Raises the failure that the box holds, if it does."""
    if isinstance(box, JobFailed):
        raise box
    return box
