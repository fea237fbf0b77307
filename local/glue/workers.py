"""The interface of workers, which execute jobs; and workers that are threads of this process."""

import threading
import time
from dataclasses import dataclass
from typing import Protocol

from local.glue.aws import Aws
from local.glue.job import Job, JobFailed, Outcome
from local.glue.job_runner import run_job

POLL_SECONDS = 0.05


class Stopped(Exception):
    """The run was cancelled."""


class OutOfTime(Exception):
    """The run exceeded its timeout."""


class WorkerDied(Exception):
    """The worker process ended before its job did."""


@dataclass(frozen=True)
class Limits:
    """When a job must stop. `deadline` is a time of time.monotonic."""

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
    """Threads of this process, for tests whose AWS is in this process (moto).

    A thread cannot be killed: after Stopped or OutOfTime it continues, and its result is ignored.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def run(self, job: Job, limits: Limits) -> Outcome:
        result: list[Outcome | JobFailed] = []
        thread = threading.Thread(target=lambda: result.append(try_job(job, self._aws)), daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(POLL_SECONDS)
            if thread.is_alive():
                limits.check()
        if not result:
            raise WorkerDied
        return raise_if_failed(result[0])

    def close(self) -> None:
        pass


def try_job(job: Job, aws: Aws) -> Outcome | JobFailed:
    """Run a job and return its failure as a value, since exceptions of other libraries may not be picklable."""
    try:
        return run_job(job, aws)
    except MemoryError:
        return JobFailed("The worker ran out of memory.")
    except Exception as error:  # noqa: BLE001 - every error of a run becomes its ErrorString
        return JobFailed(str(error) if _is_expected(error) else f"{type(error).__name__}: {error}")


def _is_expected(error: Exception) -> bool:
    return type(error).__name__ in ("JobFailed", "Unavailable", "LabelFileRefused", "NotEnoughLabels", "InvalidTable")


def raise_if_failed(result: Outcome | JobFailed) -> Outcome:
    """The outcome. Raises JobFailed if the job failed."""
    if isinstance(result, JobFailed):
        raise result
    return result
