"""CPU, time and memory of the process that reconciles."""

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path


def report(reconcile: Callable[[], int]) -> None:
    """Call `reconcile`, which returns how many runs ended, and print its cost as JSON in the last line."""
    wall, cpu = time.perf_counter(), _cpu_seconds()
    ended = reconcile()
    wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
    print("\n" + json.dumps({"ended": ended, "cpu_seconds": cpu, "wall_seconds": wall, "peak_mb": _peak_mb()}))


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_mb() -> float:
    """The largest resident set so far. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html"""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 / 1e6
