"""Callers of the REST API: each starts a run, sends the same request again, and looks at it, over and over."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from uuid import uuid4

from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from label_loop.api import Answer, Api
from local.cloud.process import ACCESS_KEY, REGION, SECRET_KEY
from local.cloud.stack import Stack

PATIENCE_SECONDS = 120
WHATS = ("start", "again", "look")
_SERVER_ERROR = 500
_SHOWN = 10


@dataclass
class Seen:
    """What the callers saw of answers to requests that were sent from `begin` to `end` (monotonic seconds).

    Appended to from all of them. `warm_up` counts the answers before that, by status; `accepted` and `faults` are of all.
    """

    begin: float = inf
    end: float = inf
    seconds: dict[str, list[float]] = field(default_factory=lambda: {what: [] for what in WHATS})
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: {what: Counter() for what in WHATS})
    warm_up: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, began: float, answer: Answer) -> None:
        with self._lock:
            if began < self.begin:
                self.warm_up[answer.status] += 1
            else:
                self.seconds[what].append(time.monotonic() - began)
                self.statuses[what][answer.status] += 1
            if answer.status == 202:
                self.accepted.add(answer.body["id"])
            if answer.status >= _SERVER_ERROR and len(self.faults) < _SHOWN:
                self.faults.append(f"{what}: {answer.status} after {time.monotonic() - began:.1f} s: {answer.body}"[:300])

    @property
    def server_errors(self) -> int:
        counts = (self.warm_up, *self.statuses.values())
        return sum(times for one in counts for status, times in one.items() if status >= _SERVER_ERROR)


def call(stack: Stack, transform: str, seen: Seen, is_warm: threading.Event) -> None:
    """One caller, until `seen.end`; `is_warm` is set after its first round. It repeats no request because of its answer."""
    patient = URLLib3Session(timeout=PATIENCE_SECONDS)
    api = Api(stack.api_url, REGION, Credentials(ACCESS_KEY, SECRET_KEY), patient)
    while time.monotonic() < seen.end:
        key, run_id = uuid4().hex, None
        for what in ("start", "again"):
            began = time.monotonic()
            answer = api.start_labeling_set_run(key, transform, f"s3://{stack.bucket}/sets/")
            seen.note(what, began, answer)
            run_id = answer.body["id"] if answer.status == 202 else run_id
        if run_id is not None:
            began = time.monotonic()
            seen.note("look", began, api.task_run(run_id))
        is_warm.set()
