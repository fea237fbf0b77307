"""`make load`: many callers at once for a minute against the deployed REST API of a local cloud of its own.

Each caller starts a run, sends the same request again, and looks at it, over and over. Exit code 0 only if no answer was a 5xx,
nothing was started twice, and the cloud's memory ended where it had settled.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from local.process import ACCESS_KEY, REGION, SECRET_KEY
from local.rest import Answer, Api
from tests.chaos.cloud import Ground, chaos_cloud
from tests.chaos.crowd import Crowd, paths

MOST_GROWTH = 1.25  # of the memory, from the first quarter of the time to the last
SECONDS_APART = 0.8  # of the callers' first requests


@dataclass
class Seen:
    """What the callers saw; appended to from all of them."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"start": [], "again": [], "look": []})
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, began: float, answer: Answer, *, measured: bool) -> None:
        with self.lock:
            if measured:
                self.seconds[what].append(time.monotonic() - began)
            self.statuses[answer.status] += 1
            if what == "start" and answer.status == 202:
                self.accepted.add(answer.body["id"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as folder, chaos_cloud(Path(folder) / "cloud") as ground:
        crowds = [Crowd(ground, ground.transform(f"load-{number}")) for number in range(asked.callers)]
        seen, memory = Seen(), []
        # The callers come one by one, until the functions have as many warm processes as there are callers.
        began = time.monotonic() + asked.callers * SECONDS_APART
        until = began + asked.seconds
        callers = [threading.Thread(target=_call, args=(ground, one.transform, seen, began, until)) for one in crowds]
        for caller in callers:
            caller.start()
            time.sleep(SECONDS_APART)
        while time.monotonic() < until:
            memory.append(_megabytes(ground))
            time.sleep(1)
        for caller in callers:
            caller.join()
        started = [path for crowd in crowds for path in paths(crowd.glue_runs())]
        return _told(seen, started, memory, asked.callers, asked.seconds)


def _call(ground: Ground, transform: str, seen: Seen, measured_from: float, until: float) -> None:
    patient = URLLib3Session(timeout=120)
    api = Api(ground.stack.api_url, REGION, Credentials(ACCESS_KEY, SECRET_KEY), patient)
    while time.monotonic() < until:
        key, run_id = uuid4().hex, None
        for what in ("start", "again"):
            began = time.monotonic()
            answer = api.start_labeling_set_run(key, transform, ground.s3_path("sets/"))
            seen.note(what, began, answer, measured=began > measured_from)
            run_id = answer.body["id"] if answer.status == 202 else run_id
        if run_id is not None:
            began = time.monotonic()
            seen.note("look", began, api.task_run(run_id), measured=began > measured_from)


def _told(seen: Seen, started: Sequence[str], memory: Sequence[float], callers: int, seconds: float) -> int:
    twice = len(started) - len(set(started))
    faults = sum(times for status, times in seen.statuses.items() if status >= 500)
    quarter = max(1, len(memory) // 4)
    before, after = (sum(part) / len(part) for part in (memory[:quarter], memory[-quarter:]))
    requests = sum(map(len, seen.seconds.values()))
    print(f"{callers} callers for {seconds:.0f} s: {requests} requests, {requests / seconds:.0f} a second")
    print(f"{'':10}{'requests':>10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}")
    for what, taken in seen.seconds.items():
        ordered = sorted(taken) or [0.0]
        shown = [ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99)] + [ordered[-1] * 1000]
        print(f"{what:10}{len(taken):>10}" + "".join(f"{one:>10.0f}" for one in shown))
    print(f"statuses   {json.dumps(dict(sorted(seen.statuses.items())))}")
    print(f"runs       {len(seen.accepted)} accepted, {len(started)} in Glue, {twice} twice, {faults} answers of 5xx")
    print(f"memory     {before:.0f} MB in the first quarter, {after:.0f} MB in the last")
    flat = after <= before * MOST_GROWTH
    return 0 if seen.accepted and not faults and not twice and flat else 1


def _megabytes(ground: Ground) -> float:
    """What the functions' processes hold: the service's memory, not that of the cloud that remembers every run."""
    host = subprocess.run(["pgrep", "-f", str(ground.log.parent / "glue")], capture_output=True, text=True, check=False)
    parents = ",".join(host.stdout.split())
    shown = subprocess.run(["ps", "-o", "rss=", "--ppid", parents], capture_output=True, text=True, check=False)
    return sum(map(int, shown.stdout.split())) / 1024


if __name__ == "__main__":
    sys.exit(main())
