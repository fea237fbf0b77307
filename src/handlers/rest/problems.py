"""Errors as HTTP problems (RFC 9457).

`title` names the kind of problem and is the same each time. `detail` is one or more sentences about this request.
`errors[].detail` continues the name of the field or parameter that it points at: `#/transformId` "is required".
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from core.check_label_file import FILE_CHANGED_CODE, FILE_SUPERSEDED_CODE, INVALID_FILE_CODE
from core.errors import (
    AlreadyEnded,
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
from core.refusals import FILE_REMEDIES, UNKNOWN_TRANSFORM_CODE
from handlers.rest.headers import IDEMPOTENCY_KEY, RETRY_AFTER
from handlers.rest.idempotency_key import MalformedKey
from handlers.validation import json_pointer, message

PROBLEM_JSON = "application/problem+json"


class FieldProblem(BaseModel):
    """What is wrong with one part of the request, named by `pointer` or by `parameter`."""

    model_config = ConfigDict(defer_build=True)

    detail: str = Field(description="Continues the name of the field or parameter, such as `is required`.")
    pointer: str | None = Field(default=None, description="A JSON Pointer into the body, as a URI fragment.")
    parameter: str | None = Field(default=None, description="A header, or a parameter of the query.")


class ProblemDetails(BaseModel):
    """Problem details as in RFC 9457; members that do not apply are left out."""

    model_config = ConfigDict(defer_build=True)

    type: str = "about:blank"
    title: str = Field(description="The kind of problem; the same text each time.")
    status: int | None = Field(default=None, description="The HTTP status. Only API Gateway's own errors may lack it.")
    detail: str | None = Field(
        default=None, description="What is wrong with this request. Only API Gateway's own errors may lack it."
    )
    instance: str | None = Field(
        default=None, description="The task run that the problem is about, relative to the URL of the request."
    )
    errors: list[FieldProblem] | None = Field(default=None, description="Each field or parameter that is wrong.")


class ProblemKind(NamedTuple):
    """How an error is answered; a `detail` of None stands for the error's own text, which is then written for callers."""

    status: HTTPStatus
    title: str
    detail: str | None = None
    retry_after_seconds: int | None = None


INVALID_REQUEST = ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", "Some fields are not valid; see errors.")
INVALID_LABEL_FILE = ProblemKind(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Invalid label file",
    "The label file cannot be imported, and no run was started. Correct the file and send the same key again.",
)
UNREADABLE_LABEL_FILE = ProblemKind(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Label file not readable",
    "S3 refuses to read the label file, and no run was started. Remove the cause and send the same key again.",
)
UNKNOWN_TRANSFORM = ProblemKind(HTTPStatus.NOT_FOUND, "Unknown transform")
REFUSED_BY_GLUE = ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "Refused by Glue")
MALFORMED_JSON = ProblemKind(HTTPStatus.BAD_REQUEST, "Malformed JSON", "The body is not valid JSON.")
MISSING_HEADER = ProblemKind(HTTPStatus.BAD_REQUEST, "Missing header", f"The header {IDEMPOTENCY_KEY} is required.")
INVALID_HEADER = ProblemKind(HTTPStatus.BAD_REQUEST, "Invalid header", f"The header {IDEMPOTENCY_KEY} is not valid.")
INTERNAL_FAULT = ProblemKind(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal fault", "The request could not be served.")
KINDS: dict[type[LoopError], ProblemKind] = {
    MalformedKey: ProblemKind(HTTPStatus.BAD_REQUEST, "Malformed Idempotency-Key"),
    InvalidRequest: INVALID_REQUEST,
    InvalidCursor: ProblemKind(HTTPStatus.BAD_REQUEST, "Invalid cursor", "The cursor is not valid for this listing."),
    IdempotencyKeyReused: ProblemKind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Idempotency-Key reused with another payload",
        "This Idempotency-Key was sent before with another payload.",
    ),
    RequestInFlight: ProblemKind(
        HTTPStatus.CONFLICT, "Request still in flight", "The first request with this key is still being processed.", 5
    ),
    AlreadyEnded: ProblemKind(HTTPStatus.CONFLICT, "Task run already ended"),
    RunNotFound: ProblemKind(HTTPStatus.NOT_FOUND, "Unknown task run"),
    QueueFull: ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Queue full",
        "Glue is at its limit and the queue of the transform is full. No run was started.",
        60,
    ),
    TryAgainLater: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", None, 5),
    # The error's own text is AWS's, for the log.
    LedgerUnavailable: ProblemKind(
        HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", "The ledger is temporarily unavailable.", 5
    ),
}
# What is answered as a problem of its own; any other error is an internal fault.
EXPECTED = (*KINDS, RunRefused)


