"""What `make up` and `make down` do: run the local cloud in the background until it is stopped."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from local.cloud.process import (
    ROOT,
    CloudProcess,
    find_free_port,
    is_local_cloud,
    is_port_free,
    start_cloud,
    stop_cloud,
)
from local.cloud.stack import Stack, deploy

STATE_FOLDER = ROOT / ".local"
PREFERRED_PORT = 4566


def up(folder: Path, more_addresses: Sequence[str], prepare: Callable[[Path], None] = lambda _: None) -> None:
    """Start the cloud, deploy the template to it, leave it running, and print where everything is.

    `prepare` is called with the cloud's empty folder before it starts. Raises CloudFailed.
    """
    stack_file = folder / "stack.json"
    if running := _find_running(folder):
        print_message(f"The local cloud is already running at {running.endpoint} (see {stack_file}). `make down` stops it.")
        return
    port = PREFERRED_PORT if is_port_free(PREFERRED_PORT) else find_free_port()
    # Start from an empty folder: MiniStack keeps no state when it stops, so the Glue emulator must not keep any either.
    shutil.rmtree(folder / "cloud", ignore_errors=True)
    prepare(folder / "cloud")
    cloud = start_cloud(folder / "cloud", port, more_addresses)
    try:
        stack = deploy(cloud.endpoint)
    except BaseException:
        stop_cloud(cloud)
        raise
    _pid_file(folder).write_text(json.dumps({"pid": cloud.pid, "port": cloud.port}))
    stack_file.write_text(stack.as_json())
    print_message(_summary(stack, stack_file, cloud.folder / "log"))


def down(folder: Path) -> None:
    """Stop the cloud, if it is running."""
    if running := _find_running(folder):
        stop_cloud(running)
        print_message("The local cloud has stopped.")
    else:
        print_message("No local cloud is running.")
    for path in (_pid_file(folder), folder / "stack.json"):
        path.unlink(missing_ok=True)


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
    if not pid_file.exists():
        return None
    recorded = json.loads(pid_file.read_text())
    return CloudProcess(recorded["pid"], recorded["port"], pid_file.parent) if is_local_cloud(recorded["pid"]) else None


def _pid_file(folder: Path) -> Path:
    return folder / "cloud" / "pid.json"
