"""AWS clients no one here wrote, installed once from their registries into .local/clients/: the CLI and the JS SDK."""

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
    """A client cannot be had here; the message says why."""


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

    def call(operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        command = [str(program), "glue", xform_name(operation, "-"), "--endpoint-url", endpoint, "--output", "json"]
        done = subprocess.run(  # noqa: S603 - the client under test
            [*command, "--cli-input-json", json.dumps(asked)], capture_output=True, text=True, env=env, timeout=120, check=False
        )
        if done.returncode != 0:
            said = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)", done.stderr)
            assert said, done.stderr
            raise Refused(said[1], said[2])
        return dict(json.loads(done.stdout or "{}"))

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
        talk = process.stdin, process.stdout

        def call(operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
            talk[0].write(json.dumps({"operation": operation, "input": asked}) + "\n")
            talk[0].flush()
            answer = json.loads(talk[1].readline())
            if "error" in answer:
                assert answer["error"]["known"], answer
                raise Refused(answer["error"]["name"], answer["error"]["message"])
            assert answer["requestId"]
            return dict(answer["output"])

        try:
            yield call
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def _install_aws_cli() -> Path:
    folder = CACHE / "aws-cli"
    with _once(folder) as is_needed:
        if is_needed:
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            _run([str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", AWSCLI])
    return folder / "bin" / "aws"


def _install_js_sdk() -> Path:
    folder = CACHE / "js"
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotInstalled(f"{program} is not on the PATH")
    with _once(folder) as is_needed:
        if is_needed:
            folder.mkdir(exist_ok=True)
            _run(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--no-save", JS_SDK])
    return folder / "node_modules"


@contextmanager
def _once(folder: Path) -> Iterator[bool]:
    """Whether the folder still needs its installation; tests that run at the same time wait for the first."""
    CACHE.mkdir(parents=True, exist_ok=True)
    done = folder.with_suffix(".done")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)  # noqa: S603 - installers
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"{command[0]} took longer than {INSTALL_SECONDS} s") from error
    if done.returncode != 0:
        raise NotInstalled(f"{' '.join(command)} failed: {done.stderr[-500:]}")
