"""SnapStart: what is built before the snapshot, and what every process that is restored from it renews.

Lambda's own runtime (awslambdaric) runs the hooks, on the deployed package, against stubs of Lambda, of the credentials' source
and of AWS in this process.
"""

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.stub_aws import StubAws
from tests.template.deployed_package import ROOT, run_python

RUNTIME = importlib.util.find_spec("awslambdaric")
pytestmark = pytest.mark.skipif(RUNTIME is None, reason="needs awslambdaric, which is built for Linux only")
EVENT = json.loads((ROOT / "events" / "api-start-labeling-set.json").read_text())
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Call:
    """An AWS call as its receiver sees it: who signed it, and from which port it came."""

    operation: str
    access_key: str
    port: int


@dataclass
class Surroundings:
    """What a function of Lambda talks to. Each credentials request gets other keys; a restore waits until `restored` is set."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    keys_given: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    waits_for_restore: threading.Event = field(default_factory=threading.Event)
    restored: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    aws: StubAws = field(default_factory=StubAws)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_LAMBDA_RUNTIME_API": self.url.removeprefix("http://"),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "LEDGER_TABLE": "ledger",
            "ALLOWED_S3_PREFIXES": "s3://label-loop-data/",
        }


def handler_of(surroundings: Surroundings) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/credentials":
                key = f"KEY{len(surroundings.keys_given) + 1}"
                surroundings.keys_given.append(key)
                expiration = {"Expiration": "2099-01-01T00:00:00Z"}
                self._send({"AccessKeyId": key, "SecretAccessKey": "secret", "Token": "token", **expiration})
            elif self.path.endswith("/restore/next"):
                surroundings.waits_for_restore.set()
                surroundings.restored.wait(PATIENCE_SECONDS)
                self._send({})
            elif not surroundings.answers:
                self._send(EVENT)
            else:
                surroundings.answered.set()
                surroundings.closed.wait(PATIENCE_SECONDS)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if target := self.headers["X-Amz-Target"]:
                operation = target.rpartition(".")[2]
                access_key = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
                surroundings.calls.append(Call(operation, access_key, self.client_address[1]))
                status, answer = surroundings.aws.answer(operation, body)
                self._send(answer, status)
            else:
                (surroundings.answers if self.path.endswith("/response") else surroundings.errors).append(body)
                self._send({}, 202)

        def _send(self, body: Any, status: int = 200) -> None:  # noqa: ANN401  JSON
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Lambda-Runtime-Aws-Request-Id", "6bc28136-0000-4365-b021-0ce6b2e64ab0")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(1000 * (time.time() + PATIENCE_SECONDS))))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's own name
            pass

    return Handler


@pytest.fixture
def surroundings() -> Iterator[Surroundings]:
    surroundings = Surroundings()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(surroundings))
    server.daemon_threads = True
    surroundings.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield surroundings
    surroundings.closed.set()
    surroundings.restored.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def path(package: Path) -> list[Path]:
    """The package, then the runtime, as in Lambda."""
    assert RUNTIME is not None
    assert RUNTIME.origin is not None
    return [package, Path(RUNTIME.origin).parents[1]]


@contextmanager
def runtime(path: list[Path], surroundings: Surroundings) -> Iterator[None]:
    """Lambda's runtime, with the API's handler."""
    command = [sys.executable, "-S", "-m", "awslambdaric", "handlers.api.handler"]
    variables = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": ":".join(map(str, path))}
    with subprocess.Popen(command, env=variables | surroundings.environment, stdout=subprocess.DEVNULL) as process:  # noqa: S603  see above
        try:
            yield
        finally:
            process.kill()


def test_lambdas_runtime_restores_a_snapshot_and_answers_with_credentials_of_its_own(
    path: list[Path], surroundings: Surroundings
) -> None:
    with runtime(path, surroundings):
        assert surroundings.waits_for_restore.wait(PATIENCE_SECONDS)
        assert (surroundings.keys_given, surroundings.calls) == ([], [])  # a snapshot has neither credentials nor connections
        surroundings.restored.set()
        assert surroundings.answered.wait(PATIENCE_SECONDS)
    assert surroundings.errors == []
    assert [answer["statusCode"] for answer in surroundings.answers] == [202]
    assert {call.access_key for call in surroundings.calls} == {"KEY1"}
    assert "StartMLLabelingSetGenerationTaskRun" in [call.operation for call in surroundings.calls]


# Takes a snapshot by forking: first of a process that has called AWS already, then as often as it is asked, each time with a
# request of its own. Prints what was built before the snapshot, and of each copy the status of its answer and a random number.
COPIES = """
import gc, json, os, random, sys
import handlers.api
from handlers import wiring
from awslambdaric import lambda_runtime_hooks_runner as hooks

event, copies, is_renewed = json.load(sys.stdin)

class Context:
    aws_request_id = "6bc28136-0000-4365-b021-0ce6b2e64ab0"

def start(key):
    headers = event["headers"] | {"Idempotency-Key": key}
    return handlers.api.handler(event | {"headers": headers, "multiValueHeaders": {}}, Context())["statusCode"]

def copy(number):
    read, write = os.pipe()
    state = random.getstate()
    if os.fork() == 0:
        random.setstate(state)  # Python renews it after a fork, which a snapshot is not
        if is_renewed:
            hooks.run_after_restore()
        os.write(write, json.dumps([start(f"key-{number}"), random.random()]).encode())
        os._exit(0)
    os.close(write)
    os.wait()
    return json.loads(os.read(read, 1000))

hooks.run_before_snapshot()
built = [cached.cache_info().currsize for cached in (handlers.api.build_app, wiring.dependencies)] + [gc.get_freeze_count() > 0]
first = start("before-the-snapshot")
print(json.dumps([built, first, [copy(number) for number in range(copies)]]))
"""


def copies(path: list[Path], surroundings: Surroundings, *, is_renewed: bool) -> list[Any]:
    event = EVENT | {"requestContext": EVENT["requestContext"]}
    built, first, answers = run_python(COPIES, [event, 2, is_renewed], path=path, **surroundings.environment)
    assert built == [1, 1, True]
    assert [first, *(status for status, _ in answers)] == [202, 202, 202]
    return [number for _, number in answers]


def test_each_copy_of_a_snapshot_has_credentials_connections_and_random_numbers_of_its_own(
    path: list[Path], surroundings: Surroundings
) -> None:
    numbers = copies(path, surroundings, is_renewed=True)
    assert len(set(numbers)) == len(numbers)
    before, first, second = (ports_of(key, surroundings) for key in ("KEY1", "KEY2", "KEY3"))
    assert before
    assert first
    assert second
    assert not before & first
    assert not before & second
    assert not first & second


def test_without_the_hook_the_copies_would_share_all_three(path: list[Path], surroundings: Surroundings) -> None:
    numbers = copies(path, surroundings, is_renewed=False)
    assert len(set(numbers)) == 1
    assert surroundings.keys_given == ["KEY1"]
    assert len(ports_of("KEY1", surroundings)) == 2  # the ledger's connection and Glue's


def ports_of(access_key: str, surroundings: Surroundings) -> set[int]:
    return {call.port for call in surroundings.calls if call.access_key == access_key}


def test_where_lambdas_runtime_is_missing_the_handlers_need_no_hooks(package: Path) -> None:
    program = "import handlers.api, sys, json; print(json.dumps('snapshot_restore_py' in sys.modules))"
    assert run_python(program, path=[package]) is False
