"""Callers of the REST API: each repeatedly starts a run, sends the same request again, and reads the run."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from uuid import uuid4

from botocore.credentials import Credentials

from label_loop.api import ApiClient, Response
from local.cloud.process import ACCESS_KEY, REGION, SECRET_KEY
from local.cloud.stack import Stack

TIMEOUT_SECONDS = 120
REQUESTS = ("start", "replay", "read")
_MIN_SERVER_ERROR = 500
_MAX_SHOWN_ERRORS = 10


@dataclass
class Measurements:
    """Response times and status codes of requests sent from `begin` to `end` (monotonic seconds), from all callers' threads.

    `warm_up` counts earlier responses by status code; `accepted` (run ids) and `errors` are of all requests.
    """

    begin: float = inf
    end: float = inf
    seconds: dict[str, list[float]] = field(default_factory=lambda: {request: [] for request in REQUESTS})
    status_codes: dict[str, Counter[int]] = field(default_factory=lambda: {request: Counter() for request in REQUESTS})
    warm_up: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, request: str, began: float, answer: Response) -> None:
        with self._lock:
            if began < self.begin:
                self.warm_up[answer.status] += 1
            else:
                self.seconds[request].append(time.monotonic() - began)
                self.status_codes[request][answer.status] += 1
            if answer.status == 202:
                self.accepted.add(answer.body["id"])
            if answer.status >= _MIN_SERVER_ERROR and len(self.errors) < _MAX_SHOWN_ERRORS:
                self.errors.append(f"{request}: {answer.status} after {time.monotonic() - began:.1f} s: {answer.body}"[:300])

    @property
    def server_errors(self) -> int:
        counts = (self.warm_up, *self.status_codes.values())
        return sum(times for by_status in counts for status, times in by_status.items() if status >= _MIN_SERVER_ERROR)


def call(stack: Stack, transform: str, measurements: Measurements, is_warm: threading.Event) -> None:
    """One caller, until `measurements.end`. Sets `is_warm` after its first round. Never retries because of a response."""
    api = ApiClient(stack.api_url, REGION, Credentials(ACCESS_KEY, SECRET_KEY), TIMEOUT_SECONDS)
    while time.monotonic() < measurements.end:
        key, run_id = uuid4().hex, None
        for request in ("start", "replay"):
            began = time.monotonic()
            answer = api.start_labeling_set_run(key, transform, f"s3://{stack.bucket}/sets/")
            measurements.record(request, began, answer)
            run_id = answer.body["id"] if answer.status == 202 else run_id
        if run_id is not None:
            began = time.monotonic()
            measurements.record("read", began, api.get_task_run(run_id))
        is_warm.set()
