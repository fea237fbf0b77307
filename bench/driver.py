"""`python driver.py HANDLER STARTS REPLAYS EVENT`: invokes a function as Lambda does, without Lambda.

Loads HANDLER (`module.name`, from the PYTHONPATH), invokes it with the event STARTS times with a new idempotency key each, then
REPLAYS times with the last key, and prints figures as JSON. It runs inside the measured process, so it is the same for all
packages and needs only Python.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any


class Context:
    """Lambda's context object."""

    function_name = "measured"
    memory_limit_in_mb = "512"
    aws_request_id = "6bc28136-0000-4365-b021-0ce6b2e64ab0"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:measured"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def _with_key(event: dict[str, Any], key: str, request_id: str) -> dict[str, Any]:
    """The event with another key and request id; copies only what differs, to cost next to nothing."""
    return {
        **event,
        "headers": {**event["headers"], "Idempotency-Key": key},
        "multiValueHeaders": {**event["multiValueHeaders"], "Idempotency-Key": [key]},
        "requestContext": {**event["requestContext"], "requestId": request_id},
    }


def _memory(field: str) -> int:
    """Kilobytes from /proc/self/smaps_rollup; 0 if there is no such file."""
    rollup = Path("/proc/self/smaps_rollup")
    lines = rollup.read_text().splitlines() if rollup.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(field)), 0)


def main(name: str, starts: int, replays: int, event_file: Path) -> None:
    module, _, function = name.rpartition(".")
    began = process_time()
    handler = getattr(import_module(module), function)
    imported = process_time()
    event = json.loads(event_file.read_text())
    figures = {"import_seconds": imported - began, "init_rss": _memory("Rss:"), "init_pss": _memory("Pss:")}
    for number in range(starts + replays):
        answer = handler(_with_key(event, f"key-{min(number, starts - 1)}", f"request-{number}"), Context())
        if answer["statusCode"] != 202:
            sys.exit(f"{name} answered {answer}")
        if number == 0:
            figures |= {"first_seconds": process_time() - imported, "rss": _memory("Rss:"), "pss": _memory("Pss:")}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    sys.stdout.flush()
    os._exit(0)  # Lambda never lets Python shut down, so the instructions of its shutdown are not counted
