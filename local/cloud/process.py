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
    """The local cloud did not start, or did not do what was asked; the message says where to look."""


@dataclass(frozen=True)
class CloudProcess:
    """A running local cloud. `folder` holds its log, its state and its scratch space; `child` is set if we started it."""

    pid: int
    port: int
    folder: Path
    child: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"


def start_cloud(folder: Path, port: int | None = None, more_addresses: Sequence[str] = ()) -> CloudProcess:
    """Start a process that outlives this one, and return once it answers. Raises CloudFailed."""
    chosen = port or find_free_port()
    scratch = folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)  # MiniStack's workers leave their folders behind
    scratch.mkdir(parents=True)
    command = [sys.executable, "-m", "local.cloud.host", "--state", str(folder / "glue"), "--region", REGION]
    command += ["--access-key-id", ACCESS_KEY, "--secret-access-key", SECRET_KEY]
    for address in (HOST, *more_addresses):
        command += ["--bind", f"{address}:{chosen}"]
    if translator := _sam_translator():
        command += ["--sam-translator", str(translator)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(os.environ, chosen, scratch),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    cloud = CloudProcess(process.pid, chosen, folder, process)
    try:
        _wait_until_it_answers(cloud)
    except BaseException:
        stop_cloud(cloud)
        raise
    return cloud


def stop_cloud(cloud: CloudProcess) -> None:
    """Ask it to end, so that it saves its state and its workers go too; insist after STOP_SECONDS."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(cloud.pid, number)
        until = time.monotonic() + STOP_TIMEOUT_SECONDS
        while time.monotonic() < until:
            if _ended(cloud):
                return
            time.sleep(0.05)


@contextlib.contextmanager
def running_cloud(folder: Path) -> Iterator[CloudProcess]:
    """A local cloud on a free port, for as long as the block lasts."""
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
    """Whether the process still is a local cloud, and not one that got the same number later."""
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "local.cloud.host" in shown.stdout


def _environment(ours: Mapping[str, str], port: int, scratch: Path) -> dict[str, str]:
    """What MiniStack and its workers see: nothing of the caller's AWS account, profiles or Python path."""
    kept = {name: value for name, value in ours.items() if not name.startswith("AWS_") and name != "PYTHONPATH"}
    return kept | {
        "AUTH": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "DOCKER_HOST": "unix:///nonexistent",  # it would clear containers away that are not ours
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


def _sam_translator() -> Path | None:
    """Where aws-sam-cli's environment keeps aws-sam-translator, which CloudFormation's SAM transform needs."""
    found = sorted((ROOT / ".venv-sam").glob("lib/python*/site-packages/samtranslator"))
    return found[-1].parent if found else None


def _wait_until_it_answers(cloud: CloudProcess) -> None:
    until = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < until:
        if _ended(cloud):
            raise CloudFailed(f"The local cloud ended at once; its log: {cloud.folder / 'log'}")
        if _answers(f"{cloud.endpoint}/_ministack/ready"):
            return
        time.sleep(0.1)
    raise CloudFailed(f"The local cloud did not answer within {START_TIMEOUT_SECONDS} s; its log: {cloud.folder / 'log'}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own process
            return bool(answer.status == HTTPStatus.OK)
    except OSError:  # URLError and HTTPError are OSErrors: not up yet
        return False


def _ended(cloud: CloudProcess) -> bool:
    if cloud.child is not None:
        return cloud.child.poll() is not None
    try:
        os.kill(cloud.pid, 0)
    except ProcessLookupError:
        return True
    return False
