"""`python -m bench.first_invoke`: how long the first invoke takes in Lambda's runtime, beside the peers.

Each package runs in the functions' base image behind Lambda's runtime interface emulator, which starts the function when the
first invoke comes. Wall time of that invoke, a labeling-set run started with canned answers of AWS; medians of containers that
take turns.
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
from functools import partial
from pathlib import Path

from bench.builds import ROOT, Build, builds
from bench.rows import NotHere, Row, command, interleaved, ratios
from bench.running import EVENT, canned_aws, environment

_ROUNDS, _FURTHER = 9, 12  # of all, and of ours and bare alone, whose ratio has a goal
_IMAGE = f"public.ecr.aws/lambda/python:3.13-{'arm64' if platform.machine() in ('aarch64', 'arm64') else 'x86_64'}"


def measure() -> list[Row]:
    emulator = _emulator()
    _check_docker()
    built = builds()
    ways = {build.name: partial(_first_invoke, build, emulator) for build in built.all}
    seen = interleaved(_ROUNDS, ways, _FURTHER, ("ours", "bare"))
    ours, bare = seen.pop("ours"), seen["bare"]
    said = f"first invoke through the runtime interface emulator, vs bare boto3 ({bare:.1f} s)"
    return [Row(said, 0.70, "0.71", ours / bare, ratios(seen, bare), plotted=True)]


def _first_invoke(build: Build, emulator: Path) -> float:
    with canned_aws() as aws, _container(build, emulator, environment(aws, build)) as port:
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        began = time.perf_counter()
        with urllib.request.urlopen(url, EVENT.read_bytes(), timeout=60) as said:
            answer = json.load(said)
        seconds = time.perf_counter() - began
        if answer.get("statusCode") != 202:
            raise RuntimeError(f"{build.name} answered {answer}")
        return seconds


@contextmanager
def _container(build: Build, emulator: Path, variables: dict[str, str]) -> Iterator[int]:
    """The port at which the package can be invoked; the function itself is not started yet."""
    port, name = _free_port(), f"label-loop-bench-{time.time_ns()}"
    command = ["docker", "run", "--rm", "--name", name, "--network", "host", "--entrypoint", "/rie"]
    command += ["-v", f"{build.folder}:/var/task:ro", "-v", f"{emulator}:/rie:ro"]
    for variable, value in variables.items():
        command += ["-e", f"{variable}={value}"]
    command += ["-e", f"_HANDLER={build.handler}", "-e", f"AWS_LAMBDA_FUNCTION_HANDLER={build.handler}", _IMAGE]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    # a port of its own for the runtime, too: the host's network may have another such container
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
    raise NotHere("the runtime interface emulator cannot be reached on the host's network")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        found: int = one.getsockname()[1]
        return found


def _emulator() -> Path:
    """The emulator that aws-sam-cli brings along."""
    kind = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    found = next((ROOT / ".venv-sam").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{kind}"), None)
    if found is None:
        raise NotHere("no runtime interface emulator in .venv-sam")
    return found


def _check_docker() -> None:
    if shutil.which("docker") is None:
        raise NotHere("no Docker")
    done = subprocess.run(["docker", "image", "inspect", _IMAGE], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"Docker has no {_IMAGE}: {done.stderr.strip()}")


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
