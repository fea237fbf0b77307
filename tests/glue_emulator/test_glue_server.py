"""The service inside other applications: what it takes, what it lets through, and how its faults are switched."""

import asyncio
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.glue.aws import Aws, BotoObjects, MemoryCatalog
from local.glue.in_process import answer_in_process
from local.glue.model import ML_OPERATIONS, check_output, service_model
from local.glue.protocol import check_operations, ml_operation
from local.glue.server import GlueMiddleware
from local.glue.service import GlueService, build_service
from tests.glue_emulator.lab import CREDENTIALS, Bench, make_client

Message = MutableMapping[str, Any]


@pytest.fixture
def service(bench: Bench, tmp_path: Path) -> GlueService:
    return bench.open(tmp_path / "state")[1]


class Recorder:
    """An application that keeps what reached it and answers 418."""

    def __init__(self) -> None:
        self.scopes: list[Message] = []
        self.received: list[Message] = []

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        self.scopes.append(scope)
        if scope["type"] == "http":
            self.received.append(await receive())
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body", "body": b"mine"})


def sent(app: GlueMiddleware, scope: Message, *body: bytes) -> list[Message]:
    """What the application sends for one request, its body in parts."""
    waiting = [{"type": "http.request", "body": part, "more_body": number < len(body)} for number, part in enumerate(body, 1)]
    answers: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        answers.append(message)

    asyncio.run(app(scope, receive, send))
    return answers


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
def test_what_is_not_ours_reaches_the_other_application_untouched(service: GlueService, scope: Message) -> None:
    other = Recorder()
    before = dict(scope)
    answers = sent(GlueMiddleware(other, service), scope, b"body")
    assert other.scopes == [scope]
    assert other.scopes[0] is scope
    assert scope == before
    if scope["type"] == "http":
        assert other.received == [{"type": "http.request", "body": b"body", "more_body": False}]
        assert [answer.get("status", answer.get("body")) for answer in answers] == [418, b"mine"]


def test_an_ml_operation_is_answered_here_also_when_its_body_comes_in_parts(service: GlueService) -> None:
    other = Recorder()
    start, body = sent(
        GlueMiddleware(other, service), request("POST", "/", "AWSGlue.GetMLTransform"), b'{"Transform', b'Id": "x"}'
    )
    assert other.scopes == []
    assert start["status"] == 400
    assert json.loads(body["body"])["__type"] == "EntityNotFoundException"


def test_malformed_json_is_a_serialization_exception(service: GlueService) -> None:
    for malformed in (b"{", b"[]", b'"x"', b'{"TransformId": ["x"]}', b'{"TransformId": true}'):
        start, body = sent(GlueMiddleware(Recorder(), service), request("POST", "/", "AWSGlue.GetMLTransform"), malformed)
        assert (start["status"], json.loads(body["body"])["__type"]) == (400, "SerializationException"), malformed


def test_faults_are_shown_switched_and_cleared(service: GlueService) -> None:
    app = GlueMiddleware(Recorder(), service)

    def admin(method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        start, answer = sent(app, request(method, path), body)
        return start["status"], json.loads(answer["body"])

    off = {"calls": [], "listingDelaySeconds": 0.0, "slotReleaseSeconds": 0.0, "holdRuns": False}
    assert admin("GET", "/_glue/faults") == (200, off)
    call = {"operation": "GetMLTransform", "kind": "throttling", "times": 2, "seconds": 0.0}
    status, shown = admin("PUT", "/_glue/faults", json.dumps({"calls": [call], "holdRuns": True}).encode())
    assert (status, shown) == (200, {**off, "calls": [call], "holdRuns": True})
    for left in (1, 0):
        sent(app, request("POST", "/", "AWSGlue.ListMLTransforms"), b"{}")
        _, body = sent(app, request("POST", "/", "AWSGlue.GetMLTransform"), b'{"TransformId": "x"}')
        assert json.loads(body["body"])["__type"] == "ThrottlingException"
        assert sum(fault["times"] for fault in admin("GET", "/_glue/faults")[1]["calls"]) == left
    _, body = sent(app, request("POST", "/", "AWSGlue.GetMLTransform"), b'{"TransformId": "x"}')
    assert json.loads(body["body"])["__type"] == "EntityNotFoundException"
    assert admin("DELETE", "/_glue/faults") == (200, off)
    for wrong in (b"{", b'{"calls": [{"kind": "earthquake"}]}', b'{"delay": 1}', b'{"listingDelaySeconds": -1}'):
        assert admin("PUT", "/_glue/faults", wrong)[0] == 400
    assert admin("GET", "/_glue/faults") == (200, off)
    assert admin("GET", "/_glue/health") == (200, {"status": "up"})
    assert admin("GET", "/_glue/nothing")[0] == 404
    assert admin("POST", "/_glue/match-runs", b"{}")[0] == 400


def test_a_connection_cannot_be_aborted_where_there_is_none(service: GlueService) -> None:
    app = GlueMiddleware(Recorder(), service)
    sent(app, request("PUT", "/_glue/faults"), b'{"calls": [{"kind": "lost-reply"}]}')
    with pytest.raises(RuntimeError, match="under hypercorn only"):
        sent(app, request("POST", "/", "AWSGlue.ListMLTransforms"), b"{}")


def test_an_unexpected_fault_is_a_500_and_tells_nothing(
    service: GlueService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> dict[str, Any]:
        raise KeyError("secret")

    monkeypatch.setattr(service, "operations", {**service.operations, "ListMLTransforms": broken})
    start, body = sent(GlueMiddleware(Recorder(), service), request("POST", "/", "AWSGlue.ListMLTransforms"), b"{}")
    assert start["status"] == 500
    assert json.loads(body["body"]) == {"__type": "InternalServiceException", "Message": "Dependency failure."}
    assert "GLUE_FAULT operation=ListMLTransforms" in caplog.text


def test_operation_names_are_checked_at_start_up() -> None:
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
def test_an_answer_outside_the_model_is_our_fault(operation: str, output: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="outside its model"):
        check_output(operation, output)


def test_a_whole_session_may_be_answered_in_process(bench: Bench, service: GlueService) -> None:
    session = boto3.session.Session(**CREDENTIALS)  # type: ignore[arg-type]
    answer_in_process(session.events, service)
    glue = session.client("glue")
    assert glue.list_ml_transforms()["TransformIds"] == []
    with pytest.raises(ClientError, match="Cannot find MLTransform"):
        glue.get_ml_transform(TransformId="x")
    glue.close()
    assert bench.services == [service]


def test_other_glue_operations_of_a_hooked_client_go_on_to_moto(tmp_path: Path) -> None:
    with mock_aws():
        s3, glue = make_client("s3"), make_client("glue")
        service = build_service(tmp_path, Aws(MemoryCatalog({}), BotoObjects(s3)))
        answer_in_process(glue.meta.events, service)
        glue.create_database(DatabaseInput={"Name": "d"})
        assert glue.get_database(Name="d")["Database"]["Name"] == "d"
        glue.close()
        service.close()
