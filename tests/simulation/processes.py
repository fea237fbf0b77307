"""Simulated processes: the code of handlers, which stops at every call of AWS, where the scheduler decides what happens."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from greenlet import GreenletExit, getcurrent, greenlet


class Outcome(Enum):
    """What happens to one call of AWS. `OK` comes first: it is the harmless choice."""

    OK = "ok"
    CRASH_BEFORE = "the process dies before the call"
    CRASH_AFTER = "the process dies after the call"
    THROTTLED = "throttled, without effect"
    NOT_SENT = "AWS cannot be reached"
    LOST = "the request is lost, and so there is no response"
    FAIL_AFTER = "the call takes effect, and its response is lost"
    SERVER_ERROR = "the call takes effect, and its response is an internal error"
    DELAYED = "the response is lost, and the call takes effect later"
    RESENT = "the response is lost, and the SDK sends the call again"
    CONTENTION = "another transaction has the item"
    DENIED = "access denied"
    REFUSED = "refused for good"
    PARTIAL = "some entries are rejected"


class Crashed(BaseException):
    """Not an Exception: a process that is killed runs no handler of its own."""


class AwsCall(NamedTuple):
    """A call at which a process has stopped."""

    service: str
    method: str
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.service}.{self.method}"


class _Greenlet(greenlet):
    process: "Process"


class Process:
    """One invocation of a handler, which Lambda kills after `timeout`.

    `checked_file` is the path and ETag of the label file that it read or looked at last. `has_started` tells
    whether Glue has started a run for it.
    """

    def __init__(self, name: str, body: Callable[[], None], started_on: datetime, timeout: timedelta) -> None:
        self.name = name
        self.deadline = started_on + timeout
        self.stopped_on = started_on
        self.call: AwsCall | None = None
        self.checked_file: tuple[str, str | None] | None = None
        self.has_crashed = False
        self.has_started = False
        self._greenlet = _Greenlet(body)
        self._greenlet.process = self

    def resume(self, outcome: Outcome | None = None) -> bool:
        """Run to the next call of AWS, or to the end; whether the process still lives."""
        self.call = self._greenlet.switch(*([outcome] if outcome is not None else []))
        return not self._greenlet.dead

    def kill(self) -> None:
        """Let the process disappear at the call at which it has stopped."""
        if not self._greenlet.dead:
            self._greenlet.throw(GreenletExit)


def current_process() -> Process:
    """The process that calls this."""
    running = getcurrent()
    assert isinstance(running, _Greenlet), "AWS was called outside of any process"
    return running.process


def process_or_none() -> Process | None:
    """The process that calls this; None outside of any, as when a late request has its effect."""
    running = getcurrent()
    return running.process if isinstance(running, _Greenlet) else None


def stop_at(call: AwsCall) -> Outcome:
    """Called within a process: hand over to the scheduler, and return what it decided."""
    scheduler: Any = getcurrent().parent
    outcome: Outcome = scheduler.switch(call)
    return outcome


class InlineExecutor(Executor):
    """Runs each task at once, in the process that submits it: the scheduler decides about the order, not threads."""

    def submit(self, task: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:  # noqa: ANN401  as Executor has it
        future: Future[Any] = Future()
        future.set_result(task(*args, **named))
        return future
