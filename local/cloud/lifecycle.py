"""`make up` and `make down`: the local cloud, running in the background until told to stop."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from local.cloud.process import ROOT, CloudProcess, find_free_port, is_local_cloud, is_port_free, start_cloud, stop_cloud
from local.cloud.stack import deploy

STATE_FOLDER = ROOT / ".local"
PREFERRED_PORT = 4566


def up(folder: Path, more_addresses: Sequence[str], prepare: Callable[[Path], None] = lambda _: None) -> None:
    """Start the cloud, deploy to it, leave it running, and say where everything is. Raises CloudFailed.

    `prepare` is given the cloud's empty folder before it starts.
    """
    stack_file = folder / "stack.json"
    if running := _running(folder):
        print_message(f"The local cloud runs already: {running.endpoint} ({stack_file} has the rest; make down stops it).")
        return
    port = PREFERRED_PORT if is_port_free(PREFERRED_PORT) else find_free_port()
    # Always from nothing: MiniStack forgets when it stops, and the Glue engine must not remember more than it does.
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
    print_message(
        f"""The local cloud runs; `make down` stops it.
  API           {stack.api_url}/v1/task-runs   (SigV4-signed: keys test / test)
  AWS and Glue  {stack.aws_endpoint_url}   (region {stack.env["AWS_REGION"]}, keys test / test)
  data bucket   s3://{stack.bucket}/
  all of it     {stack_file}
  log           {cloud.folder / "log"}"""
    )


def down(folder: Path) -> None:
    if running := _running(folder):
        stop_cloud(running)
        print_message("The local cloud has stopped.")
    else:
        print_message("No local cloud is running.")
    for path in (_pid_file(folder), folder / "stack.json"):
        path.unlink(missing_ok=True)


def _running(folder: Path) -> CloudProcess | None:
    noted_in = _pid_file(folder)
    if not noted_in.exists():
        return None
    noted = json.loads(noted_in.read_text())
    return CloudProcess(noted["pid"], noted["port"], noted_in.parent) if is_local_cloud(noted["pid"]) else None


def _pid_file(folder: Path) -> Path:
    return folder / "cloud" / "pid.json"


def print_message(text: str) -> None:
    Console(soft_wrap=True, highlight=False, markup=False).print(text)
