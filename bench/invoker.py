"""`python invoker.py HANDLER COUNT EVENT`: invokes HANDLER as Lambda does and prints the CPU milliseconds of each part as JSON.

EVENT is a JSON file; each invocation gets it with its own keys. This runs inside the measured process, like bench/driver.py.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

from driver import Context  # type: ignore[import-not-found]  # beside this file, where Python looks for it


class Invocation(Context):  # type: ignore[misc]  # untyped, see above
    def get_remaining_time_in_millis(self) -> int:
        return 300_000  # the longest timeout of all functions


def numbered(event: dict[str, Any], number: int) -> dict[str, Any]:
    """The event with the `number`-th key and id, if it is a request or a command with a key; any other event unchanged."""
    if "httpMethod" in event:
        headers = {"Idempotency-Key": f"key-{number}"}
        multi = {"Idempotency-Key": [f"key-{number}"]}
        return event | {
            "headers": event["headers"] | headers,
            "multiValueHeaders": event["multiValueHeaders"] | multi,
            "requestContext": event["requestContext"] | {"requestId": f"message-{number}"},
        }
    if "idempotencyKey" in event.get("detail", {}):
        return event | {"id": f"message-{number}", "detail": event["detail"] | {"idempotencyKey": f"key-{number}"}}
    return event


def main(name: str, count: int, event_file: Path) -> None:
    module, _, function = name.rpartition(".")
    event = json.loads(event_file.read_text())
    output, sys.stdout = sys.stdout, Path(os.devnull).open("w")  # noqa: SIM115  logs and metrics, until the process ends
    began = process_time()
    handler = getattr(import_module(module), function)
    handler(numbered(event, 0), Invocation())
    started = process_time()
    for number in range(1, count + 1):
        handler(numbered(event, number), Invocation())
    ended = process_time()
    print(json.dumps({"cold": 1000 * (started - began), "warm": 1000 * (ended - started) / count}), file=output)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
