"""What each process of a local cloud holds in memory, second by second, read from /proc."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, linear_regression

_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
_ENDS = 10  # the first and the last tenth of the samples are the begin and the end


@dataclass(frozen=True)
class Growth:
    """A process over time: MB at the begin, in the middle and at the end, and the slope of a line through all samples."""

    begin: float
    middle: float
    end: float
    mb_a_minute: float


@dataclass
class Memory:
    """Samples the cloud's own process and its children, until it is stopped."""

    host: int
    samples: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    _stop: threading.Event = field(default_factory=threading.Event)

    def sample_until_stopped(self, every_seconds: float = 1.0) -> None:
        while not self._stop.wait(every_seconds):
            now = time.monotonic()
            for pid, name in _family(self.host):
                if kilobytes := _kilobytes(pid):
                    self.samples[name, pid].append((now, kilobytes / 1024))

    def stop(self) -> None:
        self._stop.set()

    def growth(self, begin: float, end: float) -> dict[str, list[Growth]]:
        """By what the processes are, of those that were there all the time from `begin` to `end` (monotonic seconds)."""
        found: dict[str, list[Growth]] = defaultdict(list)
        for (name, _), samples in sorted(self.samples.items()):
            mine = [(at, size) for at, size in samples if begin <= at <= end]
            if len(mine) > 1 and mine[0][0] - begin < 2 + (end - begin) / _ENDS:
                found[name].append(_growth(mine))
        return found


def _growth(samples: Sequence[tuple[float, float]]) -> Growth:
    times, sizes = zip(*samples, strict=True)
    part = max(1, len(sizes) // _ENDS)
    half = len(sizes) // 2
    ends = fmean(sizes[:part]), fmean(sizes[half : half + part]), fmean(sizes[-part:])
    return Growth(*ends, mb_a_minute=linear_regression(times, sizes).slope * 60)


def _family(host: int) -> Iterator[tuple[int, str]]:
    yield host, "local cloud"
    for children in Path(f"/proc/{host}/task").glob("*/children"):
        for pid in map(int, _read(children).split()):
            yield pid, _name(pid)


def _name(pid: int) -> str:
    """The function that a worker of MiniStack's runs: its folder is named ministack-lambda-<stack>-<function>-<random>."""
    words = _read(Path(f"/proc/{pid}/cmdline")).split("\0")
    folder = next((Path(word).parent.name for word in words if "ministack-lambda-" in word), "")
    return next((f"function {name}" for name in ("Api", "Bus", "Schedule", "Announce") if f"-{name}" in folder), "other")


def _kilobytes(pid: int) -> int:
    words = _read(Path(f"/proc/{pid}/statm")).split()
    return int(words[1]) * _PAGE_KB if words else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""
