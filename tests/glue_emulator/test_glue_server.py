"""The ASGI middleware: which requests it answers and passes on, and the faults API."""

import asyncio
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.glue.api_model import ML_OPERATIONS, check_output, service_model
from local.glue.aws import Aws, BotoObjects, MemoryCatalog
from local.glue.in_process import answer_in_process
from local.glue.protocol import check_operations, ml_operation
from local.glue.server import GlueMiddleware
from local.glue.service import GlueService, build_service
from tests.glue_emulator.emulator import CREDENTIALS, EmulatorFactory, make_client

Message = MutableMapping[str, Any]


@pytest.fixture
def service(emulators: EmulatorFactory, tmp_path: Path) -> GlueService:
    return emulators.start(tmp_path / "state")[1]


class Recorder:
    """An application that records its requests and answers 418."""

    def __init__(self) -> None:
        self.scopes: list[Message] = []
        self.received: list[Message] = []

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        self.scopes.append(scope)
        if scope["type"] == "http":
            self.received.append(await receive())
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body", "body": b"mine"})


def send_request(app: GlueMiddleware, scope: Message, *body: bytes) -> list[Message]:
    """The messages that the application sends for one request with a chunked body."""
    incoming = [{"type": "http.request", "body": part, "more_body": number < len(body)} for number, part in enumerate(body, 1)]
    messages: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(app(scope, receive, send))
    return messages


def request(method: str, path: str, target: str | None = None) -> Message:
    headers = [(b"x-amz-target", target.encode())] if target else []
    return {"type": "http", "method": method, "path": path, "headers": headers}


@pytest.mark.parametrize(
    "scope",
    [
        {"type": "lifespan"},
        {"type": "websocket", "path": "/_glue/faults", "headers": []},
        request("POST", "/", "AWSGlue.GetTable"),
        request("POST", "/", "AWSGlue.CreateDatabase"),
        request("POST", "/", "DynamoDB_20120810.PutItem"),
        request("GET", "/bucket/key"),
        request("GET", "/", "AWSGlue.GetMLTransform"),
    ],
)
def test_other_requests_reach_the_wrapped_application_unchanged(service: GlueService, scope: Message) -> None:
    wrapped = Recorder()
    before = dict(scope)
    messages = send_request(GlueMiddleware(wrapped, service), scope, b"body")
    assert wrapped.scopes == [scope]
    assert wrapped.scopes[0] is scope
    assert scope == before
    if scope["type"] == "http":
        assert wrapped.received == [{"type": "http.request", "body": b"body", "more_body": False}]
        assert [message.get("status", message.get("body")) for message in messages] == [418, b"mine"]


def test_an_ml_operation_is_answered_even_with_a_chunked_body(service: GlueService) -> None:
    wrapped = Recorder()
    start, body = send_request(
        GlueMiddleware(wrapped, service), request("POST", "/", "AWSGlue.GetMLTransform"), b'{"Transform', b'Id": "x"}'
    )
    assert wrapped.scopes == []
    assert start["status"] == 400
    assert json.loads(body["body"])["__type"] == "EntityNotFoundException"


def test_malformed_json_is_a_serialization_exception(service: GlueService) -> None:
    for malformed in (b"{", b"[]", b'"x"', b'{"TransformId": ["x"]}', b'{"TransformId": true}'):
        start, body = send_request(
            GlueMiddleware(Recorder(), service), request("POST", "/", "AWSGlue.GetMLTransform"), malformed
        )
        assert (start["status"], json.loads(body["body"])["__type"]) == (400, "SerializationException"), malformed


