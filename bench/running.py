"""Running a package's handler as Lambda would, against canned answers, in a process that can be counted."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.builds import ROOT, Build, python313
from bench.rows import NotHere

EVENT = ROOT / "events" / "api-start-labeling-set.json"
DRIVER = ("bench/driver.py",)
_PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Aws:
    """Canned AWS on this machine: see bench/stub_aws.py."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def calls(self) -> list[str]:
        with urllib.request.urlopen(f"{self.endpoint}/calls", timeout=10) as answer:  # noqa: S310  our own http address
            found: list[str] = json.load(answer)
        return found


@contextmanager
def canned_aws() -> Iterator[Aws]:
    command = [sys.executable, "-m", "bench.stub_aws"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield Aws(int(server.stdout.readline()))
        finally:
            server.terminate()


def environment(aws: Aws, build: Build | None = None) -> dict[str, str]:
    """What the functions find in Lambda, and what ours and the peers read."""
    return dict(build.settings if build else ()) | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "LEDGER_TABLE": "ledger",
        "IDEMPOTENCY_TABLE": "idempotency",
        "EVENT_BUS_NAME": "bus",
        "ALLOWED_S3_PREFIXES": "s3://label-loop-data/",
        "POWERTOOLS_SERVICE_NAME": "measured",
        "POWERTOOLS_METRICS_NAMESPACE": "Measured",
    }


def run(
    build: Build, aws: Aws, starts: int, replays: int = 0, *, under: Sequence[str] = (), program: Sequence[str] = DRIVER
) -> dict[str, Any]:
    """Start, then replay, and return what the driver measured; `under` is a command to run Python with."""
    return run_program(build, aws, (*program, build.handler, str(starts), str(replays), str(EVENT)), under=under)


def run_program(build: Build, aws: Aws, program: Sequence[str], *, under: Sequence[str] = ()) -> dict[str, Any]:
    """What `program`, a file and its arguments, prints as JSON in the functions' Python, on the package of `build`."""
    process = subprocess.run(
        [*under, str(python313()), *program],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",  # no ~/.aws
            "PYTHONPATH": str(build.folder),
            "PYTHONHASHSEED": "0",  # the same work each time
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task cannot be written to
            "LAMBDA_TASK_ROOT": "/var/task",
            **environment(aws, build),
        },
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if process.returncode:
        raise RuntimeError(f"{build.name}: {process.stdout[-1000:]}{process.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return figures


def instructions(build: Build, starts: int, replays: int = 0, *, after: int = 0) -> int:
    """Instructions of the whole process, counted by cachegrind; `after` another has made so many starts. Raises NotHere.

    The first of `starts` are the same ones, and so are replays of what that one started.
    """
    with canned_aws() as aws, _counted() as (under, result):
        if after:
            run(build, aws, after)
        run(build, aws, starts, replays, under=under)
        return _read(result)


def instructions_of_interpreter() -> int:
    """What Python costs before anything of ours is read. Raises NotHere."""
    with _counted() as (under, result):
        settings = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([*under, str(python313()), "-c", "pass"], env=settings, check=True, capture_output=True)
        return _read(result)


@contextmanager
def _counted() -> Iterator[tuple[list[str], Path]]:
    if shutil.which("valgrind") is None:
        raise NotHere("no valgrind")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "counts"
        yield ["valgrind", "--quiet", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={result}"], result


def _read(result: Path) -> int:
    (total,) = re.findall(r"^summary: (\d+)", result.read_text(), flags=re.MULTILINE)
    return int(total)
