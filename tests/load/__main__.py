"""`make load`: many callers at once for a minute against the deployed REST API of a local cloud of its own.

The whole service runs, its clock (every 2 s) and its stream too. Exit code 0 only if no answer was a 5xx, before the minute or
in it; nothing was started twice; all that was accepted got done; and no function's process grew.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from tests.chaos.cloud import Ground, chaos_cloud
from tests.chaos.crowd import Crowd, paths
from tests.load.callers import PATIENCE_SECONDS, Seen, call
from tests.load.memory import Growth, Memory

SETTLING_SECONDS = 5  # after the last cold start
SECONDS_TO_FINISH = 120
MOST_GROWTH = 0.05  # of a function's process in the minute


@dataclass(frozen=True)
class Result:
    callers: int
    seconds: float
    seen: Seen
    started: Sequence[str]  # the path of each task run in Glue
    unfinished: Mapping[str, int]  # accepted runs by status, of those that are not done in the end
    growth: Mapping[str, Sequence[Growth]]
    load: tuple[float, float]  # the machine's load average before and after

    @property
    def twice(self) -> int:
        return len(self.started) - len(set(self.started))

    @property
    def is_flat(self) -> bool:
        functions = [growths for name, growths in self.growth.items() if name.startswith("function")]
        means = [(fmean(one.begin for one in growths), fmean(one.end for one in growths)) for growths in functions]
        return all(end <= begin * (1 + MOST_GROWTH) for begin, end in means)

    @property
    def is_good(self) -> bool:
        return bool(self.seen.accepted) and not (self.seen.server_errors or self.twice or self.unfinished) and self.is_flat


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as folder, chaos_cloud(Path(folder) / "cloud", by_itself=True) as ground:
        result = measure(ground, asked.callers, asked.seconds)
    tell(result)
    return 0 if result.is_good else 1


def measure(ground: Ground, callers: int, seconds: float) -> Result:
    crowds = [Crowd(ground, ground.transform(f"load-{number}")) for number in range(callers)]
    memory, before = Memory(ground.host), os.getloadavg()[0]
    seen = Seen()
    threading.Thread(target=memory.sample_until_stopped, daemon=True).start()
    threads = list(_one_by_one(ground, crowds, seen))
    time.sleep(SETTLING_SECONDS)
    seen.begin = time.monotonic()
    seen.end = seen.begin + seconds
    for thread in threads:
        thread.join()
    load = before, os.getloadavg()[0]
    memory.stop()
    unfinished = _wait_until_done(crowds)
    started = [path for crowd in crowds for path in paths(crowd.glue_runs())]
    return Result(callers, seconds, seen, started, unfinished, memory.growth(seen.begin, seen.end), load)


def _one_by_one(ground: Ground, crowds: Sequence[Crowd], seen: Seen) -> Iterator[threading.Thread]:
    """Let the callers come, each once the one before it has been answered: no two functions start cold at the same time."""
    for crowd in crowds:
        is_warm = threading.Event()
        thread = threading.Thread(target=call, args=(ground.stack, crowd.transform, seen, is_warm), daemon=True)
        thread.start()
        is_warm.wait(PATIENCE_SECONDS)
        yield thread


def _wait_until_done(crowds: Sequence[Crowd]) -> dict[str, int]:
    until = time.monotonic() + SECONDS_TO_FINISH
    while True:
        statuses = Counter(item["status"] for crowd in crowds for item in crowd.items())
        unfinished = {status: times for status, times in statuses.items() if status != "SUCCEEDED"}
        if not unfinished or time.monotonic() > until:
            return unfinished
        time.sleep(2)


def tell(result: Result) -> None:
    seen = result.seen
    requests = sum(map(len, seen.seconds.values()))
    print(f"{result.callers} callers for {result.seconds:.0f} s: {requests} requests, {requests / result.seconds:.0f} a second")
    print(f"machine    {os.cpu_count()} cores, load average {result.load[0]:.1f} before, {result.load[1]:.1f} after")
    print("before it  the callers came one by one, so that no time below is a cold start's")
    print(f"           {sum(seen.warm_up.values())} answers then: {dict(sorted(seen.warm_up.items()))}")
    print(f"{'':10}{'requests':>10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}   answers by status")
    for what, taken in seen.seconds.items():
        ordered = sorted(taken) or [0.0]
        shown = [ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99)] + [ordered[-1] * 1000]
        print(f"{what:10}{len(taken):>10}" + "".join(f"{one:>10.0f}" for one in shown) + f"   {dict(seen.statuses[what])}")
    print(f"{'MB':20}{'processes':>10}{'begin':>10}{'middle':>10}{'end':>10}{'a minute':>10}{'at most':>10}")
    for name, growths in result.growth.items():
        means = [fmean(getattr(one, part) for one in growths) for part in ("begin", "middle", "end", "mb_a_minute")]
        steepest = max(one.mb_a_minute for one in growths)
        print(f"{name:20}{len(growths):>10}" + "".join(f"{one:>10.1f}" for one in (*means, steepest)))
    print(f"runs       {len(seen.accepted)} accepted, {len(result.started)} in Glue, {result.twice} twice")
    print(f"not done   {dict(result.unfinished)} of the accepted, {SECONDS_TO_FINISH} s later at most")
    print(f"5xx        {seen.server_errors}" + "".join(f"\n           {fault}" for fault in seen.faults))
    print("good" if result.is_good else "NOT GOOD")


if __name__ == "__main__":
    sys.exit(main())
