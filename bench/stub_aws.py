"""`python -m bench.stub_aws`: an AWS of canned answers on a free port of this machine, for clients that are measured.

It knows as much as a start and a replay need: DynamoDB's reads and conditional writes, Glue's start call, PutEvents. It runs in
a process of its own, so that nothing of it is counted with its client, and prints its port. `GET /calls` gives the operations
that came.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock
from typing import Any

Answer = tuple[int, dict[str, Any]]
_ERROR = "com.amazonaws.dynamodb.v20120810#"
_SETS = re.compile(r"(#?\w+)\s*=\s*(:\w+)")


class CannedAws:
    """Tables by name, an item by the value of its first key; every operation that came, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._tables: dict[str, dict[str, dict[str, Any]]] = {}
        self._numbers = count(1)
        self._lock = Lock()
        self._operations: Mapping[str, Callable[[Any], Answer]] = {
            "GetItem": self._get_item,
            "Query": lambda _: (200, {"Items": [], "Count": 0, "ScannedCount": 0}),
            "PutItem": self._put_item,
            "UpdateItem": self._update_item,
            "TransactWriteItems": self._transact,
            "PutEvents": self._put_events,
            "StartMLLabelingSetGenerationTaskRun": self._start,
        }

    def answer(self, operation: str, asked: Any) -> Answer:  # noqa: ANN401  whatever JSON holds
        with self._lock:
            self.calls.append(operation)
            known = self._operations.get(operation)
            return known(asked) if known else (400, {"__type": "UnknownOperationException", "message": operation})

    def _get_item(self, asked: dict[str, Any]) -> Answer:
        item = self._table(asked).get(_id(asked["Key"]))
        return 200, {} if item is None else {"Item": item}

    def _put_item(self, put: dict[str, Any]) -> Answer:
        if (existing := self._in_the_way(put)) is not None:
            told = {"__type": f"{_ERROR}ConditionalCheckFailedException", "message": "The conditional request failed"}
            return 400, told | ({"Item": existing} if put.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {})
        self._table(put)[_id(put["Item"])] = put["Item"]
        return 200, {}

    def _transact(self, asked: dict[str, Any]) -> Answer:
        (put,) = [one["Put"] for one in asked["TransactItems"] if "Put" in one]
        status, _ = self._put_item(put)
        if status == 200:
            return 200, {}
        failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": self._in_the_way(put)}
        reasons = [failed if "Put" in one else {"Code": "None"} for one in asked["TransactItems"]]
        told = "Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None]"
        return 400, {"__type": f"{_ERROR}TransactionCanceledException", "Message": told, "CancellationReasons": reasons}

    def _update_item(self, asked: dict[str, Any]) -> Answer:
        """Carries out `SET name = :value, ...`, which is all that anybody here asks for."""
        item = self._table(asked).setdefault(_id(asked["Key"]), dict(asked["Key"]))
        names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
        item |= {names.get(name, name): values[value] for name, value in _SETS.findall(asked["UpdateExpression"])}
        return 200, {}

    def _put_events(self, asked: dict[str, Any]) -> Answer:
        return 200, {"FailedEntryCount": 0, "Entries": [{"EventId": f"event-{next(self._numbers)}"} for _ in asked["Entries"]]}

    def _start(self, _: dict[str, Any]) -> Answer:
        return 200, {"TaskRunId": f"tsk-{next(self._numbers):040x}"}

    def _in_the_way(self, put: dict[str, Any]) -> dict[str, Any] | None:
        """The item that `put` may not overwrite, if it says so; whatever a condition adds to that holds here."""
        careful = str(put.get("ConditionExpression", "")).startswith("attribute_not_exists")
        return self._table(put).get(_id(put["Item"])) if careful else None

    def _table(self, asked: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return self._tables.setdefault(asked["TableName"], {})


def _id(item: dict[str, Any]) -> str:
    return str(item["id"]["S"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    aws: CannedAws

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self._say(*self.aws.answer(operation, asked))

    def do_GET(self) -> None:
        self._say(200, self.aws.calls)

    def _say(self, status: int, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("x-amzn-RequestId", "00000000-0000-4000-8000-000000000000")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's own name
        pass


def main() -> None:
    class Handler(_Handler):
        aws = CannedAws()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
