"""Errors as HTTP problems, and the method of each path."""

import json

import pytest

from core.errors import (
    AlreadyEnded,
    FieldError,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidRequest,
    LedgerUnavailable,
    LoopError,
    QueueFull,
    RequestInFlight,
    RunNotFound,
    RunRefused,
    TryAgainLater,
)
from handlers.rest.idempotency_key import MalformedKey
from handlers.rest.problems import error_problem, refusal_problem
from handlers.rest.routes import allowed_methods
from tests.fakes.glue import Fault
from tests.fakes.service import Service, labeling_command


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (MalformedKey("no"), 400, False),
        (InvalidCursor("no"), 400, False),
        (RunNotFound("no"), 404, False),
        (RequestInFlight("no"), 409, True),
        (InvalidRequest(FieldError("#/transformId", "is required")), 422, False),
        (IdempotencyKeyReused("no"), 422, False),
        (QueueFull("no"), 429, True),
        (TryAgainLater("no"), 503, True),
        (LedgerUnavailable("no"), 503, True),
    ],
)
def test_every_error_is_a_problem(error: LoopError, status: int, *, retry_after: bool) -> None:
    response = error_problem(error)
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert ("Retry-After" in response.headers) == retry_after
    body = json.loads(response.body or "")
    assert body["status"] == status
    assert {"type", "title", "detail"} <= set(body)


def test_each_field_error_has_a_json_pointer() -> None:
    invalid = InvalidRequest(FieldError("#/transformId", "is required"), FieldError("#/outputS3Path", "is not allowed here"))
    body = json.loads(error_problem(invalid).body or "")
    assert [(error["pointer"], error["detail"]) for error in body["errors"]] == [
        ("#/transformId", "is required"),
        ("#/outputS3Path", "is not allowed here"),
    ]


@pytest.mark.parametrize(("transform_id", "status"), [("tfm-none", 404), ("tfm-1", 422)])
def test_refusal_by_glue_names_the_recorded_run(service: Service, transform_id: str, status: int) -> None:
    service.glue.faults = [Fault.REFUSED] if transform_id == "tfm-1" else []
    run = service.start_run(labeling_command(transform_id=transform_id))
    response = refusal_problem(RunRefused(run), f"task-runs/{run.id}")
    assert response.status_code == status
    assert json.loads(response.body or "")["instance"] == f"task-runs/{run.id}"


def test_cancelling_an_ended_run_is_a_conflict(service: Service) -> None:
    service.glue.faults = [Fault.REFUSED]
    response = error_problem(AlreadyEnded(service.start_run(labeling_command())))
    assert response.status_code == 409
    assert "already ended: REFUSED" in (response.body or "")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/labeling-set-runs", "POST"),
        ("/v1/label-import-runs", "POST"),
        ("/v1/task-runs", "GET"),
        ("/v1/task-runs/abc", "GET"),
        ("/v1/task-runs/abc/cancellation", "POST"),
        ("/v1/openapi.json", "GET"),
        ("/v1/labeling-sets/abc/links", "GET, POST"),
        ("/v1/labeling-sets/abc/links/xyz", "DELETE"),
        ("/v1/task-runs/abc/other", ""),
        ("/v1/task-runs/a/b/cancellation", ""),
        ("/v2/task-runs", ""),
        ("/", ""),
    ],
)
def test_each_path_allows_its_methods(path: str, methods: str) -> None:
    assert ", ".join(allowed_methods(path)) == methods
