"""This process as a warm Lambda function with the deployed environment; handler runs are forked from it."""

import contextlib
import gc
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import botocore.endpoint
from boto3.session import Session

import handlers.announce
import handlers.api
from core.aws.items import from_item
from core.errors import LoopError
from core.ports import Dependencies
from handlers import wiring
from tests.chaos.faults import Fault, Injector, Kind

ARN = "arn:aws:lambda:us-east-1:000000000000:function:chaos"
_MAX_RETRY_PAUSE_SECONDS = 0.02
_EVENTS = Path(__file__).resolve().parents[2] / "events"

_WIRING: Any = wiring
_ENDPOINT: Any = botocore.endpoint
_injector: Injector | None = None


def prepare(environment: Mapping[str, str]) -> None:
    """Import, create the clients and wire once: each forked child is then a warm process with the deployed environment."""
    os.environ.update(environment)
    session = Session()
    session.events.register_first("before-send", _before_send)
    _WIRING.Session = lambda: session
    wiring.dependencies()
    handlers.api.build_app()
    # Shortens the SDK's pauses between retries, and no other sleep.
    _ENDPOINT.time = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, _MAX_RETRY_PAUSE_SECONDS)))
    _warm_up(wiring.dependencies())
    share_memory()


@contextlib.contextmanager
def prepared(environment: Mapping[str, str]) -> Iterator[None]:
    """`prepare` for the block; afterwards the process is as before."""
    before, session_class, clock = dict(os.environ), _WIRING.Session, _ENDPOINT.time
    caches = (_WIRING.dependencies.cache_clear, _WIRING._bus.cache_clear)  # noqa: SLF001  all that wiring caches
    try:
        for cache_clear in caches:
            cache_clear()
        prepare(environment)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _WIRING.Session, _ENDPOINT.time = session_class, clock
        for cache_clear in caches:
            cache_clear()
        gc.enable()
        gc.unfreeze()


def install(injector: Injector | None) -> None:
    """From now on, every HTTP request of this process goes through `injector`."""
    global _injector  # noqa: PLW0603  one injector per process
    _injector = injector


def share_memory() -> None:
    """Keep the garbage collector off existing objects, so that forked processes share them and start in half the time."""
    gc.collect()
    gc.freeze()
    gc.disable()


def lambda_context() -> Any:  # noqa: ANN401  LambdaContext has no constructor
    return SimpleNamespace(
        function_name="chaos",
        memory_limit_in_mb=512,
        invoked_function_arn=ARN,
        aws_request_id=str(uuid4()),
        get_remaining_time_in_millis=lambda: 300_000,
    )


def _warm_up(deps: Dependencies) -> None:
    """Make the clients load what they load on first calls. Nothing is sent, so no child inherits a connection."""
    with open(os.devnull, "wb") as trace:  # noqa: PTH123  a device
        install(Injector(Fault(0, "", Kind.THROTTLED, all_calls=True), trace.fileno()))
        logging.disable(logging.WARNING)
        records = json.loads((_EVENTS / "stream-run-started.json").read_text())["Records"]
        handlers.announce.handler({"Records": records}, lambda_context())
        run = from_item(records[0]["dynamodb"]["NewImage"])
        for call in (
            lambda: deps.ledger.write(None, run),
            lambda: deps.ledger.write(run, run),
            lambda: deps.ledger.get(run.id),
            lambda: list(deps.ledger.open_runs()),
            lambda: deps.glue.start(run),
            lambda: deps.glue.start_export(run),
            lambda: deps.glue.get_transform(run.transform_id or ""),
            lambda: deps.glue.list_task_runs(run.transform_id or "", datetime.now(UTC)),
            lambda: deps.files.open("s3://bucket/labels.csv"),
            lambda: deps.files.current_version("s3://bucket/labels.csv"),
        ):
            with contextlib.suppress(LoopError):
                call()
    logging.disable(logging.NOTSET)
    install(None)


def _before_send(**event: Any) -> Any:  # noqa: ANN401  botocore's event
    return _injector(event["request"], event["event_name"]) if _injector is not None else None
