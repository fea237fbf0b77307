"""A handler in a process of its own, as Lambda would run it: forked from this one, with real sockets, ready to be killed."""

import contextlib
import gc
import json
import logging
import os
import selectors
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal
from uuid import uuid4

import botocore.endpoint
from boto3.session import Session

import handlers.announce
import handlers.api
import handlers.bus
import handlers.schedule
from core.aws.items import from_item
from core.errors import LoopError
from core.ports import Dependencies
from core.runs import Run
from handlers import wiring
from tests.chaos.faults import Fault, Injector, Kind

Door = Literal["api", "bus", "schedule", "announce"]
PATIENCE_SECONDS = 90
ARN = "arn:aws:lambda:us-east-1:000000000000:function:chaos"
_SAMPLES = Path(__file__).resolve().parents[2] / "events"
# The children's clocks run ahead of Glue's by as much as a case lets time pass.
_LONGEST_CASE = timedelta(hours=1)

_WIRING: Any = wiring
_ENDPOINT: Any = botocore.endpoint
_injector: Injector | None = None


@dataclass(frozen=True)
class HandlerRun:
    """One invocation. `at`: seconds after the case began, by the process's own clock. `only`: transforms it may see."""

    door: Door
    event: Mapping[str, Any]
    at: float = 0.0
    fault: Fault | None = None
    only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """`answer`: what the handler returned, `raised`: the exception's name; neither if it was killed or hung.

    `began` and `ended` are seconds of the machine's monotonic clock; of a process that was killed, `ended` is None.
    """

    calls: tuple[str, ...]
    answer: Any
    raised: str | None
    killed: bool
    hung: bool
    fault_met: bool
    began: float = 0.0
    ended: float | None = None


def prepare(environment: Mapping[str, str]) -> None:
    """Import, connect and wire once, in the parent: each child is then a warm process with the deployed environment."""
    os.environ.update(environment)
    session = Session()
    session.events.register_first("before-send", _before_send)
    _WIRING.Session = lambda: session
    wiring.dependencies()
    handlers.api.build_app()
    # The SDK's pauses between retries, and only those.
    _ENDPOINT.time = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.02)))
    _warm_up(wiring.dependencies())
    share_memory()


@contextlib.contextmanager
def prepared(environment: Mapping[str, str]) -> Iterator[None]:
    """`prepare`, for as long as the block lasts: a test leaves its process as it was."""
    before, connect, clock = dict(os.environ), _WIRING.Session, _ENDPOINT.time
    forget = (_WIRING.deps.cache_clear, _WIRING._bus.cache_clear)  # noqa: SLF001  all that it remembers
    try:
        for cache_clear in forget:
            cache_clear()
        prepare(environment)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _WIRING.Session, _ENDPOINT.time = connect, clock
        for cache_clear in forget:
            cache_clear()
        gc.enable()
        gc.unfreeze()


def _warm_up(deps: Dependencies) -> None:
    """Let the clients load what they load at their first calls; nothing is sent, so that no connection exists to be shared."""
    global _injector  # noqa: PLW0603  one process, one injector
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  a device
        _injector = Injector(Fault(0, "", Kind.THROTTLED, everywhere=True), nowhere.fileno())
        logging.disable(logging.WARNING)
        records = json.loads((_SAMPLES / "stream-run-started.json").read_text())["Records"]
        handlers.announce.handler({"Records": records}, _context())
        run = from_item(records[0]["dynamodb"]["NewImage"])
        for call in (
            lambda: deps.ledger.write(None, run),
            lambda: deps.ledger.write(run, run),
            lambda: deps.ledger.get(run.id),
            lambda: list(deps.ledger.open_runs()),
            lambda: deps.glue.start(run),
            lambda: deps.glue.export(run),
            lambda: deps.glue.transform(run.transform_id or ""),
            lambda: deps.glue.runs(run.transform_id or "", datetime.now(UTC)),
            lambda: deps.files.open("s3://bucket/labels.csv"),
            lambda: deps.files.pin("s3://bucket/labels.csv"),
        ):
            with contextlib.suppress(LoopError):
                call()
    logging.disable(logging.NOTSET)
    _injector = None


def share_memory() -> None:
    """Let no collection touch what is there already: forked processes then share it, and start in half the time."""
    gc.collect()
    gc.freeze()
    gc.disable()


def run_at_once(
    runs: Sequence[HandlerRun], change_world: Callable[[Dependencies], Dependencies] = lambda deps: deps
) -> list[Outcome]:
    """Run all of them at the same time, each in its own process, and wait for them. None begins before all are there."""
    gate, opener = os.pipe()
    started = [_fork(run, change_world, (gate, opener)) for run in runs]
    os.close(opener)
    os.close(gate)
    told = _read_all([pipe for _, pipe in started])
    return [_outcome(pid, *said) for (pid, _), said in zip(started, told, strict=True)]


