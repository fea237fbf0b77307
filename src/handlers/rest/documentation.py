"""What the OpenAPI document says about each operation beyond the types of its function.

Only the document needs it, so no route holds it: `openapi` merges it in by operation id.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from core.errors import (
    AlreadyEnded,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidRequest,
    LedgerUnavailable,
    QueueFull,
    RequestInFlight,
    RunNotFound,
    TryAgainLater,
)
from core.refusals import FILE_REMEDIES, UNKNOWN_TRANSFORM_CODE
from handlers.rest.bodies import JSON, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
from handlers.rest.examples import TASK_RUN_ID
from handlers.rest.headers import IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, LOCATION, RETRY_AFTER
from handlers.rest.idempotency_key import HEADER_PATTERN, MAX_CHARACTERS, MAX_HEADER_CHARACTERS
from handlers.rest.problems import (
    INTERNAL_FAULT,
    INVALID_LABEL_FILE,
    KINDS,
    MALFORMED_JSON,
    MISSING_HEADER,
    PROBLEM_JSON,
    REFUSED_BY_GLUE,
    UNKNOWN_TRANSFORM,
    UNREADABLE_LABEL_FILE,
    ProblemKind,
)
from handlers.rest.routes import task_run_reference

# API Gateway answers these itself; template.yaml has the texts.
_NOT_SIGNED = ProblemKind(HTTPStatus.FORBIDDEN, "Not signed", "Missing Authentication Token")
_ACCESS_DENIED = ProblemKind(HTTPStatus.FORBIDDEN, "Access denied", "User is not authorized to access this resource")
_TOO_MANY_REQUESTS = ProblemKind(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", "Too Many Requests", 5)
_NOT_IN_TIME = ProblemKind(HTTPStatus.GATEWAY_TIMEOUT, "The request could not be served in time")

_HEADERS: dict[str, dict[str, Any]] = {
    LOCATION: {
        "description": "The task run, relative to the URL of the request.",
        "schema": {"type": "string", "format": "uri-reference"},
        "example": task_run_reference(TASK_RUN_ID),
    },
    RETRY_AFTER: {
        "description": "Seconds to wait before the next request.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 30,
    },
    IDEMPOTENCY_REPLAYED: {
        "description": "Sent, as `true`, if an earlier request with this key was accepted before.",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
}
_PROBLEM_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}

IDEMPOTENCY_KEY_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_HEADER_CHARACTERS,
    "pattern": HEADER_PATTERN,
    "examples": ["7f1c2f0e-nightly", '"7f1c2f0e-nightly"'],
}
IDEMPOTENCY_KEY_DESCRIPTION = (
    f"A name that you choose for the run: 1 to {MAX_CHARACTERS} visible ASCII characters, either bare or as a quoted "
    "structured-field string, in which a backslash escapes quotes and backslashes. Use one key per run that you want, and send "
    "the same key when you retry."
)


def _headers(*names: str) -> dict[str, Any]:
    return {name: _HEADERS[name] for name in names}


def _success(schema: str | None, description: str, *headers: str) -> dict[str, Any]:
    content = {"type": "object"} if schema is None else {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "headers": _headers(*headers), "content": {JSON: {"schema": content}}}


def _example(kind: ProblemKind, text: str, more: Mapping[str, Any]) -> dict[str, Any]:
    detail = kind.detail or text
    problem = {"type": "about:blank", "title": kind.title, "status": int(kind.status)}
    return problem | ({"detail": detail} if detail else {}) | dict(more)


def _problem(description: str, *examples: dict[str, Any], headers: tuple[str, ...] = ()) -> dict[str, Any]:
    """A response with one example, or with several that are named by their titles."""
    named = {"examples": {each["title"]: {"value": each} for each in examples}}
    content = {"schema": _PROBLEM_SCHEMA} | ({"example": examples[0]} if len(examples) == 1 else named)
    return {"description": description, "headers": _headers(*headers), "content": {PROBLEM_JSON: content}}


def _field(detail: str, **name: str) -> dict[str, Any]:
    return {"errors": [{"detail": detail, **name}]}


_RETRY = (RETRY_AFTER,)
_INSTANCE = {"instance": task_run_reference(TASK_RUN_ID)}
_MISSING_KEY_EXAMPLE = _example(MISSING_HEADER, "", _field("is required", parameter=IDEMPOTENCY_KEY))
_MALFORMED_JSON_EXAMPLE = _example(MALFORMED_JSON, "", {})


def _responses(*, outcome: str, fault: str, timeout: str) -> dict[int, Any]:
    """The errors that every operation has; the texts say what a caller knows after a fault, and what to do."""
    return {
        403: _problem(
            "The request is not signed, its signature is not valid, or the signer may not call this operation.",
            _example(_NOT_SIGNED, "", {}),
            _example(_ACCESS_DENIED, "", {}),
        ),
        429: _problem(f"The API's rate limit is reached. {outcome}", _example(_TOO_MANY_REQUESTS, "", {}), headers=_RETRY),
        500: _problem(f"An internal fault. {fault}", _example(INTERNAL_FAULT, "", {})),
        504: _problem(f"The request took longer than API Gateway waits. {timeout}", _example(_NOT_IN_TIME, "", {})),
    }


def _unavailable(description: str, kind: type[LedgerUnavailable | TryAgainLater], text: str = "") -> dict[int, Any]:
    return {503: _problem(description, _example(KINDS[kind], text, {}), headers=_RETRY)}


_BODY = {
    413: _problem("The body is longer than any valid request.", _example(TOO_LARGE, "", {})),
    415: _problem("The content type is not JSON.", _example(UNSUPPORTED_MEDIA_TYPE, "", {})),
}
_UNKNOWN_RUN = {
    404: _problem(
        "There is no such task run, or it is another caller's.",
        _example(KINDS[RunNotFound], f"There is no task run {TASK_RUN_ID}.", {}),
    )
}
_SAME_KEY = "Send the same key again: it starts no second run."

_STARTING = {
    **_responses(
        outcome="No run was started; send the same key again later.",
        fault=f"Whether a run was started is not known. {_SAME_KEY}",
        timeout=f"Whether a run was started is not known. {_SAME_KEY}",
    ),
    400: _problem(
        "The Idempotency-Key is missing or malformed, or the body is not JSON. No run was started.",
        _MISSING_KEY_EXAMPLE,
        _MALFORMED_JSON_EXAMPLE,
    ),
    404: _problem(
        "Glue knows no such transform. The run is recorded as REFUSED.",
        _example(
            UNKNOWN_TRANSFORM,
            f"{UNKNOWN_TRANSFORM_CODE}: Cannot find MLTransform in account 123456789012 with handle tfm-0123456789abcdef.",
            _INSTANCE,
        ),
    ),
    409: _problem(
        "The first request with this key is still being processed.",
        _example(KINDS[RequestInFlight], "", {}),
        headers=_RETRY,
    ),
    **_BODY,
    503: _unavailable(
        "A temporary fault. No run was started; send the same key again.",
        TryAgainLater,
        "Glue cannot start the run at the moment. No run was started; send the same key again.",
    )[503],
}
_STARTING[429] = _problem(
    "Glue is at its limit and the queue of the transform is full, or the API's rate limit is reached. No run was started; "
    "send the same key again later.",
    _example(KINDS[QueueFull], "", {}),
    _example(_TOO_MANY_REQUESTS, "", {}),
    headers=_RETRY,
)
_INVALID_START = (
    _example(KINDS[InvalidRequest], "", _field("is required", pointer="#/transformId")),
    _example(KINDS[IdempotencyKeyReused], "", {}),
    _example(REFUSED_BY_GLUE, "InvalidInputException: The transform is not in a state to start a task run.", _INSTANCE),
)
_INVALID_FILE = _example(
    INVALID_LABEL_FILE,
    "",
    _INSTANCE | _field("line 1: the header must begin with labeling_set_id,label", pointer="#/inputS3Path"),
)
_UNREADABLE_FILE = _example(
    UNREADABLE_LABEL_FILE,
    "",
    _INSTANCE
    | _field(
        f"the object s3://my-bucket/labels/one.csv cannot be read: {FILE_REMEDIES['InvalidObjectState']} (S3 says "
        "InvalidObjectState: The operation is not valid for the object's storage class)",
        pointer="#/inputS3Path",
    ),
)
_ACCEPTED = _success(
    "TaskRun",
    "The request is accepted: the task run, started or waiting to be started. A repeated key returns the run as it is now.",
    LOCATION,
    RETRY_AFTER,
    IDEMPOTENCY_REPLAYED,
)
_IN_ORDER = (
    "Imports, evaluations and exports of one transform run one at a time, in the order in which they were accepted: each sees "
    "the labels of all imports accepted before it."
)
_READ_AGAIN = "Send the request again; it changes nothing."


def _operation(summary: str, description: str, responses: Mapping[int, Any], tag: str = "task runs") -> dict[str, Any]:
    return {"summary": summary, "description": description, "tags": [tag], "responses": dict(sorted(responses.items()))}


OPERATIONS: dict[str, dict[str, Any]] = {
    "startLabelingSetRun": _operation(
        "Start a labeling-set run",
        "Makes Glue generate a labeling set, exactly once per idempotency key. Its file is written under a prefix of the run's "
        "own: `{outputS3Path}/{id}/`.",
        {
            202: _ACCEPTED,
            422: _problem(
                "Fields are not valid, a path is not allowed, the key was used with another payload, or Glue refused the run.",
                *_INVALID_START,
            ),
            **_STARTING,
        },
    ),
    "startLabelImportRun": _operation(
        "Start a label-import run",
        f"Makes Glue import a labeled file, exactly once per idempotency key. The file is checked first. {_IN_ORDER}",
        {
            202: _ACCEPTED,
            422: _problem(
                "Fields are not valid, a path is not allowed, the key was used with another payload, the label file has "
                "errors, S3 refuses to read it permanently, or Glue refused the run.",
                *_INVALID_START,
                _INVALID_FILE,
                _UNREADABLE_FILE,
            ),
            **_STARTING,
        },
    ),
    "startEvaluationRun": _operation(
        "Start an evaluation run",
        "Makes Glue estimate the quality of the transform, exactly once per idempotency key. Glue learns from some of the "
        "transform's labels and tests the others. A run that succeeded has the results in `metrics`. Glue keeps only those of "
        f"the latest evaluation: if another one ended before they were read, the run has a `warning` instead. {_IN_ORDER}",
        {
            202: _ACCEPTED,
            422: _problem(
                "Fields are not valid, the key was used with another payload, or Glue refused the run: the transform has no "
                "labels, for example.",
                *_INVALID_START[:2],
                _example(
                    REFUSED_BY_GLUE,
                    "MLTransformNotReadyException: The machine learning transform is not ready to run. Import labels first, "
                    "and wait until the import has succeeded.",
                    _INSTANCE,
                ),
            ),
            **_STARTING,
        },
    ),
    "startLabelExportRun": _operation(
        "Start a label-export run",
        "Makes Glue export all labels of the transform, exactly once per idempotency key. The file is written under a prefix "
        f"of the run's own: `{{outputS3Path}}/{{id}}/`. {_IN_ORDER}",
        {
            202: _ACCEPTED,
            422: _problem(
                "Fields are not valid, a path is not allowed, the key was used with another payload, or Glue refused the run: "
                "the transform has no labels, for example.",
                *_INVALID_START[:2],
                _example(
                    REFUSED_BY_GLUE,
                    "NO_LABELS: No labelset exists for transformId tfm-0123456789abcdef in account id 123456789012. Import "
                    "labels first, and wait until the import has succeeded.",
                    _INSTANCE,
                ),
            ),
            **_STARTING,
        },
    ),
    "getTaskRun": _operation(
        "Get a task run",
        "Returns the task run in any status. Callers see their own runs, operators all runs; a service may share all runs.",
        {
            200: _success("TaskRun", "The task run."),
            **_responses(outcome=_READ_AGAIN, fault=_READ_AGAIN, timeout=_READ_AGAIN),
            **_UNKNOWN_RUN,
            **_unavailable(f"The ledger is temporarily unavailable. {_READ_AGAIN}", LedgerUnavailable),
        },
    ),
    "listTaskRuns": _operation(
        "List task runs",
        "Returns task runs, newest first. Callers see their own runs, operators all runs; a service may share all runs.",
        {
            200: _success(
                "TaskRunList", "One page of task runs. It may have fewer items than `limit` and still have a `next`."
            ),
            **_responses(outcome=_READ_AGAIN, fault=_READ_AGAIN, timeout=_READ_AGAIN),
            400: _problem(
                "The cursor is not one of this listing, with these filters.",
                _example(KINDS[InvalidCursor], "", _field("belongs to a listing with other filters", parameter="cursor")),
            ),
            422: _problem(
                "Parameters are not valid, or not known.",
                _example(KINDS[InvalidRequest], "", _field("is not a parameter of this path", parameter="transform_id")),
            ),
            **_unavailable(f"The ledger is temporarily unavailable. {_READ_AGAIN}", LedgerUnavailable),
        },
    ),
    "cancelTaskRun": _operation(
        "Cancel a task run",
        "Stops the run in Glue, or cancels it before Glue starts it. An `UNCONFIRMED` run is cancelled once it is known "
        "whether Glue started it. The request needs neither a body nor a key, and may be sent again.",
        {
            202: _success("TaskRun", "The task run, cancelled or about to be."),
            **_responses(
                outcome="Nothing was cancelled; send the request again later.",
                fault="The run may have been cancelled: read it, or send the request again.",
                timeout="The run may have been cancelled: read it, or send the request again.",
            ),
            400: _problem("There is a body, and it is not JSON.", _MALFORMED_JSON_EXAMPLE),
            **_UNKNOWN_RUN,
            409: _problem(
                "The task run has already ended.",
                _example(KINDS[AlreadyEnded], f"The task run {TASK_RUN_ID} has already ended: SUCCEEDED.", {}),
            ),
            **_BODY,
            **_unavailable(
                "The ledger or Glue is temporarily unavailable. The run may have been cancelled: read it, or send the request "
                "again.",
                TryAgainLater,
                "The run could not be cancelled at the moment.",
            ),
        },
    ),
    "getOpenApi": _operation(
        "Get this document",
        "Returns the OpenAPI document, generated from the code that serves the API.",
        {
            200: _success(None, "The API's OpenAPI 3.1 document."),
            **_responses(outcome=_READ_AGAIN, fault=_READ_AGAIN, timeout=_READ_AGAIN),
        },
        tag="about",
    ),
}
