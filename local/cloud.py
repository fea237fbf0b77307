"""`make up` and `make down`: the local cloud, running in the background until told to stop."""

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console

from local.process import ROOT, CloudFailed, CloudProcess, free_port, is_free, is_ours, start, stop
from local.stack import deploy

FOLDER = ROOT / ".local"
STACK_FILE = FOLDER / "stack.json"
PID_FILE = FOLDER / "cloud" / "pid.json"
PREFERRED_PORT = 4566


def up(more_addresses: Sequence[str]) -> None:
    """Start the cloud, deploy to it, leave it running, and say where everything is. Raises CloudFailed."""
    if running := _running():
        _say(f"The local cloud runs already: {running.endpoint} ({STACK_FILE} has the rest; make down stops it).")
        return
    port = PREFERRED_PORT if is_free(PREFERRED_PORT) else free_port()
    cloud = start(PID_FILE.parent, port, more_addresses)
    try:
        stack = deploy(cloud.endpoint)
    except BaseException:
        stop(cloud)
        raise
    PID_FILE.write_text(json.dumps({"pid": cloud.pid, "port": cloud.port}))
    STACK_FILE.write_text(stack.as_json())
    _say(
        f"""The local cloud runs; `make down` stops it.
  API           {stack.api_url}/v1/task-runs   (SigV4-signed; user and password: test)
  AWS and Glue  {stack.aws_endpoint_url}   (region {stack.env["AWS_REGION"]}, keys test / test)
  data bucket   s3://{stack.bucket}/
  all of it     {STACK_FILE}
  log           {cloud.folder / "log"}"""
    )


def down() -> None:
    if running := _running():
        stop(running)
        _say("The local cloud has stopped.")
    else:
        _say("No local cloud is running.")
    for path in (PID_FILE, STACK_FILE):
        path.unlink(missing_ok=True)


def _running() -> CloudProcess | None:
    if not PID_FILE.exists():
        return None
    noted = json.loads(PID_FILE.read_text())
    return CloudProcess(noted["pid"], noted["port"], PID_FILE.parent) if is_ours(noted["pid"]) else None


def _say(text: str) -> None:
    Console(soft_wrap=True, highlight=False, markup=False).print(text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description=__doc__)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("--also-on", action="append", default=[], metavar="ADDRESS", help="one more address to listen on")
    asked = parser.parse_args()
    try:
        up(asked.also_on) if asked.action == "up" else down()
    except CloudFailed as failure:
        _say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
