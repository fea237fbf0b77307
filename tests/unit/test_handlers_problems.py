"""The one table from core's errors to HTTP problems, and which paths there are."""

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
from handlers.rest.problems import error_problem
from handlers.rest.routes import allowed_method
from tests.fakes.glue import Fault
from tests.fakes.service import Service, labeling_command


@pytest.mark.parametrize(
    ("error", "status", "comes_again"),
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
def test_every_error_is_a_problem(error: LoopError, status: int, *, comes_again: bool) -> None:
    answer = error_problem(error)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert ("Retry-After" in answer.headers) == comes_again
    body = json.loads(answer.body or "")
    assert body["status"] == status
    assert {"type", "title", "detail"} <= set(body)


def test_field_errors_carry_a_json_pointer_each() -> None:
    error = InvalidRequest(FieldError("#/transformId", "is required"), FieldError("#/outputS3Path", "is not allowed here"))
    body = json.loads(error_problem(error).body or "")
    assert [(one["pointer"], one["detail"]) for one in body["errors"]] == [
        ("#/transformId", "is required"),
        ("#/outputS3Path", "is not allowed here"),
    ]


@pytest.mark.parametrize(("transform_id", "status"), [("tfm-none", 404), ("tfm-1", 422)])
def test_glues_no_names_the_run_that_is_on_record(service: Service, transform_id: str, status: int) -> None:
    service.glue.faults = [Fault.REFUSED] if transform_id == "tfm-1" else []
    run = service.start_run(labeling_command(transform_id=transform_id))
    answer = error_problem(RunRefused(run))
    assert answer.status_code == status
    assert json.loads(answer.body or "")["instance"] == f"/v1/task-runs/{run.id}"


def test_what_is_over_is_a_conflict(service: Service) -> None:
    service.glue.faults = [Fault.REFUSED]
    answer = error_problem(AlreadyEnded(service.start_run(labeling_command())))
    assert answer.status_code == 409
    assert "already ended: REFUSED" in (answer.body or "")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/v1/labeling-set-runs", "POST"),
        ("/v1/label-import-runs", "POST"),
        ("/v1/task-runs", "GET"),
        ("/v1/task-runs/abc", "GET"),
        ("/v1/task-runs/abc/cancellation", "POST"),
        ("/v1/openapi.json", "GET"),
        ("/v1/task-runs/abc/other", None),
        ("/v1/task-runs/a/b/cancellation", None),
        ("/v2/task-runs", None),
        ("/", None),
    ],
)
def test_every_path_of_the_contract_takes_its_method(path: str, method: str | None) -> None:
    assert allowed_method(path) == method
