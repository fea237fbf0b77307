"""The one table from core's errors to HTTP problems (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from core.check_label_file import BAD_FILE, CHANGED
from core.errors import (
    AlreadyEnded,
    FieldError,
    InvalidCursor,
    InvalidRequest,
    KeyReused,
    LedgerUnavailable,
    LoopError,
    QueueFull,
    RunRefused,
    StillInFlight,
    TryAgainLater,
    UnknownRun,
)
from handlers.rest.idempotency_key import MalformedKey

CONTENT_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """What is wrong with one part of the request: `pointer` (JSON Pointer into the body) or `parameter` names it."""

    model_config = ConfigDict(defer_build=True)

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(defer_build=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str | None = Field(default=None, description="The task run that this is about, if there is one.")
    errors: list[FieldProblem] | None = None


# error -> status, title, seconds after which to come back
_TABLE: dict[type[LoopError], tuple[HTTPStatus, str, int | None]] = {
    MalformedKey: (HTTPStatus.BAD_REQUEST, "Malformed Idempotency-Key", None),
    InvalidRequest: (HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", None),
    InvalidCursor: (HTTPStatus.BAD_REQUEST, "Invalid cursor", None),
    KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "Idempotency-Key reused with another payload", None),
    StillInFlight: (HTTPStatus.CONFLICT, "Request still in flight", 5),
    AlreadyEnded: (HTTPStatus.CONFLICT, "Task run already over", None),
    UnknownRun: (HTTPStatus.NOT_FOUND, "Unknown task run", None),
    QueueFull: (HTTPStatus.TOO_MANY_REQUESTS, "Queue full", 60),
    TryAgainLater: (HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", 5),
    LedgerUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", 5),
}
# What `of_error` knows; any other error is an internal fault.
EXPECTED = (*_TABLE, RunRefused)


def problem(
    status: HTTPStatus,
    title: str,
    detail: str,
    *,
    headers: dict[str, str | list[str]] | None = None,
    **more: Any,  # noqa: ANN401  the optional members of ProblemDetails
) -> Response[str]:
    body = ProblemDetails(title=title, status=status, detail=detail, **more)
    return Response(int(status), CONTENT_TYPE, body.model_dump_json(exclude_none=True), headers=headers)


def of_error(error: LoopError) -> Response[str]:
    """The problem that `error` is, one of EXPECTED; the errors' own texts are written for callers."""
    if isinstance(error, RunRefused):
        return _of_refusal(error)
    if isinstance(error, LedgerUnavailable):
        error = TryAgainLater("the ledger cannot be reached just now")  # its own text is AWS's, for the log
    status, title, seconds = next(row for kind, row in _TABLE.items() if isinstance(error, kind))
    headers: dict[str, str | list[str]] = {"Retry-After": str(seconds)} if seconds else {}
    more: dict[str, Any] = {}
    if isinstance(error, InvalidRequest):
        more["errors"] = [FieldProblem(detail=one.detail, pointer=one.pointer) for one in error.errors]
    if isinstance(error, InvalidCursor):
        more["errors"] = [FieldProblem(detail=str(error), parameter="cursor")]
    return problem(status, title, str(error), headers=headers, **more)


def _of_refusal(error: RunRefused) -> Response[str]:
    if error.run.error is not None and error.run.error.code in (BAD_FILE, CHANGED):
        errors = [FieldProblem(detail=line, pointer="#/inputS3Path") for line in error.run.error.message.splitlines()]
        detail = "the label file cannot be imported: nothing was started; mend it and send the same key again"
        instance = f"/v1/task-runs/{error.run.id}"
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid label file", detail, instance=instance, errors=errors)
    unknown = error.run.error is not None and error.run.error.code == "EntityNotFoundException"
    status = HTTPStatus.NOT_FOUND if unknown else HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Unknown transform" if unknown else "Refused by Glue"
    return problem(status, title, str(error), instance=f"/v1/task-runs/{error.run.id}")


def of_validation(error: RequestValidationError) -> Response[str]:
    """What pydantic found wrong: 400 where the request could not be read at all, else 422 with every field."""
    found: Sequence[dict[str, Any]] = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem(HTTPStatus.BAD_REQUEST, "Malformed JSON", "the body is not JSON")
    errors = [_field_problem(one) for one in found]
    if any(one["loc"][0] == "header" for one in found):
        title = "Missing header" if any(one["type"] == "missing" for one in found) else "Invalid header"
        return problem(HTTPStatus.BAD_REQUEST, title, "; ".join(one.detail for one in errors), errors=errors)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", "some fields are not valid", errors=errors)


def field_errors(found: Sequence[Any]) -> list[FieldError]:
    """Pydantic's findings on an event's detail, as core's."""
    return [FieldError(_pointer(one["loc"]), _message(one)) for one in found]


def _field_problem(one: dict[str, Any]) -> FieldProblem:
    location, *rest = one["loc"]
    if location == "body":
        return FieldProblem(detail=_message(one), pointer=_pointer(rest))
    name = {"idempotency-key": "Idempotency-Key"}.get(str(rest[0]).lower(), str(rest[0])) if rest else str(location)
    return FieldProblem(detail=f"{name}: {_message(one)}" if location == "header" else _message(one), parameter=name)


def _pointer(location: Sequence[str | int]) -> str:
    return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def _message(one: dict[str, Any]) -> str:
    return {
        "missing": "is required",
        "extra_forbidden": "is not a field of this request",
        "model_attributes_type": "must be a JSON object",
        "model_type": "must be a JSON object",
    }.get(one["type"], str(one["msg"]).replace("Value error, ", ""))
