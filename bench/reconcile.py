"""What a round of the reconciler costs at 1,000, 10,000 and 100,000 open runs: `python -m bench.reconcile`.

Ten runs a transform, one of which has finished in Glue. The peer, `polling`, is the textbook: one GetMLTaskRun for each open
run, an update and an event for each that ended, over as many threads. "Work" is a transform, or a run that ended. Each round is
a fresh process's, against bench.rounds.aws in another, where every call takes 10 ms.
"""

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.rows import Row

SIZES = (1_000, 10_000, 100_000)
PER_TRANSFORM = 10
PEER_AT = 10_000
SECONDS_A_CALL = 0.01
_PATIENCE = 900  # seconds a measurement may take


@dataclass(frozen=True, slots=True)
class Round:
    """One measured round. Seconds are those of the process that does the round, its imports left out; `peak_mb` is its largest
    resident set, imports and all, in 10^6 bytes.
    """

    who: str
    open_runs: int
    transforms: int
    ended: int
    calls: int
    pages: int
    cpu_seconds: float
    wall_seconds: float
    peak_mb: float

    @property
    def calls_of_work(self) -> float:
        """AWS calls for each transform and each run that ended: constant, if the cost is linear in them."""
        return self.calls / (self.transforms + self.ended)

    @property
    def cpu_milliseconds_of_work(self) -> float:
        return 1000 * self.cpu_seconds / (self.transforms + self.ended)


def rounds(sizes: Sequence[int] = SIZES, peer_at: int | None = PEER_AT) -> list[Round]:
    """One a size; with `peer_at`, ours at that size if all those runs are one transform's, and the peer's."""
    done = [_measured("ours", size, size // PER_TRANSFORM) for size in sizes]
    if peer_at:
        done += [_measured("ours", peer_at, 1), _measured("polling", peer_at, peer_at // PER_TRANSFORM)]
    return done


def _measured(who: str, runs: int, transforms: int) -> Round:
    with _aws(runs, transforms) as url:
        command = [sys.executable, "-m", f"bench.rounds.{who}"]
        done = subprocess.run(command, env=_environment(url), stdout=subprocess.PIPE, check=True, timeout=_PATIENCE)
        figures = json.loads(done.stdout.splitlines()[-1])
        with urllib.request.urlopen(url) as answer:  # noqa: S310  our own server
            counts: dict[str, int] = json.load(answer)
    if figures["ended"] != transforms:
        raise RuntimeError(f"{who}: {figures['ended']} of {transforms} endings were recorded")
    return Round(who, runs, transforms, calls=sum(counts.values()), pages=counts["Query"], **figures)


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
def _aws(runs: int, transforms: int) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.rounds.aws", str(runs), str(transforms), str(SECONDS_A_CALL)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": _path()}, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def _path() -> str:
    return os.pathsep.join(path for path in sys.path if path)


# --- for people


def measure() -> list[Row]:
    """What the table of all measurements tells of a round."""
    small, middle, large, single, polling = rounds()
    linear = f"{large.open_runs:,} open runs rather than {small.open_runs:,}"
    return [
        Row(
            f"a round over {middle.open_runs:,} open runs on {middle.transforms:,} transforms, AWS calls",
            goal=2002,
            best="2,002",
            ours=middle.calls,
            peers={"textbook": polling.calls},
            digits=0,
        ),
        Row(
            "the same, CPU",
            ours=middle.cpu_seconds,
            peers={"textbook": polling.cpu_seconds},
            unit=" s",
            digits=1,
        ),
        Row("the same runs on one transform, AWS calls", ours=single.calls, digits=0),
        Row(
            f"a round over {large.open_runs:,} open runs, largest memory",
            goal=100,
            best="97 MB",
            ours=large.peak_mb,
            unit=" MB",
            digits=0,
        ),
        Row(f"{linear}: AWS calls a transform and completion", goal=1, ours=large.calls_of_work / small.calls_of_work),
        Row(
            f"{large.open_runs:,} open runs rather than {middle.open_runs:,}: CPU a transform and completion",
            ours=large.cpu_milliseconds_of_work / middle.cpu_milliseconds_of_work,
        ),
    ]


def table(measured: Sequence[Round]) -> str:
    """The rounds as Markdown."""
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
            row.who,
            f"{row.open_runs:,}",
            f"{row.transforms:,}",
            f"{row.calls:,}",
            str(row.pages),
            f"{row.calls_of_work:.3f}",
            f"{row.cpu_seconds:.1f}",
            f"{row.cpu_milliseconds_of_work:.2f}",
            f"{row.wall_seconds:.1f}",
            f"{row.peak_mb:.0f}",
        ]
        for row in measured
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a round of the reconciler costs")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="how many open runs (1000 10000 100000)")
    parser.add_argument("--no-peer", action="store_true", help="leave out the peer and the case of a single transform")
    asked = parser.parse_args()
    print(table(rounds(asked.sizes, None if asked.no_peer else PEER_AT)))


if __name__ == "__main__":
    main()
