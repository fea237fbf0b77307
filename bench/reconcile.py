"""`python -m bench.reconcile`: cost of one reconcile at 1,000, 10,000 and 100,000 open runs.

Each transform has ten open runs, one of which has ended in Glue. The peer, `polling_reconcile`, is the textbook: a GetMLTaskRun
per open run, an update and an event per ended run, on as many threads. A unit of work is a transform or an ended run. Each
reconcile runs in a new process, against bench.reconciler.stub_server in another, where every call takes 10 ms.

`python -m bench.reconcile 1000000 --no-peer --parts 16`: the cost of one of the 16 invocations that share a round.
"""

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bench.reconciler.run_data import Data
from bench.rows import Row
from core.rounds import Part

SIZES = (1_000, 10_000, 100_000)
RUNS_PER_TRANSFORM = 10
PEER_SIZE = 10_000
CALL_SECONDS = 0.01
_TIMEOUT_SECONDS = 900  # of one measurement
_OURS, _POLLING = "our_reconcile", "polling_reconcile"

ROWS = (
    Row("reconcile of 10,000 open runs on 1,000 transforms, AWS calls", goal=2017, digits=0),
    Row("the same, CPU", unit=" s", digits=1),
    Row("10,000 open runs on one transform, AWS calls", digits=0),
    Row("reconcile of 100,000 open runs, peak memory", goal=100, unit=" MB", digits=0),
    Row("100,000 open runs vs 1,000: AWS calls per transform and ended run", goal=1),
    Row("100,000 open runs vs 10,000: CPU per transform and ended run"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one reconcile. Seconds are its process's, without imports; `peak_mb` is its largest resident set, with
    imports, in 10^6 bytes. `pages`: pages of the index of open runs.
    """

    program: str
    open_runs: int
    transforms: int
    ended: int
    calls: int
    pages: int
    cpu_seconds: float
    wall_seconds: float
    peak_mb: float

    @property
    def calls_per_work(self) -> float:
        """AWS calls per transform and ended run: constant if the cost is linear."""
        return self.calls / (self.transforms + self.ended)

    @property
    def cpu_milliseconds_per_work(self) -> float:
        return 1000 * self.cpu_seconds / (self.transforms + self.ended)


def costs(sizes: Sequence[int] = SIZES, peer_size: int | None = PEER_SIZE, parts: int = 1) -> list[Cost]:
    """Our cost at each size, of the first of `parts`.

    With `peer_size`, also ours with that many runs on one transform, and the peer's.
    """
    measured = [_measure(_OURS, size, size // RUNS_PER_TRANSFORM, parts) for size in sizes]
    if peer_size:
        measured += [_measure(_OURS, peer_size, 1), _measure(_POLLING, peer_size, peer_size // RUNS_PER_TRANSFORM)]
    return measured


def _measure(program: str, runs: int, transforms: int, parts: int = 1) -> Cost:
    read = len(Data(runs, transforms).transforms_of(Part.of(0, parts).shards))
    with _stub_server(runs, transforms, parts) as url:
        command = [sys.executable, "-m", f"bench.reconciler.{program}", str(parts)]
        process = subprocess.run(command, env=_environment(url), stdout=subprocess.PIPE, check=True, timeout=_TIMEOUT_SECONDS)
        figures = json.loads(process.stdout.splitlines()[-1])
        with urllib.request.urlopen(url) as response:  # noqa: S310  our own server
            counts: dict[str, int] = json.load(response)
    if figures["ended"] != read:
        raise RuntimeError(f"{program}: {figures['ended']} of {read} ended runs were recorded")
    return Cost(program, read * (runs // transforms), read, calls=sum(counts.values()), pages=counts["Query"], **figures)


def _environment(url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": _path(),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "LEDGER_TABLE": "ledger",
        "ALLOWED_S3_PREFIXES": "",
    }


@contextmanager
def _stub_server(runs: int, transforms: int, parts: int) -> Iterator[str]:
    arguments = map(str, (runs, transforms, parts, CALL_SECONDS))
    command = [sys.executable, "-m", "bench.reconciler.stub_server", *arguments]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": _path()}, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def _path() -> str:
    return os.pathsep.join(path for path in sys.path if path)


def measure() -> list[Row]:
    small, middle, large, single, polling = costs()
    calls, cpu, one_transform, peak, linear_calls, linear_cpu = ROWS
    return [
        replace(calls, ours=middle.calls, peers={"textbook": polling.calls}),
        replace(cpu, ours=middle.cpu_seconds, peers={"textbook": polling.cpu_seconds}),
        replace(one_transform, ours=single.calls),
        replace(peak, ours=large.peak_mb),
        replace(linear_calls, ours=large.calls_per_work / small.calls_per_work),
        replace(linear_cpu, ours=large.cpu_milliseconds_per_work / middle.cpu_milliseconds_per_work),
    ]


def table(measured: Sequence[Cost]) -> str:
    """The costs as Markdown."""
    head = [
        "",
        "open runs",
        "transforms",
        "AWS calls",
        "of these pages",
        "calls / work",
        "CPU s",
        "CPU ms / work",
        "wall s",
        "peak MB",
    ]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [
        [
            cost.program,
            f"{cost.open_runs:,}",
            f"{cost.transforms:,}",
            f"{cost.calls:,}",
            str(cost.pages),
            f"{cost.calls_per_work:.3f}",
            f"{cost.cpu_seconds:.1f}",
            f"{cost.cpu_milliseconds_per_work:.2f}",
            f"{cost.wall_seconds:.1f}",
            f"{cost.peak_mb:.0f}",
        ]
        for cost in measured
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of one reconcile")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of open runs (1000 10000 100000)")
    parser.add_argument("--parts", type=int, default=1, help="measure one of this many parts of the open runs (1)")
    parser.add_argument("--no-peer", action="store_true", help="leave out the peer and the single transform")
    args = parser.parse_args()
    print(table(costs(args.sizes, None if args.no_peer else PEER_SIZE, args.parts)))


if __name__ == "__main__":
    main()
