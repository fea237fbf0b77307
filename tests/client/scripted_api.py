"""An HTTP server on this machine that answers as a script says, and records what it received."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeAlias

from botocore.credentials import Credentials
from botocore.session import Session

from label_loop import LabelLoop
from label_loop.endpoint import Endpoint
from label_loop.retries import Retries

RUN: Mapping[str, Any] = {
    "id": "0123456789abcdef0123456789abcdef",
    "transformId": "tfm-1",
    "taskType": "LABELING_SET_GENERATION",
    "status": "STARTING",
    "taskRunId": "tsk-1",
    "outputS3Path": "s3://bucket/sets/0123456789abcdef0123456789abcdef/",
    "requestedBy": "123456789012:role/caller",
    "requestedOn": "2026-11-27T10:00:00Z",
}
Answer: TypeAlias = tuple[int, Mapping[str, str], Any]  # status, headers, document
LOST: Answer = (0, {}, None)  # the connection is closed without an answer


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class ScriptedApi:
    """Answers with `answers` one after the other; the last one is repeated."""

    answers: list[Answer]
    url: str = ""
    received: list[Received] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def loop(self, seconds: float = 120.0) -> LabelLoop:
        """A client of this server whose pauses take no time, and are recorded."""
        endpoint = Endpoint(self.url, "us-east-1", Credentials("AKIDEXAMPLE", "secret"), Session())
        return LabelLoop(endpoint=endpoint, retries=Retries(seconds, self.pauses.append, lambda: sum(self.pauses)))


@contextmanager
def scripted_api(*answers: Answer) -> Iterator[ScriptedApi]:
    api = ScriptedApi(list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            api.received.append(Received(self.command, self.path, headers, json.loads(body) if body else None))
            status, extra, document = api.answers.pop(0) if len(api.answers) > 1 else api.answers[0]
            if status == 0:
                self.close_connection = True
                return
            content = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **extra}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's parameter
            """Requests are recorded, not printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}/prod"
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
