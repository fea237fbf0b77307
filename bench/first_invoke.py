"""`python -m bench.first_invoke`: wall time of the first invoke in Lambda's runtime, beside the peers'.

Each package runs in the functions' base image behind Lambda's runtime interface emulator, which starts the function at the
first invoke. That invoke starts a labeling-set run with stubbed AWS calls. Medians of containers that take turns.
"""

import contextlib
import json
import platform
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.builds import ROOT, Build, builds
from bench.handler_process import EVENT, environment, stub_aws_process
from bench.rows import NotMeasurable, Row, command, interleaved, ratios

ROW = Row("first invoke through the runtime interface emulator, vs bare boto3", goal=1.00, plotted=True)
_ROUNDS, _MORE_ROUNDS = 9, 12  # the latter of ours and bare alone, whose ratio has a goal
_ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
_IMAGE = f"public.ecr.aws/lambda/python:3.13-{_ARCHITECTURE}"


def measure() -> list[Row]:
    emulator = _emulator()
    _check_docker()
    invokes = {build.name: partial(_first_invoke, build, emulator) for build in builds().all}
    seconds = interleaved(_ROUNDS, invokes, _MORE_ROUNDS, ("ours", "bare"))
    ours, bare = seconds.pop("ours"), seconds["bare"]
    return [replace(ROW, label=f"{ROW.label} ({bare:.1f} s)", ours=ours / bare, peers=ratios(seconds, bare))]


def _first_invoke(build: Build, emulator: Path) -> float:
    with stub_aws_process() as aws, _container(build, emulator, environment(aws, build)) as port:
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        began = time.perf_counter()
        with urllib.request.urlopen(url, EVENT.read_bytes(), timeout=60) as response:
            answer = json.load(response)
        seconds = time.perf_counter() - began
        if answer.get("statusCode") != 202:
            raise RuntimeError(f"{build.name} answered {answer}")
        return seconds


@contextmanager
def _container(build: Build, emulator: Path, variables: dict[str, str]) -> Iterator[int]:
    """The port at which the package can be invoked. The function starts at the first invoke."""
    port, name = _free_port(), f"label-loop-bench-{time.time_ns()}"
    command = ["docker", "run", "--rm", "--name", name, "--network", "host", "--entrypoint", "/rie"]
    command += ["-v", f"{build.folder}:/var/task:ro", "-v", f"{emulator}:/rie:ro"]
    for variable, value in variables.items():
        command += ["-e", f"{variable}={value}"]
    command += ["-e", f"_HANDLER={build.handler}", "-e", f"AWS_LAMBDA_FUNCTION_HANDLER={build.handler}", _IMAGE]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    # the runtime gets its own port, too, because other containers share the host's network
    command += ["--runtime-api-address", f"127.0.0.1:{_free_port()}", "/var/runtime/bootstrap", build.handler]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)
        process.wait(30)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise NotMeasurable("the runtime interface emulator is unreachable on the host's network")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _emulator() -> Path:
    """The emulator that aws-sam-cli contains."""
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    emulator = next(
        (ROOT / ".venv-sam").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}"), None
    )
    if emulator is None:
        raise NotMeasurable("no runtime interface emulator in .venv-sam")
    return emulator


def _check_docker() -> None:
    if shutil.which("docker") is None:
        raise NotMeasurable("no Docker")
    process = subprocess.run(["docker", "image", "inspect", _IMAGE], capture_output=True, text=True, check=False)
    if process.returncode:
        raise NotMeasurable(f"Docker has no {_IMAGE} ({process.stderr.strip()})")


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
