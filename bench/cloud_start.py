"""`python -m bench.cloud_start`: seconds from the start of a local cloud to the first response of its API."""

import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from botocore.credentials import Credentials

from bench.rows import Row, command
from label_loop.api import ApiClient
from local.cloud.process import ACCESS_KEY, REGION, SECRET_KEY, start_cloud, stop_cloud
from local.cloud.stack import deploy

ROW = Row("local cloud, from its start to the first response", unit=" s", digits=1)
_ROUNDS = 3


def measure() -> list[Row]:
    rounds = [_start_once() for _ in range(_ROUNDS)]
    deployed, responded = median(seconds for seconds, _ in rounds), median(seconds for _, seconds in rounds)
    return [replace(ROW, label=f"{ROW.label} (deployed after {deployed:.1f} s)", ours=responded)]


def _start_once() -> tuple[float, float]:
    """Seconds until the stack is deployed, and until its API has responded."""
    began = time.monotonic()
    with TemporaryDirectory(prefix="cloud-") as folder:
        cloud = start_cloud(Path(folder) / "cloud")
        try:
            stack = deploy(cloud.endpoint)
            deployed = time.monotonic() - began
            answer = ApiClient(stack.api_url, REGION, Credentials(ACCESS_KEY, SECRET_KEY)).list_task_runs()
            assert answer.status == 200, answer
            return deployed, time.monotonic() - began
        finally:
            stop_cloud(cloud)


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
