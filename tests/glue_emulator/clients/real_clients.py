"""The AWS CLI and the AWS SDK for JavaScript, installed once from their registries into .local/clients/."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore import xform_name

CACHE = Path(".local/clients").absolute()
AWSCLI = "awscli==1.46.3"
JS_SDK = "@aws-sdk/client-glue@3.1169.0"
SCRIPT = Path(__file__).with_name("glue_calls.cjs")
INSTALL_SECONDS = 300

Call = Callable[[str, Mapping[str, Any]], dict[str, Any]]


class NotInstalled(Exception):
    """The client cannot be installed here; the message says why."""


class Refused(Exception):
    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message


@contextmanager
def aws_cli(endpoint: str) -> Iterator[Call]:
    """The AWS CLI, a process per call. Raises NotInstalled."""
    program = _install_aws_cli()
    env = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
    }

    def call(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        command = [str(program), "glue", xform_name(operation, "-"), "--endpoint-url", endpoint, "--output", "json"]
        command += ["--cli-input-json", json.dumps(request)]
        process = subprocess.run(  # noqa: S603 - the client under test
            command,
            capture_output=True,
            text=True,
            env=env,
            timeout=120,
            check=False,
        )
        if process.returncode != 0:
            error = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)", process.stderr)
            assert error, process.stderr
            raise Refused(error[1], error[2])
        return dict(json.loads(process.stdout or "{}"))

    yield call


@contextmanager
def js_sdk(endpoint: str) -> Iterator[Call]:
    """The AWS SDK for JavaScript v3, one process for all calls. Raises NotInstalled."""
    modules = _install_js_sdk()
    env = {"PATH": os.environ["PATH"], "NODE_PATH": str(modules)}
    with subprocess.Popen(  # noqa: S603 - the client under test
        ["node", str(SCRIPT), endpoint],  # noqa: S607 - whichever node the person has
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        requests, responses = process.stdin, process.stdout

        def call(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
            requests.write(json.dumps({"operation": operation, "input": request}) + "\n")
            requests.flush()
            response = json.loads(responses.readline())
            if "error" in response:
                assert response["error"]["known"], response
                raise Refused(response["error"]["name"], response["error"]["message"])
            assert response["requestId"]
            return dict(response["output"])

        try:
            yield call
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def _install_aws_cli() -> Path:
    folder = CACHE / "aws-cli"
    with _install_once(folder) as is_missing:
        if is_missing:
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            _run([str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", AWSCLI])
    return folder / "bin" / "aws"


def _install_js_sdk() -> Path:
    folder = CACHE / "js"
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotInstalled(f"{program} is not on the PATH")
    with _install_once(folder) as is_missing:
        if is_missing:
            folder.mkdir(exist_ok=True)
            _run(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--no-save", JS_SDK])
    return folder / "node_modules"


@contextmanager
def _install_once(folder: Path) -> Iterator[bool]:
    """Whether the folder still needs its installation; parallel tests wait for the first to finish."""
    CACHE.mkdir(parents=True, exist_ok=True)
    marker = folder.with_suffix(".done")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not marker.exists()
        marker.touch()


def _run(command: list[str]) -> None:
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)  # noqa: S603 - installers
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"{command[0]} took longer than {INSTALL_SECONDS} s") from error
    if process.returncode != 0:
        raise NotInstalled(f"{' '.join(command)} failed: {process.stderr[-500:]}")
