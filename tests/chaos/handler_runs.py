"""A handler in its own process, as Lambda runs it: forked from a warm process, with real sockets, ready to be killed."""

import contextlib
import json
import os
import selectors
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import handlers.announce
import handlers.api
import handlers.bus
import handlers.schedule
from core.ports import Dependencies
from core.runs import Run
from handlers import wiring
from tests.chaos.faults import Fault, Injector
from tests.chaos.warm_process import install, lambda_context

HandlerName = Literal["api", "bus", "schedule", "announce"]
TIMEOUT_SECONDS = 90
# A case moves the children's clocks ahead of Glue's by up to this much.
_MAX_CLOCK_SKEW = timedelta(hours=1)
ChangeDependencies = Callable[[Dependencies], Dependencies]


@dataclass(frozen=True)
class HandlerRun:
    """One invocation. `at`: seconds that the process's clock is ahead. `only`: transforms whose open runs it may see."""

    handler: HandlerName
    event: Mapping[str, Any]
    at: float = 0.0
    fault: Fault | None = None
    only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """`answer`: what the handler returned; `raised`: the exception's name; both None if it was killed or hung.

    `calls`: its AWS calls as "service.Operation". `began` and `ended`: monotonic seconds; `ended` is None if it was killed.
    """

    calls: tuple[str, ...]
    answer: Any
    raised: str | None
    killed: bool
    hung: bool
    fault_met: bool
    began: float = 0.0
    ended: float | None = None


def run_at_once(runs: Sequence[HandlerRun], change_dependencies: ChangeDependencies = lambda deps: deps) -> list[Outcome]:
    """Run all at the same time, each in its own process, and wait for them. None begins before all have been forked."""
    gate, gate_holder = os.pipe()
    children = [_fork(run, change_dependencies, (gate, gate_holder)) for run in runs]
    os.close(gate_holder)
    os.close(gate)
    outputs = _read_all([pipe for _, pipe in children])
    return [_outcome(pid, *output) for (pid, _), output in zip(children, outputs, strict=True)]


def _fork(run: HandlerRun, change_dependencies: ChangeDependencies, gate: tuple[int, int]) -> tuple[int, int]:
    """The child's process id, and the pipe that it writes to."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12+ warns if other threads exist; the child uses no lock that one of them could hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.close(reading)
            os.close(gate[1])
            os.read(gate[0], 1)  # returns when the last process has closed the gate's other end
            _run_child(run, writing, change_dependencies)
        os._exit(1)
    os.close(writing)
    return pid, reading


def _run_child(run: HandlerRun, pipe: int, change_dependencies: ChangeDependencies) -> None:
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    injector = Injector(run.fault, pipe)
    install(injector)
    os.write(pipe, f"begin {time.monotonic()}\n".encode())
    try:
        answer = _handle(run, change_dependencies(_dependencies(run, injector)))
        result: dict[str, Any] = {"answer": answer}
    except Exception as error:  # noqa: BLE001  Lambda reports every exception of a handler
        result = {"raised": type(error).__name__, "trace": traceback.format_exc()}
    os.write(pipe, f"end {json.dumps(result | {'at': time.monotonic()})}\n".encode())
    os._exit(0)


def _handle(run: HandlerRun, deps: Dependencies) -> Any:  # noqa: ANN401  each handler's own answer
    event: Any = dict(run.event)
    match run.handler:
        case "api":
            return handlers.api.handler(event, lambda_context(), deps)
        case "bus":
            return handlers.bus.handler(event, lambda_context(), deps)
        case "schedule":
            return handlers.schedule.handler(event, lambda_context(), deps)
        case "announce":
            return handlers.announce.handler(event, lambda_context())


def _dependencies(run: HandlerRun, injector: Injector) -> Dependencies:
    deps = wiring.dependencies()
    ledger: Any = _LedgerOfTransforms(deps.ledger, run.only)
    return replace(
        deps,
        ledger=ledger,
        clock=lambda: datetime.now(UTC) + timedelta(seconds=run.at + injector.seconds_lost),
        policy=replace(deps.policy, clock_skew=_MAX_CLOCK_SKEW),
    )


class _LedgerOfTransforms:
    """The ledger, but only some transforms' runs are listed as open: concurrent cases stay apart."""

    def __init__(self, ledger: Any, only: frozenset[str]) -> None:  # noqa: ANN401  core.ports.Ledger, passed through
        self._ledger = ledger
        self._only = only

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any of the ledger's methods
        return getattr(self._ledger, name)

    def open_runs(self, *args: Any) -> Iterator[Run]:  # noqa: ANN401  passed through
        return (run for run in self._ledger.open_runs(*args) if run.transform_id in self._only)


def _read_all(pipes: list[int]) -> list[tuple[str, bool]]:
    """What each child wrote until it ended or TIMEOUT_SECONDS passed, and whether it timed out."""
    output = dict.fromkeys(pipes, b"")
    until = time.monotonic() + TIMEOUT_SECONDS
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and time.monotonic() < until:
            for key, _ in selector.select(timeout=1):
                part = os.read(key.fd, 1 << 16)
                output[key.fd] += part
                if not part:
                    selector.unregister(key.fd)
        hung = {key.fd for key in selector.get_map().values()}
    for pipe in pipes:
        os.close(pipe)
    return [(output[pipe].decode(), pipe in hung) for pipe in pipes]


def _outcome(pid: int, output: str, hung: bool) -> Outcome:  # noqa: FBT001  private
    if hung:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    lines = output.splitlines()
    result: Any = next((json.loads(line[4:]) for line in lines if line.startswith("end ")), {})
    return Outcome(
        calls=tuple(line[5:] for line in lines if line.startswith("call ")),
        answer=result.get("answer"),
        raised=result.get("raised"),
        killed=os.WIFSIGNALED(status) and not hung,
        hung=hung,
        fault_met="hit" in lines,
        began=float(next((line[6:] for line in lines if line.startswith("begin ")), 0)),
        ended=result.get("at"),
    )