def _fork(run: HandlerRun, change_world: Callable[[Dependencies], Dependencies], gate: tuple[int, int]) -> tuple[int, int]:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of other threads; the child touches nothing that one of them could hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.close(reading)
            os.close(gate[1])
            os.read(gate[0], 1)  # until the last one that holds the other end lets go of it
            _live(run, writing, change_world)
        os._exit(1)
    os.close(writing)
    return pid, reading


def _live(run: HandlerRun, pipe: int, change_world: Callable[[Dependencies], Dependencies]) -> None:
    global _injector  # noqa: PLW0603  one process, one injector
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    _injector = injector = Injector(run.fault, pipe)
    os.write(pipe, f"begin {time.monotonic()}\n".encode())
    try:
        answer = _handle(run, change_world(_world(run, injector)))
        told: dict[str, Any] = {"answer": answer}
    except Exception as error:  # noqa: BLE001  Lambda reports every exception of a handler
        told = {"raised": type(error).__name__, "trace": traceback.format_exc()}
    os.write(pipe, f"end {json.dumps(told | {'at': time.monotonic()})}\n".encode())
    os._exit(0)


def _handle(run: HandlerRun, deps: Dependencies) -> Any:  # noqa: ANN401  each handler's own answer
    event: Any = dict(run.event)
    match run.door:
        case "api":
            return handlers.api.handler(event, _context(), deps)
        case "bus":
            return handlers.bus.handler(event, _context(), deps)
        case "schedule":
            return handlers.schedule.handler(event, _context(), deps)
        case "announce":
            return handlers.announce.handler(event, _context())


def _world(run: HandlerRun, injector: Injector) -> Dependencies:
    deps = wiring.dependencies()
    ledger: Any = _Narrow(deps.ledger, run.only)
    return replace(
        deps,
        ledger=ledger,
        clock=lambda: datetime.now(UTC) + timedelta(seconds=run.at + injector.seconds_lost),
        policy=replace(deps.policy, skew=_LONGEST_CASE),
    )


class _Narrow:
    """The ledger, as if only the runs of some transforms were open: cases at the same time stay apart."""

    def __init__(self, ledger: Any, only: frozenset[str]) -> None:  # noqa: ANN401  core.ports.Ledger, passed through
        self._ledger = ledger
        self._only = only

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any of the ledger's methods
        return getattr(self._ledger, name)

    def open_runs(self) -> Iterator[Run]:
        return (run for run in self._ledger.open_runs() if run.transform_id in self._only)


def _before_send(**told: Any) -> Any:  # noqa: ANN401  botocore's event
    return _injector(told["request"], told["event_name"]) if _injector is not None else None


def _read_all(pipes: list[int]) -> list[tuple[str, bool]]:
    """What each child wrote until it ended, or until patience did; and whether patience did."""
    told = dict.fromkeys(pipes, b"")
    until = time.monotonic() + PATIENCE_SECONDS
    with selectors.DefaultSelector() as waiting:
        for pipe in pipes:
            waiting.register(pipe, selectors.EVENT_READ)
        while waiting.get_map() and time.monotonic() < until:
            for key, _ in waiting.select(timeout=1):
                part = os.read(key.fd, 1 << 16)
                told[key.fd] += part
                if not part:
                    waiting.unregister(key.fd)
        hung = {key.fd for key in waiting.get_map().values()}
    for pipe in pipes:
        os.close(pipe)
    return [(told[pipe].decode(), pipe in hung) for pipe in pipes]


def _outcome(pid: int, text: str, hung: bool) -> Outcome:  # noqa: FBT001  private
    if hung:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    lines = text.splitlines()
    told: Any = next((json.loads(line[4:]) for line in lines if line.startswith("end ")), {})
    return Outcome(
        calls=tuple(line[5:] for line in lines if line.startswith("call ")),
        answer=told.get("answer"),
        raised=told.get("raised"),
        killed=os.WIFSIGNALED(status) and not hung,
        hung=hung,
        fault_met="hit" in lines,
        began=float(next((line[6:] for line in lines if line.startswith("begin ")), 0)),
        ended=told.get("at"),
    )


def _context() -> Any:  # noqa: ANN401  LambdaContext has no constructor
    return SimpleNamespace(
        function_name="chaos",
        memory_limit_in_mb=512,
        invoked_function_arn=ARN,
        aws_request_id=str(uuid4()),
        get_remaining_time_in_millis=lambda: 300_000,
    )
