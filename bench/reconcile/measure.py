"""A round of the reconciler, each in a fresh process against bench.reconcile.aws in another."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

SIZES = (1_000, 10_000, 100_000)
PER_TRANSFORM = 10
PEER_AT = 10_000
SECONDS_A_CALL = 0.01
_PATIENCE = 900  # seconds a measurement may take


@dataclass(frozen=True, slots=True)
class Row:
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


def measure(sizes: Sequence[int] = SIZES, peer_at: int | None = PEER_AT) -> list[Row]:
    """One row a size; with `peer_at`, ours at that size if all those runs are one transform's, and the peer's."""
    rows = [_measured("ours", size, size // PER_TRANSFORM) for size in sizes]
    if peer_at:
        rows += [_measured("ours", peer_at, 1), _measured("polling", peer_at, peer_at // PER_TRANSFORM)]
    return rows


def _measured(who: str, runs: int, transforms: int) -> Row:
    with _aws(runs, transforms) as url:
        command = [sys.executable, "-m", f"bench.reconcile.{who}"]
        done = subprocess.run(command, env=_environment(url), stdout=subprocess.PIPE, check=True, timeout=_PATIENCE)
        figures = json.loads(done.stdout.splitlines()[-1])
        with urllib.request.urlopen(url) as answer:  # noqa: S310  our own server
            counts: dict[str, int] = json.load(answer)
    if figures["ended"] != transforms:
        raise RuntimeError(f"{who}: {figures['ended']} of {transforms} endings were recorded")
    return Row(who, runs, transforms, calls=sum(counts.values()), pages=counts["Query"], **figures)


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
    command = [sys.executable, "-m", "bench.reconcile.aws", str(runs), str(transforms), str(SECONDS_A_CALL)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": _path()}, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


def _path() -> str:
    return os.pathsep.join(path for path in sys.path if path)
