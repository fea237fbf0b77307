"""Helpers of the tests against the local cloud: a small table, waiting with a timeout, the published events."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from label_loop.api import ApiClient, Response
from local.cloud.process import ROOT
from local.cloud.stack import Stack
from local.demo.event_listener import EventListener, unique_events
from local.demo.rounds import FINAL_STATUSES
from local.sample_table import Records

Result = TypeVar("Result")
TIMEOUT_SECONDS = 120
PYTHON_TIMEOUT_SECONDS = 300
# Nothing listens on port 9; every request that goes to the proxy fails.
UNREACHABLE_PROXY = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")


def run_python(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in the project's folder, without a terminal."""
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PYTHON_TIMEOUT_SECONDS,
        check=False,
    )


def eventually(probe: Callable[[], Result | None]) -> Result:
    """Call `probe` until it returns something else than None."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if (result := probe()) is not None:
            return result
        time.sleep(0.25)
    raise AssertionError(f"did not happen within {TIMEOUT_SECONDS} s")


def people(count: int) -> Records:
    """`count` people; every second one has two rows, the second with a typing error and another phone number."""
    generator = random.Random(7)  # noqa: S311 - not for cryptography
    first, last = ("anna", "bertil", "carla", "dmitri", "elena", "farid"), ("moss", "nyberg", "okafor", "petrov", "quist")
    rows: list[dict[str, str | None]] = []
    truth = {}
    for person in range(count):
        name = f"{generator.choice(first)} {generator.choice(last)}"
        street = f"{person + 3} {generator.choice(('elm', 'oak', 'lake', 'mill'))} street"
        for copy in range(1 + person % 2):
            key = f"p{person}-{copy}"
            spelled = name[:3] + name[4:] if copy else name
            rows.append({"pk": key, "name": spelled, "street": street, "phone": str(generator.randrange(10**6))})
            truth[key] = str(person)
    return Records(("pk", "name", "street", "phone"), rows, "pk", truth)


class EventLog:
    """All events published so far, without repeats."""

    def __init__(self, listener: EventListener) -> None:
        self._listener = listener
        self._events: list[Mapping[str, Any]] = []

    def types_of(self, run_id: str) -> list[str]:
        """The detail-types of the run's events, in the order of `occurredAt`."""
        return [event["detail-type"] for event in self._published() if event["detail"]["data"].get("id") == run_id]

    def with_run_fields(self, **data: object) -> list[Mapping[str, Any]]:
        """The events whose task run has these field values."""
        return [event for event in self._published() if data.items() <= event["detail"]["data"].items()]

    def _published(self) -> Sequence[Mapping[str, Any]]:
        # Leaves out what a test published itself with the service's source.
        self._events.extend(event for event in self._listener.receive() if "metadata" in event["detail"])
        return sorted(unique_events(self._events), key=lambda event: str(event["detail"]["metadata"]["occurredAt"]))


def publish(stack: Stack, source: str, detail_type: str, detail: object) -> None:
    """Put one event on the service's bus."""
    bus = stack.env["EVENT_BUS_NAME"]
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "EventBusName": bus}
    assert stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def task_run_if(api: ApiClient, run_id: str, status: str) -> Mapping[str, Any] | None:
    """The task run if it has the status, None if it may still get it; fails if it has ended otherwise."""
    response = api.get_task_run(run_id)
    assert response.status == 200, response
    assert response.body["status"] == status or response.body["status"] not in FINAL_STATUSES, response.body
    return response.body if response.body["status"] == status else None


def assert_problem(response: Response, status: int) -> None:
    assert response.status == status, response
    assert response.headers["content-type"].startswith("application/problem+json"), response
    assert response.body["title"]
