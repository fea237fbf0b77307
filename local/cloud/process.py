"""Starting and stopping the local cloud's process, and waiting until it answers."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
REGION = "us-east-1"
ACCESS_KEY = SECRET_KEY = "test"  # noqa: S105 - MiniStack's root user; nothing outside this machine knows it
START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 10


class CloudFailed(Exception):
    """The local cloud did not start, or the deployment failed; the message says where to look."""


@dataclass(frozen=True)
class CloudProcess:
    """A running local cloud. `folder` holds its log, state and scratch space; `child` is known only where it was started."""

    pid: int
    port: int
    folder: Path
    child: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"


def start_cloud(
    folder: Path,
    port: int | None = None,
    more_addresses: Sequence[str] = (),
    host_module: str = "local.cloud.host",
    environment: Mapping[str, str] | None = None,
) -> CloudProcess:
    """Start a process that outlives this one, and return once it answers. Raises CloudFailed.

    `more_addresses`: listen on these as well as on 127.0.0.1. `host_module`: the module to run, with the arguments of
    local.cloud.host. `environment`: added to the process's own.
    """
    port = port or find_free_port()
    scratch = folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)  # MiniStack's workers leave their folders behind
    scratch.mkdir(parents=True)
    command = [sys.executable, "-m", host_module, "--state", str(folder / "glue"), "--region", REGION]
    command += ["--access-key-id", ACCESS_KEY, "--secret-access-key", SECRET_KEY]
    for address in (HOST, *more_addresses):
        command += ["--bind", f"{address}:{port}"]
    if translator := _sam_translator_folder():
        command += ["--sam-translator", str(translator)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**_host_environment(os.environ, port, scratch), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    cloud = CloudProcess(process.pid, port, folder, process)
    try:
        _wait_until_ready(cloud)
    except BaseException:
        stop_cloud(cloud)
        raise
    return cloud


def stop_cloud(cloud: CloudProcess) -> None:
    """Send SIGTERM, on which it also stops its workers; send SIGKILL if it has not ended after STOP_TIMEOUT_SECONDS."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(cloud.pid, signal_number)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if _has_ended(cloud):
                return
            time.sleep(0.05)


@contextlib.contextmanager
def running_cloud(folder: Path) -> Iterator[CloudProcess]:
    """A local cloud on a free port, stopped at the end of the `with` block."""
    cloud = start_cloud(folder)
    try:
        yield cloud
    finally:
        stop_cloud(cloud)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def is_local_cloud(pid: int) -> bool:
    """Whether the process is a local cloud; its number may have been given to another process since."""
    listed = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "local.cloud.host" in listed.stdout


def _host_environment(inherited: Mapping[str, str], port: int, scratch: Path) -> dict[str, str]:
    """The environment of MiniStack and its workers, without the caller's AWS account, profiles and Python path."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("AWS_") and name != "PYTHONPATH"}
    return kept | {
        "AUTH": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "DOCKER_HOST": "unix:///nonexistent",  # MiniStack would remove containers that are not its own
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "INFO",
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(scratch),
    }


def _sam_translator_folder() -> Path | None:
    """The site-packages of aws-sam-cli's environment: CloudFormation's SAM transform needs aws-sam-translator from it."""
    packages = sorted((ROOT / ".venv-sam").glob("lib/python*/site-packages/samtranslator"))
    return packages[-1].parent if packages else None


def _wait_until_ready(cloud: CloudProcess) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if _has_ended(cloud):
            raise CloudFailed(f"The local cloud ended during its start; see {cloud.folder / 'log'}")
        if _is_ready(f"{cloud.endpoint}/_ministack/ready"):
            return
        time.sleep(0.1)
    raise CloudFailed(f"The local cloud did not answer within {START_TIMEOUT_SECONDS} s; see {cloud.folder / 'log'}")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own process
            return bool(response.status == HTTPStatus.OK)
    except OSError:  # URLError and HTTPError are OSErrors: not listening yet
        return False


def _has_ended(cloud: CloudProcess) -> bool:
    if cloud.child is not None:
        return cloud.child.poll() is not None
    try:
        os.kill(cloud.pid, 0)
    except ProcessLookupError:
        return True
    return False
