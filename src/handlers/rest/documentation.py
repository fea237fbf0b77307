"""What OpenAPI says of each route, beyond what its types say."""

from http import HTTPStatus
from typing import Any

from handlers.rest.bodies import MAX_BYTES
from handlers.rest.examples import TASK_RUN_ID
from handlers.rest.problems import CONTENT_TYPE, ProblemDetails

_HEADERS = {
    "Location": ("The task run's path.", f"/v1/task-runs/{TASK_RUN_ID}"),
    "Retry-After": ("Seconds after which to look, or to send the request, again.", "30"),
    "Idempotency-Replayed": ("`true` if an earlier request with this key had asked for the run already; else absent.", "true"),
}


def _example(status: int, title: str, detail: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  ProblemDetails' members
    """ProblemDetails as they are answered; no model is built for it, as most processes never show it."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}


# Every route may answer with it.
INTERNAL_FAULT = {
    "description": "An internal fault.",
    "content": {
        CONTENT_TYPE: {
            "schema": {"$ref": "#/components/schemas/ProblemDetails"},
            "example": _example(500, "Internal fault", "the request could not be served"),
        }
    },
}


def _headers(names: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: {"description": text, "schema": {"type": "string"}, "example": example}
        for name, (text, example) in _HEADERS.items()
        if name in names
    }


def _problem(status: int, description: str, title: str, detail: str, *headers: str, **more: Any) -> dict[int, Any]:  # noqa: ANN401  ProblemDetails' members
    content = {CONTENT_TYPE: {"model": ProblemDetails, "example": _example(status, title, detail, **more)}}
    return {status: {"description": description, "content": content, "headers": _headers(headers)}}


_FOLLOWS = {
    "getTaskRun": "It is shown as it stands, whatever its status; another caller's only where the operator lets all see all.",
    "listTaskRuns": "Newest first; each caller sees its own, unless the operator lets all see all.",
    "cancelTaskRun": "In Glue if it was started there, else before it ever is.",
    "getOpenApi": "It is generated from the code that answers.",
}


def _route(
    operation_id: str, summary: str, status: HTTPStatus, description: str, problems: dict[int, Any], *headers: str
) -> dict[str, Any]:
    return {
        "operation_id": operation_id,
        "summary": summary,
        "description": f"{summary}. {_FOLLOWS.get(operation_id, '')}".strip(),
        "responses": {int(status): {"description": description, "headers": _headers(headers)}} | problems,
        "status_code": int(status),
        "tags": ["task runs"],
    }


_LATER = _problem(
    503,
    "A passing fault, nothing was started; the same key may be sent again.",
    "Try again later",
    "the ledger cannot be reached just now",
    "Retry-After",
)
_NOT_JSON = _problem(
    413, "The body is longer than any request that is valid.", "Request too large", f"a body may have {MAX_BYTES} bytes"
) | _problem(415, "The body is not JSON.", "Unsupported media type", "send application/json, not text/plain")
_UNKNOWN_RUN = _problem(404, "No such task run.", "Unknown task run", f"there is no task run {TASK_RUN_ID}")

_STARTING = (
    _problem(
        400,
        "The Idempotency-Key is missing or malformed, or the body is not JSON.",
        "Missing header",
        "Idempotency-Key: is required",
        errors=[{"detail": "Idempotency-Key: is required", "parameter": "Idempotency-Key"}],
    )
    | _problem(
        404,
        "Glue knows no such transform; the run is recorded as REFUSED.",
        "Unknown transform",
        "EntityNotFoundException: Cannot find MLTransform in account 123456789012 with handle tfm-0123456789abcdef.",
        instance=f"/v1/task-runs/{TASK_RUN_ID}",
    )
    | _problem(
        409,
        "The first request with this key is still in flight.",
        "Request still in flight",
        "the first request with this key is still being worked on",
        "Retry-After",
    )
    | _NOT_JSON
    | _problem(
        422,
        "Invalid fields, a path that is not allowed, a key reused with another payload, or Glue's no.",
        "Invalid request",
        "some fields are not valid",
        errors=[{"detail": "is required", "pointer": "#/transformId"}],
    )
    | _problem(
        429,
        "Glue is at its limit and the transform's queue is full.",
        "Queue full",
        "Glue is at its limit and the transform's queue is full",
        "Retry-After",
    )
    | _LATER
)
_ACCEPTED = "Accepted: the task run, started or on its way. A replay shows it as it stands now."


def _start(operation_id: str, summary: str, description: str) -> dict[str, Any]:
    names = ("Location", "Retry-After", "Idempotency-Replayed")
    return _route(operation_id, summary, HTTPStatus.ACCEPTED, _ACCEPTED, _STARTING, *names) | {"description": description}


START_LABELING_SET = _start(
    "startLabelingSetRun",
    "Start a labeling-set run",
    "Has Glue generate a labeling set, exactly once per idempotency key.",
)
START_LABEL_IMPORT = _start(
    "startLabelImportRun",
    "Start a label-import run",
    "Has Glue import a labeled file, exactly once per idempotency key. Imports of one transform run one at a time, in the "
    "order in which they were accepted.",
)
GET = _route("getTaskRun", "Get a task run", HTTPStatus.OK, "The task run.", _UNKNOWN_RUN | _LATER)
LIST = _route(
    "listTaskRuns",
    "List task runs",
    HTTPStatus.OK,
    "One page of task runs; it may be short although there is a next one.",
    _problem(
        400,
        "A cursor of another listing.",
        "Invalid cursor",
        "belongs to a listing with other filters",
        errors=[{"detail": "belongs to a listing with other filters", "parameter": "cursor"}],
    )
    | _problem(
        422,
        "Invalid parameters.",
        "Invalid request",
        "some fields are not valid",
        errors=[{"detail": "Input should be less than or equal to 100", "parameter": "limit"}],
    )
    | _LATER,
)
CANCEL = _route(
    "cancelTaskRun",
    "Cancel a task run",
    HTTPStatus.ACCEPTED,
    "The task run, cancelled or about to be.",
    _UNKNOWN_RUN
    | _problem(
        409,
        "The task run is already over.",
        "Task run already over",
        f"the task run {TASK_RUN_ID} is already SUCCEEDED",
    )
    | _NOT_JSON
    | _LATER,
)
OPENAPI_DOCUMENT = _route("getOpenApi", "Get this document", HTTPStatus.OK, "The API's OpenAPI 3.1 document.", {}) | {
    "tags": ["about"]
}
OPENAPI_DOCUMENT["responses"][200]["content"] = {"application/json": {"schema": {"type": "object"}}}
