"""Just enough of DynamoDB and Glue, over loopback HTTP, to count what a round of the reconciler asks of them.

`python -m bench.rounds.aws 10000 1000 0.01` holds 10,000 open runs on 1,000 transforms, one of each finished in Glue, takes
10 ms for every call, and prints its port. `GET /` tells how often it was asked for what.
"""

import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench.rounds.data import Data
from bench.rounds.table import Table

GLUES_PAGE = 1000


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, data: Data, seconds_a_call: float) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.data, self.table, self.seconds_a_call = data, Table(data), seconds_a_call
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.table.query({"IndexName": "open", "KeyConditionExpression": "", "ExpressionAttributeValues": {}})

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        if operation == "Query":
            return self.table.query(asked)
        if operation == "GetItem":
            return {"Item": self.table.item(asked["Key"]["id"]["S"])}
        if operation == "UpdateItem":
            return self.table.update(asked)
        if operation == "GetMLTaskRun":
            return self.data.task_run(self.data.number_of(asked["TaskRunId"]))
        if operation == "GetMLTaskRuns":
            return self._listing(asked)
        return {"PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "0"}]}}[operation]

    def _listing(self, asked: dict[str, Any]) -> dict[str, Any]:
        first = self.data.number_of(asked["TransformId"]) * self.data.per_transform
        begin, end = first + int(asked.get("NextToken", 0)), first + self.data.per_transform
        page = range(begin, min(end, begin + asked.get("MaxResults", GLUES_PAGE)))
        since = asked["Filter"]["StartedAfter"]
        listed = [run for run in map(self.data.task_run, page) if run["StartedOn"] > since]
        return {"TaskRuns": listed} | ({"NextToken": str(page.stop - first)} if page.stop < end else {})


class _Door(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._send(200, dict(self.server.counts))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        time.sleep(self.server.seconds_a_call)
        with self.server.lock:
            self.server.counts[operation] += 1
            answer = self.server.answer(operation, asked)
        if answer is None:
            self._send(400, {"__type": "ConditionalCheckFailedException", "message": "The conditional request failed"})
        else:
            self._send(200, answer)

    def _send(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: there are tens of thousands."""


if __name__ == "__main__":
    _, runs, transforms, seconds = sys.argv
    with Server(Data(int(runs), int(transforms)), float(seconds)) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
