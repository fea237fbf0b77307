"""Starting and stopping the local cloud's process, and waiting until it answers."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path

from local.cloud.local_http import send_locally
from local.cloud.sockets import open_sockets, port_of

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
REGION = "us-east-1"
ACCESS_KEY = SECRET_KEY = "test"  # noqa: S105 - MiniStack's root user; nothing outside this machine knows it
ROOT_USER_ARN = "arn:aws:iam::000000000000:root"
START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 10
PROBE_TIMEOUT_SECONDS = 2
POLL_SECONDS = 0.1


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
    preferred_port: int = 0,
    more_addresses: Sequence[str] = (),
    host_module: str = "local.cloud.host",
    environment: Mapping[str, str] | None = None,
) -> CloudProcess:
    """Start a process that outlives this one, and return once it answers. Raises CloudFailed.

    It listens on 127.0.0.1 and on `more_addresses`, on another port if the preferred one is taken. `host_module`: the
    module to run, with the arguments of local.cloud.host. `environment`: added to the process's own.
    """
    scratch = folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)  # MiniStack's workers leave their folders behind
    scratch.mkdir(parents=True)
    try:
        sockets = open_sockets([HOST, *more_addresses], preferred_port)
    except OSError as error:
        raise CloudFailed(f"The local cloud cannot listen on {', '.join([HOST, *more_addresses])}: {error}") from error
    port = port_of(sockets[0])
    with contextlib.ExitStack() as close_sockets, (folder / "log").open("wb") as log:
        for opened in sockets:
            close_sockets.enter_context(opened)
        descriptors = [opened.fileno() for opened in sockets]
        # The process inherits the sockets. So a response on this port comes from this process and from no other.
        process = subprocess.Popen(
            _host_command(host_module, folder, port, descriptors),
            cwd=ROOT,
            env={**_host_environment(os.environ, port, scratch), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=descriptors,
        )
    cloud = CloudProcess(process.pid, port, folder, process)
    try:
        _wait_until_ready(cloud)
    except BaseException:
        stop_cloud(cloud)
        raise
    return cloud


def stop_cloud(cloud: CloudProcess) -> None:
    """Stop the process (SIGKILL if SIGTERM does not within STOP_TIMEOUT_SECONDS) and all processes that it started."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(cloud.pid, signal_number)
        if _wait_until_ended(cloud):
            break
    # It leads a process group of its own. What is left in it is a worker that hangs in a function.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(cloud.pid, signal.SIGKILL)


@contextlib.contextmanager
def running_cloud(folder: Path) -> Iterator[CloudProcess]:
    """A local cloud on a free port, stopped at the end of the `with` block."""
    cloud = start_cloud(folder)
    try:
        yield cloud
    finally:
        stop_cloud(cloud)


def is_local_cloud(pid: int, folder: Path) -> bool:
    """Whether the process is the local cloud of this folder; its number may have been given to another process since."""
    arguments = _process_status(pid, "args")
    return "local.cloud.host" in arguments and f"--state {folder / 'glue'} " in arguments


def is_ready(cloud: CloudProcess) -> bool:
    try:
        with send_locally(f"{cloud.endpoint}/_ministack/ready", PROBE_TIMEOUT_SECONDS) as response:
            return bool(response.status == HTTPStatus.OK)
    except (OSError, HTTPException):  # URLError and HTTPError are OSErrors: not serving yet
        return False


def _host_command(host_module: str, folder: Path, port: int, descriptors: Sequence[int]) -> list[str]:
    command = [sys.executable, "-m", host_module, "--state", str(folder / "glue"), "--endpoint", f"http://{HOST}:{port}"]
    command += ["--region", REGION, "--access-key-id", ACCESS_KEY, "--secret-access-key", SECRET_KEY]
    for descriptor in descriptors:
        command += ["--listen-on", str(descriptor)]
    if translator := _sam_translator_folder():
        command += ["--sam-translator", str(translator)]
    return command


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
        if is_ready(cloud):
            return
        time.sleep(POLL_SECONDS)
    raise CloudFailed(f"The local cloud did not answer within {START_TIMEOUT_SECONDS} s; see {cloud.folder / 'log'}")


def _wait_until_ended(cloud: CloudProcess) -> bool:
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    while not (ended := _has_ended(cloud)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return ended


def _has_ended(cloud: CloudProcess) -> bool:
    if cloud.child is not None:
        return cloud.child.poll() is not None
    # A zombie (Z) has ended. It stays listed until its parent waits for it, which not every container's first process does.
    status = _process_status(cloud.pid, "stat")
    return status == "" or status.startswith("Z")


def _process_status(pid: int, column: str) -> str:
    """A column of `ps`, empty if there is no such process."""
    listed = subprocess.run(["ps", "-ww", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()
