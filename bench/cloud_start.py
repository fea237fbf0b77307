"""`python -m bench.cloud_start`: from `make up` to the first answer of the API of a local cloud, in seconds."""

import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from botocore.credentials import Credentials

from bench.rows import Row, command
from label_loop.api import ApiClient
from local.cloud.process import ACCESS_KEY, REGION, SECRET_KEY, start_cloud, stop_cloud
from local.cloud.stack import deploy

_ROUNDS = 3


def measure() -> list[Row]:
    seen = [_once() for _ in range(_ROUNDS)]
    up, first = median(one[0] for one in seen), median(one[1] for one in seen)
    return [Row(f"local cloud, from nothing to the first answer (deployed after {up:.1f} s)", ours=first, unit=" s", digits=1)]


def _once() -> tuple[float, float]:
    """Seconds until the stack is deployed, and until its API has answered."""
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
