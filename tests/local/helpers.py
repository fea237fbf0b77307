"""A small table to match, and waiting for what the cloud does in its own time."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from label_loop.api import ApiClient, Response
from local.cloud.process import ROOT
from local.demo.event_listener import EventListener, unique_events
from local.demo.rounds import FINAL_STATUSES
from local.sample_table import Records

Found = TypeVar("Found")
TIMEOUT_SECONDS = 120


def run_python(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A Python process in the project's folder, with nobody at its terminal."""
    return subprocess.run(  # noqa: S603 - our own code, by argument list
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def eventually(look: Callable[[], Found | None]) -> Found:
    until = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < until:
        if (found := look()) is not None:
            return found
        time.sleep(0.25)
    raise AssertionError(f"did not happen within {TIMEOUT_SECONDS} s")


def people(count: int) -> Records:
    """`count` people, every second one twice, the second time with a typing error and another phone number."""
    chance = random.Random(7)  # noqa: S311 - a table, not a secret
    first, last = ("anna", "bertil", "carla", "dmitri", "elena", "farid"), ("moss", "nyberg", "okafor", "petrov", "quist")
    rows: list[dict[str, str | None]] = []
    truth = {}
    for person in range(count):
        name = f"{chance.choice(first)} {chance.choice(last)}"
        street = f"{person + 3} {chance.choice(('elm', 'oak', 'lake', 'mill'))} street"
        for again in range(1 + person % 2):
            key = f"p{person}-{again}"
            spelled = name[:3] + name[4:] if again else name
            rows.append({"pk": key, "name": spelled, "street": street, "phone": str(chance.randrange(10**6))})
            truth[key] = str(person)
    return Records(("pk", "name", "street", "phone"), rows, "pk", truth)


class EventLog:
    """Everything that went out on the bus so far, each event once."""

    def __init__(self, listener: EventListener) -> None:
        self._listener = listener
        self._events: list[Mapping[str, Any]] = []

    def types_of(self, run_id: str) -> list[str]:
        """The detail-types of the run's events, in the order in which they happened."""
        return [event["detail-type"] for event in self._so_far() if event["detail"]["data"]["id"] == run_id]

    def with_run_fields(self, **data: object) -> list[Mapping[str, Any]]:
        """The events whose task run has these values."""
        return [event for event in self._so_far() if data.items() <= event["detail"]["data"].items()]

    def _so_far(self) -> Sequence[Mapping[str, Any]]:
        # What others put on the bus in our name is no event of ours.
        self._events.extend(event for event in self._listener.receive() if "metadata" in event["detail"])
        return sorted(unique_events(self._events), key=lambda event: str(event["detail"]["metadata"]["occurredAt"]))


def run_with_status(api: ApiClient, run_id: str, status: str) -> Mapping[str, Any] | None:
    answer = api.get_task_run(run_id)
    assert answer.status == 200, answer
    assert answer.body["status"] == status or answer.body["status"] not in FINAL_STATUSES, answer.body
    return answer.body if answer.body["status"] == status else None


def assert_problem(answer: Response, status: int) -> None:
    assert answer.status == status, answer
    assert answer.headers["content-type"].startswith("application/problem+json"), answer
    assert answer.body["title"]
