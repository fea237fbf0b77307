"""Simulated processes: real handlers' code that stops at every call of a port, where the scheduler decides what happens."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet


class Outcome(StrEnum):
    """What happens to one call of a port. `OK` comes first: it is the harmless choice."""

    OK = "ok"
    CRASH_BEFORE = "the process dies before the call"
    CRASH_AFTER = "the process dies after the call"
    FAIL_BEFORE = "the call fails, provably without effect"
    LOST = "the request is lost, and so there is no response"
    FAIL_AFTER = "the call takes effect, and its response is lost"
    DELAYED = "the response is lost, and the call takes effect later"
    REFUSED = "refused for good"


class Crashed(BaseException):
    """Not an Exception: a process that is killed runs no handler of its own."""


@dataclass(frozen=True)
class PortCall:
    """A call at which a process has stopped."""

    port: str
    method: str
    args: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.port}.{self.method}"


class Process:
    """One invocation of a handler, which its platform kills after `timeout`."""

    def __init__(self, name: str, body: Callable[[], None], started_on: datetime, timeout: timedelta) -> None:
        self.name = name
        self.deadline = started_on + timeout
        self.stopped_on = started_on
        self._greenlet = greenlet(body)
        self.call: PortCall | None = None

    def resume(self, outcome: Outcome | None = None) -> bool:
        """Run to the next call of a port, or to the end; whether the process still lives."""
        self.call = self._greenlet.switch(*([outcome] if outcome is not None else []))
        return not self._greenlet.dead

    def kill(self) -> None:
        """Let the process disappear at the call at which it has stopped."""
        if not self._greenlet.dead:
            self._greenlet.throw(GreenletExit)


def stop_at(call: PortCall) -> Outcome:
    """Called within a process: hand over to the scheduler, and return what it decided."""
    parent = getcurrent().parent
    assert parent is not None, "a port was called outside of any process"
    outcome: Outcome = parent.switch(call)
    return outcome


class InlineExecutor(Executor):
    """Runs each task at once, in the process that submits it: the scheduler decides about the order, not threads."""

    def submit(self, task: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:  # noqa: ANN401  as Executor has it
        future: Future[Any] = Future()
        future.set_result(task(*args, **named))
        return future
