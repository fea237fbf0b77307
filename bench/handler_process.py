"""Runs a package's handler as Lambda does, against stubbed AWS, in a process whose instructions can be counted."""

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
from bench.rows import NotMeasurable

EVENT = ROOT / "events" / "api-start-labeling-set.json"
DRIVER = ("bench/driver.py",)
_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class StubProcess:
    """A running bench/stub_aws.py."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def calls(self) -> list[str]:
        with urllib.request.urlopen(f"{self.endpoint}/calls", timeout=10) as response:  # noqa: S310  our own http address
            operations: list[str] = json.load(response)
        return operations


@contextmanager
def stub_aws_process() -> Iterator[StubProcess]:
    command = [sys.executable, "-m", "bench.stub_aws"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield StubProcess(int(server.stdout.readline()))
        finally:
            server.terminate()


def environment(aws: StubProcess, build: Build | None = None) -> dict[str, str]:
    """The environment variables of Lambda, of our functions and of the peers."""
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
    build: Build, aws: StubProcess, starts: int, replays: int = 0, *, under: Sequence[str] = (), program: Sequence[str] = DRIVER
) -> dict[str, Any]:
    """Start, then replay, and return what the driver measured; `under` is a command to run Python with."""
    return run_program(build, aws, (*program, build.handler, str(starts), str(replays), str(EVENT)), under=under)


def run_program(build: Build, aws: StubProcess, program: Sequence[str], *, under: Sequence[str] = ()) -> dict[str, Any]:
    """What `program`, a file and its arguments, prints as JSON in the functions' Python, on the package of `build`."""
    process = subprocess.run(
        [*under, str(python313()), *program],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",  # has no ~/.aws
            "PYTHONPATH": str(build.folder),
            "PYTHONHASHSEED": "0",  # the same work each time
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task cannot be written to
            "LAMBDA_TASK_ROOT": "/var/task",
            **environment(aws, build),
        },
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if process.returncode:
        raise RuntimeError(f"{build.name}: {process.stdout[-1000:]}{process.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return figures


def instructions(build: Build, starts: int, replays: int = 0, *, after: int = 0) -> int:
    """Instructions of the whole process, counted by cachegrind. Raises NotMeasurable.

    Before it, another process makes `after` starts with the same keys: the first of `starts` are then replays of them.
    """
    with stub_aws_process() as aws, _cachegrind() as (under, result):
        if after:
            run(build, aws, after)
        run(build, aws, starts, replays, under=under)
        return _read_total(result)


def instructions_of_interpreter() -> int:
    """Instructions of Python itself, without a handler. Raises NotMeasurable."""
    with _cachegrind() as (under, result):
        settings = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [*under, str(python313()), "-c", "import os; os._exit(0)"]
        subprocess.run(command, env=settings, check=True, capture_output=True)
        return _read_total(result)


@contextmanager
def _cachegrind() -> Iterator[tuple[list[str], Path]]:
    if shutil.which("valgrind") is None:
        raise NotMeasurable("no valgrind")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "counts"
        yield ["valgrind", "--quiet", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={result}"], result


def _read_total(result: Path) -> int:
    (total,) = re.findall(r"^summary: (\d+)", result.read_text(), flags=re.MULTILINE)
    return int(total)
