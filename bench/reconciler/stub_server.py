"""The DynamoDB and Glue operations that one reconcile calls, over loopback HTTP, counted.

`python -m bench.reconciler.stub_server 10000 1000 16 0.01` holds 10,000 open runs on 1,000 transforms, one per transform ended
in Glue; part 0 of 16 is ready to be read. Every call takes 10 ms. It prints its port; `GET /` returns the number of calls by
operation.
"""

import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench.reconciler.ledger_table import Table
from bench.reconciler.run_data import Data
from core.rounds import Part

MAX_PAGE_RUNS = 1000  # of GetMLTaskRuns
_EMPTY: dict[str, dict[str, Any]] = {
    "PutItem": {},  # a round's checkpoint
    "DeleteItem": {},
    "PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "0"}]},
}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, data: Data, part: Part, call_seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.data, self.table, self.call_seconds = data, Table(data), call_seconds
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        for shard in part.shards:
            self.table.shard(shard)

    def answer(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        if operation == "Query":
            return self.table.query(arguments)
        if operation == "GetItem":
            return self.table.get(arguments["Key"]["id"]["S"])
        if operation == "UpdateItem":
            return self.table.update(arguments)
        if operation == "GetMLTaskRun":
            return self.data.task_run(self.data.number_of(arguments["TaskRunId"]))
        if operation == "GetMLTaskRuns":
            return self._listing(arguments)
        return _EMPTY[operation]

    def _listing(self, arguments: dict[str, Any]) -> dict[str, Any]:
        first = self.data.number_of(arguments["TransformId"]) * self.data.per_transform
        begin, end = first + int(arguments.get("NextToken", 0)), first + self.data.per_transform
        page = range(begin, min(end, begin + arguments.get("MaxResults", MAX_PAGE_RUNS)))
        since = arguments["Filter"]["StartedAfter"]
        listed = [run for run in map(self.data.task_run, page) if run["StartedOn"] > since]
        return {"TaskRuns": listed} | ({"NextToken": str(page.stop - first)} if page.stop < end else {})


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._send(200, dict(self.server.counts))

    def do_POST(self) -> None:
        arguments = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        time.sleep(self.server.call_seconds)
        with self.server.lock:
            self.server.counts[operation] += 1
            answer = self.server.answer(operation, arguments)
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
        """Log nothing: there are tens of thousands of requests."""


if __name__ == "__main__":
    _, runs, transforms, parts, seconds = sys.argv
    with Server(Data(int(runs), int(transforms)), Part.of(0, int(parts)), float(seconds)) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
