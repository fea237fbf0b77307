"""`make load`: 50 callers at once, for a minute, of the REST API in a local cloud.

The whole service runs, with its schedule (every 2 s) and stream. The exit code is 0 only if no response was a 5xx, nothing was
started twice, every accepted run succeeded, and no function's process grew.
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

from tests.chaos.cloud import ChaosCloud, chaos_cloud
from tests.chaos.transform_driver import TransformDriver, paths
from tests.load.callers import TIMEOUT_SECONDS, Measurements, call
from tests.load.memory import Growth, Memory

SETTLING_SECONDS = 5  # after the last cold start
FINISH_SECONDS = 120
MAX_GROWTH = 0.05  # of a function's memory while the callers run


@dataclass(frozen=True)
class Result:
    """`started`: the path of each task run in Glue. `unfinished`: accepted runs that did not succeed, by status. `growth`: by
    process name. `load`: the machine's load average before and after.
    """

    callers: int
    seconds: float
    measurements: Measurements
    started: Sequence[str]
    unfinished: Mapping[str, int]
    growth: Mapping[str, Sequence[Growth]]
    load: tuple[float, float]

    @property
    def started_twice(self) -> int:
        return len(self.started) - len(set(self.started))

    @property
    def is_flat(self) -> bool:
        functions = [growths for name, growths in self.growth.items() if name.startswith("function")]
        means = [(fmean(growth.begin for growth in growths), fmean(growth.end for growth in growths)) for growths in functions]
        return all(end <= begin * (1 + MAX_GROWTH) for begin, end in means)

    @property
    def passed(self) -> bool:
        return (
            bool(self.measurements.accepted)
            and not (self.measurements.server_errors or self.started_twice or self.unfinished)
            and self.is_flat
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="load-") as folder,
        chaos_cloud(Path(folder) / "cloud", with_triggers=True) as cloud,
    ):
        result = measure(cloud, args.callers, args.seconds)
    print_result(result)
    return 0 if result.passed else 1


def measure(cloud: ChaosCloud, callers: int, seconds: float) -> Result:
    drivers = [TransformDriver(cloud, cloud.transform(f"load-{number}")) for number in range(callers)]
    memory, before = Memory(cloud.pid), os.getloadavg()[0]
    measurements = Measurements()
    threading.Thread(target=memory.sample_until_stopped, daemon=True).start()
    threads = list(_start_callers(cloud, drivers, measurements))
    time.sleep(SETTLING_SECONDS)
    measurements.begin = time.monotonic()
    measurements.end = measurements.begin + seconds
    for thread in threads:
        thread.join()
    load = before, os.getloadavg()[0]
    memory.stop()
    unfinished = _wait_until_done(drivers)
    started = [path for driver in drivers for path in paths(driver.glue_runs())]
    return Result(
        callers, seconds, measurements, started, unfinished, memory.growth(measurements.begin, measurements.end), load
    )


def _start_callers(
    cloud: ChaosCloud, drivers: Sequence[TransformDriver], measurements: Measurements
) -> Iterator[threading.Thread]:
    """Start each caller after the one before has its first responses: no two functions start cold at the same time."""
    for driver in drivers:
        is_warm = threading.Event()
        thread = threading.Thread(target=call, args=(cloud.stack, driver.transform, measurements, is_warm), daemon=True)
        thread.start()
        is_warm.wait(TIMEOUT_SECONDS)
        yield thread


def _wait_until_done(drivers: Sequence[TransformDriver]) -> dict[str, int]:
    until = time.monotonic() + FINISH_SECONDS
    while True:
        statuses = Counter(item["status"] for driver in drivers for item in driver.items())
        unfinished = {status: times for status, times in statuses.items() if status != "SUCCEEDED"}
        if not unfinished or time.monotonic() > until:
            return unfinished
        time.sleep(2)


def print_result(result: Result) -> None:
    measurements = result.measurements
    requests = sum(map(len, measurements.seconds.values()))
    print(f"{result.callers} callers for {result.seconds:.0f} s: {requests} requests, {requests / result.seconds:.0f} a second")
    print(f"machine     {os.cpu_count()} cores, load average {result.load[0]:.1f} before, {result.load[1]:.1f} after")
    warm_up = dict(sorted(measurements.warm_up.items()))
    print(f"warm-up     {sum(warm_up.values())} requests, the callers one by one, in no time below: {warm_up}")
    print(f"{'':10}{'requests':>10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}   responses by status code")
    for request, seconds in measurements.seconds.items():
        ordered = sorted(seconds) or [0.0]
        milliseconds = [ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99)] + [ordered[-1] * 1000]
        figures = "".join(f"{figure:>10.0f}" for figure in milliseconds)
        print(f"{request:10}{len(seconds):>10}{figures}   {dict(measurements.status_codes[request])}")
    print(f"{'MB':20}{'processes':>10}{'begin':>10}{'middle':>10}{'end':>10}{'per min':>10}{'max':>10}")
    for name, growths in result.growth.items():
        means = [fmean(getattr(growth, part) for growth in growths) for part in ("begin", "middle", "end", "mb_per_minute")]
        steepest = max(growth.mb_per_minute for growth in growths)
        print(f"{name:20}{len(growths):>10}" + "".join(f"{figure:>10.1f}" for figure in (*means, steepest)))
    print(f"runs        {len(measurements.accepted)} accepted, {len(result.started)} in Glue, {result.started_twice} twice")
    print(f"unfinished  {dict(result.unfinished)} of the accepted, after at most {FINISH_SECONDS} s")
    print(f"5xx         {measurements.server_errors}" + "".join(f"\n            {error}" for error in measurements.errors))
    print("passed" if result.passed else "FAILED")


if __name__ == "__main__":
    sys.exit(main())
