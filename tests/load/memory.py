"""Resident memory of the local cloud's processes over time, sampled from /proc."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, linear_regression

_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
_PARTS = 10  # `begin` and `end` are means of the first and the last tenth of the samples


@dataclass(frozen=True)
class Growth:
    """A process's memory in MB at the begin, middle and end; `mb_per_minute` is the slope of a line fitted to all samples."""

    begin: float
    middle: float
    end: float
    mb_per_minute: float


@dataclass
class Memory:
    """Samples the process `pid` and its children until stopped. `samples`: (monotonic seconds, MB) by (name, process id)."""

    pid: int
    samples: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    _stop: threading.Event = field(default_factory=threading.Event)

    def sample_until_stopped(self, interval_seconds: float = 1.0) -> None:
        while not self._stop.wait(interval_seconds):
            now = time.monotonic()
            for pid, name in _process_tree(self.pid):
                if kilobytes := _kilobytes(pid):
                    self.samples[name, pid].append((now, kilobytes / 1024))

    def stop(self) -> None:
        self._stop.set()

    def growth(self, begin: float, end: float) -> dict[str, list[Growth]]:
        """By process name, of the processes that ran from `begin` to `end` (monotonic seconds)."""
        growth: dict[str, list[Growth]] = defaultdict(list)
        for (name, _), samples in sorted(self.samples.items()):
            in_time = [(at, size) for at, size in samples if begin <= at <= end]
            if len(in_time) > 1 and in_time[0][0] - begin < 2 + (end - begin) / _PARTS:
                growth[name].append(_growth(in_time))
        return growth


def _growth(samples: Sequence[tuple[float, float]]) -> Growth:
    times, sizes = zip(*samples, strict=True)
    part = max(1, len(sizes) // _PARTS)
    half = len(sizes) // 2
    ends = fmean(sizes[:part]), fmean(sizes[half : half + part]), fmean(sizes[-part:])
    return Growth(*ends, mb_per_minute=linear_regression(times, sizes).slope * 60)


def _process_tree(root: int) -> Iterator[tuple[int, str]]:
    yield root, "local cloud"
    for children in Path(f"/proc/{root}/task").glob("*/children"):
        for pid in map(int, _read(children).split()):
            yield pid, _name(pid)


def _name(pid: int) -> str:
    """The function that a MiniStack worker runs; its folder is named ministack-lambda-<stack>-<function>-<random>."""
    arguments = _read(Path(f"/proc/{pid}/cmdline")).split("\0")
    folder = next((Path(argument).parent.name for argument in arguments if "ministack-lambda-" in argument), "")
    return next((f"function {name}" for name in ("Api", "Bus", "Schedule", "Announce") if f"-{name}" in folder), "other")


def _kilobytes(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE_KB if fields else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended
        return ""
