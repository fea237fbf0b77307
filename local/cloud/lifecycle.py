"""What `make up` and `make down` do: run the local cloud in the background until it is stopped."""

import contextlib
import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from local.cloud.process import ROOT, CloudFailed, CloudProcess, is_local_cloud, is_ready, start_cloud, stop_cloud
from local.cloud.stack import Stack, deploy

STATE_FOLDER = ROOT / ".local"
PREFERRED_PORT = 4566


def up(folder: Path, more_addresses: Sequence[str], prepare: Callable[[Path], None] = lambda _: None) -> None:
    """Start the cloud, deploy the template to it, leave it running, and print where everything is.

    `prepare` is called with the cloud's empty folder before it starts. Raises CloudFailed.
    """
    with _locked(folder):
        running, stack_file = _find_running(folder), folder / "stack.json"
        if running and stack_file.exists():
            if not is_ready(running):
                raise CloudFailed(f"The local cloud (process {running.pid}) does not respond. Run `make down`, then `make up`.")
            print_message(f"The local cloud is already running at {running.endpoint} (see {stack_file}). `make down` stops it.")
            return
        if running:  # a `make up` was killed before its deployment was complete
            stop_cloud(running)
        _start_and_deploy(folder, more_addresses, prepare)


def down(folder: Path) -> None:
    """Stop the cloud, if it is running."""
    with _locked(folder):
        if running := _find_running(folder):
            stop_cloud(running)
            print_message("The local cloud has stopped.")
        else:
            print_message("No local cloud is running.")
        for path in (_pid_file(folder), folder / "stack.json"):
            path.unlink(missing_ok=True)


def _start_and_deploy(folder: Path, more_addresses: Sequence[str], prepare: Callable[[Path], None]) -> None:
    stack_file, cloud_folder = folder / "stack.json", folder / "cloud"
    stack_file.unlink(missing_ok=True)
    # Start from an empty folder: MiniStack keeps no state when it stops, so the Glue emulator must not keep any either.
    shutil.rmtree(cloud_folder, ignore_errors=True)
    prepare(cloud_folder)
    cloud = start_cloud(cloud_folder, PREFERRED_PORT, more_addresses)
    try:
        _write(_pid_file(folder), json.dumps({"pid": cloud.pid, "port": cloud.port}))
        stack = deploy(cloud.endpoint)
    except BaseException:
        stop_cloud(cloud)
        raise
    _write(stack_file, stack.as_json())
    print_message(_summary(stack, stack_file, cloud_folder / "log"))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one `make up` or `make down` of a folder run at a time; the operating system releases the lock of a killed one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print_message("Waiting for another `make up` or `make down` to finish ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def print_message(text: str) -> None:
    Console(soft_wrap=True, highlight=False, markup=False).print(text)


def _summary(stack: Stack, stack_file: Path, log: Path) -> str:
    return f"""The local cloud is running. `make down` stops it.
  API           {stack.api_url}/v1/task-runs   (sign with SigV4; keys test / test)
  AWS and Glue  {stack.aws_endpoint_url}   (region {stack.env["AWS_REGION"]}, keys test / test)
  data bucket   s3://{stack.bucket}/
  endpoints     {stack_file}
  log           {log}"""


def _find_running(folder: Path) -> CloudProcess | None:
    pid_file = _pid_file(folder)
    try:
        recorded = json.loads(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    cloud = CloudProcess(recorded["pid"], recorded["port"], pid_file.parent)
    return cloud if is_local_cloud(cloud.pid, cloud.folder) else None


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole, so that nobody reads half of it."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def _pid_file(folder: Path) -> Path:
    return folder / "cloud" / "pid.json"