def problem(
    kind: ProblemKind,
    text: str = "",
    *,
    headers: dict[str, str | list[str]] | None = None,
    **more: Any,  # noqa: ANN401  the optional members of ProblemDetails
) -> Response[str]:
    """A problem of this kind; `text` is its detail where the kind has none of its own."""
    body = ProblemDetails(title=kind.title, status=kind.status, detail=kind.detail or text, **more)
    seconds = kind.retry_after_seconds
    retry_after: dict[str, str | list[str]] = {RETRY_AFTER: str(seconds)} if seconds else {}
    return Response(
        int(kind.status), PROBLEM_JSON, body.model_dump_json(exclude_none=True), headers=retry_after | (headers or {})
    )


def kind_of(error: LoopError, kinds: Mapping[type[LoopError], ProblemKind]) -> ProblemKind:
    """The kind of the first type in `kinds` that `error` has."""
    return next(kind for error_type, kind in kinds.items() if isinstance(error, error_type))


def error_problem(error: LoopError) -> Response[str]:
    """The problem for an error of a type in KINDS."""
    kind = kind_of(error, KINDS)
    errors: list[FieldProblem] | None = None
    if isinstance(error, InvalidRequest):
        errors = [FieldProblem(detail=field.detail, pointer=field.pointer) for field in error.errors]
    if isinstance(error, InvalidCursor):
        errors = [FieldProblem(detail=str(error), parameter="cursor")]
    return problem(kind, str(error), errors=errors)


def refusal_problem(refused: RunRefused, instance: str) -> Response[str]:
    """The problem for a run that was refused; `instance` is the URI reference of the run."""
    error = refused.run.error
    code = error.code if error is not None else None
    if error is not None and code in (INVALID_FILE_CODE, FILE_CHANGED_CODE, FILE_SUPERSEDED_CODE):
        errors = [FieldProblem(detail=finding, pointer="#/inputS3Path") for finding in error.message.splitlines()]
        return problem(INVALID_LABEL_FILE, instance=instance, errors=errors)
    if error is not None and code in FILE_REMEDIES:
        return problem(
            UNREADABLE_LABEL_FILE, instance=instance, errors=[FieldProblem(detail=error.message, pointer="#/inputS3Path")]
        )
    kind = UNKNOWN_TRANSFORM if code == UNKNOWN_TRANSFORM_CODE else REFUSED_BY_GLUE
    return problem(kind, str(refused), instance=instance)


def validation_problem(error: RequestValidationError) -> Response[str]:
    """400 if the request could not be read, else 422 with every field that is not valid."""
    errors: list[dict[str, Any]] = list(error.errors())
    if any(each["type"] == "json_invalid" for each in errors):
        return problem(MALFORMED_JSON)
    fields = [_field_problem(each) for each in errors]
    if any(each["loc"][0] == "header" for each in errors):
        is_missing = any(each["type"] == "missing" for each in errors)
        return problem(MISSING_HEADER if is_missing else INVALID_HEADER, errors=fields)
    return problem(INVALID_REQUEST, errors=fields)


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    location, *rest = error["loc"]
    if location == "body":
        return FieldProblem(detail=message(error), pointer=json_pointer(rest))
    name = str(rest[0]) if rest else str(location)
    is_key = name.lower() == IDEMPOTENCY_KEY.lower()  # Powertools puts names of headers in lower case
    return FieldProblem(detail=message(error), parameter=IDEMPOTENCY_KEY if is_key else name)
