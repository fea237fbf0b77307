"""`python -m bench.stub_aws`: stubbed AWS on a free port of this machine, for measured clients.

It has what a start and a replay need: DynamoDB's reads and conditional writes, Glue's start call, PutEvents. It is a separate
process, so that only the client is counted, and prints its port. `GET /calls` returns the operations that were called.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock
from typing import Any

Response = tuple[int, dict[str, Any]]
_ERROR = "com.amazonaws.dynamodb.v20120810#"
_SETS = re.compile(r"(#?\w+)\s*=\s*(:\w+)")


class StubAws:
    """Tables by name, their items by id. `calls`: every operation that was called, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._tables: dict[str, dict[str, dict[str, Any]]] = {}
        self._numbers = count(1)
        self._lock = Lock()
        self._operations: Mapping[str, Callable[[Any], Response]] = {
            "GetItem": self._get_item,
            "Query": lambda _: (200, {"Items": [], "Count": 0, "ScannedCount": 0}),
            "PutItem": self._put_item,
            "UpdateItem": self._update_item,
            "TransactWriteItems": self._transact,
            "PutEvents": self._put_events,
            "StartMLLabelingSetGenerationTaskRun": self._start,
        }

    def answer(self, operation: str, arguments: Any) -> Response:  # noqa: ANN401  any JSON
        with self._lock:
            self.calls.append(operation)
            call = self._operations.get(operation)
            return call(arguments) if call else (400, {"__type": "UnknownOperationException", "message": operation})

    def _get_item(self, arguments: dict[str, Any]) -> Response:
        item = self._table(arguments).get(_id(arguments["Key"]))
        return 200, {} if item is None else {"Item": item}

    def _put_item(self, put: dict[str, Any]) -> Response:
        if (existing := self._conflicting_item(put)) is not None:
            error = {"__type": f"{_ERROR}ConditionalCheckFailedException", "message": "The conditional request failed"}
            return 400, error | ({"Item": existing} if put.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {})
        self._table(put)[_id(put["Item"])] = put["Item"]
        return 200, {}

    def _transact(self, arguments: dict[str, Any]) -> Response:
        (put,) = [item["Put"] for item in arguments["TransactItems"] if "Put" in item]
        status, _ = self._put_item(put)
        if status == 200:
            return 200, {}
        failed = {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": self._conflicting_item(put),
        }
        reasons = [failed if "Put" in item else {"Code": "None"} for item in arguments["TransactItems"]]
        message = "Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None]"
        return 400, {"__type": f"{_ERROR}TransactionCanceledException", "Message": message, "CancellationReasons": reasons}

    def _update_item(self, arguments: dict[str, Any]) -> Response:
        """Supports only `SET name = :value, ...`, which is all that the measured clients send."""
        item = self._table(arguments).setdefault(_id(arguments["Key"]), dict(arguments["Key"]))
        names, values = arguments.get("ExpressionAttributeNames", {}), arguments["ExpressionAttributeValues"]
        item |= {names.get(name, name): values[value] for name, value in _SETS.findall(arguments["UpdateExpression"])}
        return 200, {}

    def _put_events(self, arguments: dict[str, Any]) -> Response:
        return 200, {
            "FailedEntryCount": 0,
            "Entries": [{"EventId": f"event-{next(self._numbers)}"} for _ in arguments["Entries"]],
        }

    def _start(self, _: dict[str, Any]) -> Response:
        return 200, {"TaskRunId": f"tsk-{next(self._numbers):040x}"}

    def _conflicting_item(self, put: dict[str, Any]) -> dict[str, Any] | None:
        """The item that `put` must not overwrite. Any condition that begins with attribute_not_exists counts as just that."""
        must_be_new = str(put.get("ConditionExpression", "")).startswith("attribute_not_exists")
        return self._table(put).get(_id(put["Item"])) if must_be_new else None

    def _table(self, arguments: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return self._tables.setdefault(arguments["TableName"], {})


def _id(item: dict[str, Any]) -> str:
    return str(item["id"]["S"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    aws: StubAws

    def do_POST(self) -> None:
        arguments = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self._send(*self.aws.answer(operation, arguments))

    def do_GET(self) -> None:
        self._send(200, self.aws.calls)

    def _send(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("x-amzn-RequestId", "00000000-0000-4000-8000-000000000000")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        pass


def main() -> None:
    class Handler(_Handler):
        aws = StubAws()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