def test_faults_are_read_replaced_and_cleared_over_http(service: GlueService) -> None:
    app = GlueMiddleware(Recorder(), service)

    def admin(method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        start, message = send_request(app, request(method, path), body)
        return start["status"], json.loads(message["body"])

    off = {"calls": [], "listingDelaySeconds": 0.0, "slotReleaseSeconds": 0.0, "holdRuns": False}
    assert admin("GET", "/_glue/faults") == (200, off)
    call = {"operation": "GetMLTransform", "kind": "throttling", "times": 2, "seconds": 0.0}
    status, shown = admin("PUT", "/_glue/faults", json.dumps({"calls": [call], "holdRuns": True}).encode())
    assert (status, shown) == (200, {**off, "calls": [call], "holdRuns": True})
    for left in (1, 0):
        send_request(app, request("POST", "/", "AWSGlue.ListMLTransforms"), b"{}")
        _, body = send_request(app, request("POST", "/", "AWSGlue.GetMLTransform"), b'{"TransformId": "x"}')
        assert json.loads(body["body"])["__type"] == "ThrottlingException"
        assert sum(fault["times"] for fault in admin("GET", "/_glue/faults")[1]["calls"]) == left
    _, body = send_request(app, request("POST", "/", "AWSGlue.GetMLTransform"), b'{"TransformId": "x"}')
    assert json.loads(body["body"])["__type"] == "EntityNotFoundException"
    assert admin("DELETE", "/_glue/faults") == (200, off)
    for wrong in (b"{", b'{"calls": [{"kind": "earthquake"}]}', b'{"delay": 1}', b'{"listingDelaySeconds": -1}'):
        assert admin("PUT", "/_glue/faults", wrong)[0] == 400
    assert admin("GET", "/_glue/faults") == (200, off)
    assert admin("GET", "/_glue/health") == (200, {"status": "up"})
    assert admin("GET", "/_glue/nothing")[0] == 404
    assert admin("POST", "/_glue/match-runs", b"{}")[0] == 400


def test_aborting_a_connection_needs_hypercorn(service: GlueService) -> None:
    app = GlueMiddleware(Recorder(), service)
    send_request(app, request("PUT", "/_glue/faults"), b'{"calls": [{"kind": "lost-reply"}]}')
    with pytest.raises(RuntimeError, match="under hypercorn only"):
        send_request(app, request("POST", "/", "AWSGlue.ListMLTransforms"), b"{}")


def test_an_unexpected_error_is_a_500_without_details(
    service: GlueService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> dict[str, Any]:
        raise KeyError("secret")

    monkeypatch.setattr(service, "operations", {**service.operations, "ListMLTransforms": broken})
    start, body = send_request(GlueMiddleware(Recorder(), service), request("POST", "/", "AWSGlue.ListMLTransforms"), b"{}")
    assert start["status"] == 500
    assert json.loads(body["body"]) == {"__type": "InternalServiceException", "Message": "Dependency failure."}
    assert "GLUE_FAULT operation=ListMLTransforms" in caplog.text


def test_operation_names_are_checked_at_startup() -> None:
    assert {name for name in service_model().operation_names if "MLT" in name or "Labels" in name or "MLE" in name} | {
        "StartMLLabelingSetGenerationTaskRun"
    } == set(ML_OPERATIONS)
    with pytest.raises(ValueError, match="GetMLTransform"):
        check_operations({name: dict for name in ML_OPERATIONS if name != "GetMLTransform"})
    assert ml_operation("AWSGlue.GetMLTransform") == "GetMLTransform"
    assert ml_operation("AWSGlue.GetTable") is None
    assert ml_operation(None) is None


@pytest.mark.parametrize(
    ("operation", "output"),
    [
        ("CancelMLTaskRun", {"Status": "DONE"}),
        ("GetMLTransform", {"LabelCount": "3"}),
        ("GetMLTransforms", {}),
        ("GetMLTaskRun", {"Stray": 1}),
        ("StartExportLabelsTaskRun", {"TaskRunId": ""}),
    ],
)
def test_a_response_outside_the_api_model_raises(operation: str, output: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="outside its model"):
        check_output(operation, output)


def test_a_boto3_session_can_be_answered_in_process(emulators: EmulatorFactory, service: GlueService) -> None:
    session = boto3.session.Session(**CREDENTIALS)  # type: ignore[arg-type]
    answer_in_process(session.events, service)
    glue = session.client("glue")
    assert glue.list_ml_transforms()["TransformIds"] == []
    with pytest.raises(ClientError, match="Cannot find MLTransform"):
        glue.get_ml_transform(TransformId="x")
    glue.close()
    assert emulators.services == [service]


def test_other_glue_operations_of_an_in_process_client_reach_moto(tmp_path: Path) -> None:
    with mock_aws():
        s3, glue = make_client("s3"), make_client("glue")
        service = build_service(tmp_path, Aws(MemoryCatalog({}), BotoObjects(s3)))
        answer_in_process(glue.meta.events, service)
        glue.create_database(DatabaseInput={"Name": "d"})
        assert glue.get_database(Name="d")["Database"]["Name"] == "d"
        glue.close()
        service.close()
