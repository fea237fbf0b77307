"""The label API's errors as HTTP problems (RFC 9457), with members that the page reads: `code`, `errors`, `answers`, `etag`."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from core.errors import (
    InvalidRequest,
    LedgerUnavailable,
    LoopError,
    QueueFull,
    RequestInFlight,
    RunNotFound,
    S3Unavailable,
    TryAgainLater,
)
from core.labeling.errors import (
    AlreadySubmitted,
    AnswersChanged,
    Finding,
    ImportNotAllowed,
    LabelsNotFit,
    LinkRefused,
    NotThisSet,
    RowsNotRecognized,
    SetChanged,
    UnreadableUpload,
)
from handlers.rest.headers import ETAG, RETRY_AFTER
from handlers.rest.problems import PROBLEM_JSON, ProblemKind, kind_of

UNKNOWN_PATH = ProblemKind(HTTPStatus.NOT_FOUND, "Unknown path", "There is nothing at this path.")
NO_SUBMISSION = ProblemKind(HTTPStatus.NOT_FOUND, "Not submitted", "The labels of this set were not submitted yet.")
IF_MATCH_MISSING = ProblemKind(
    HTTPStatus.PRECONDITION_REQUIRED, "Missing If-Match", "Send the ETag of the answers that you have read as If-Match."
)
BODY_TOO_LARGE = ProblemKind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request too large", "The body is longer than any valid one.")
SET_TOO_LARGE = ProblemKind(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "Labeling set too large",
    "The labeling set is too large for a browser. Use the command line: label-loop get and label-loop put.",
)
MALFORMED_JSON = ProblemKind(HTTPStatus.BAD_REQUEST, "Malformed JSON", "The body is not valid JSON.")
INTERNAL_FAULT = ProblemKind(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal fault", "The request could not be served.")
_UNAVAILABLE = "The service is temporarily unavailable. Nothing is lost; send the same request again."
KINDS: dict[type[LoopError], ProblemKind] = {
    LinkRefused: ProblemKind(HTTPStatus.UNAUTHORIZED, "Link not valid"),
    NotThisSet: ProblemKind(HTTPStatus.NOT_FOUND, "Unknown labeling set"),
    RunNotFound: ProblemKind(HTTPStatus.NOT_FOUND, "Unknown labeling set"),
    ImportNotAllowed: ProblemKind(HTTPStatus.FORBIDDEN, "Import not allowed"),
    AnswersChanged: ProblemKind(HTTPStatus.PRECONDITION_FAILED, "Answers changed elsewhere"),
    AlreadySubmitted: ProblemKind(HTTPStatus.CONFLICT, "Already submitted"),
    SetChanged: ProblemKind(HTTPStatus.CONFLICT, "Labeling set changed"),
    RequestInFlight: ProblemKind(
        HTTPStatus.CONFLICT, "Submission still in flight", "The first submission is processed now.", 5
    ),
    LabelsNotFit: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "Labels not fit for import"),
    RowsNotRecognized: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "Rows not recognized"),
    UnreadableUpload: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "Unreadable file"),
    InvalidRequest: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", "Some fields are not valid; see errors."),
    QueueFull: ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS, "Queue full", "Glue is at its limit. Nothing is lost; submit again later.", 60
    ),
    TryAgainLater: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", None, 5),
    # The errors' own texts are AWS's, for the log.
    LedgerUnavailable: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", _UNAVAILABLE, 5),
    S3Unavailable: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", _UNAVAILABLE, 5),
}


def problem(
    kind: ProblemKind, text: str = "", *, headers: Mapping[str, str] | None = None, members: Mapping[str, Any] | None = None
) -> Response[str]:
    """A problem of this kind; `text` is its detail where the kind has none of its own."""
    document = {"type": "about:blank", "title": kind.title, "status": int(kind.status), "detail": kind.detail or text}
    seconds = kind.retry_after_seconds
    retry_after = {RETRY_AFTER: str(seconds)} if seconds else {}
    all_headers: dict[str, str | list[str]] = {**retry_after, **(headers or {})}
    body = json.dumps(document | dict(members or {}), ensure_ascii=False)
    return Response(int(kind.status), PROBLEM_JSON, body, headers=all_headers)


def error_problem(error: LoopError) -> Response[str]:
    """The problem for an error of a type in KINDS."""
    kind = kind_of(error, KINDS)
    headers, members = _details(error)
    return problem(kind, str(error), headers=headers, members=members)


def _details(error: LoopError) -> tuple[dict[str, str], dict[str, Any]]:
    """The headers and members that problems of this error have beside the usual ones."""
    match error:
        case LinkRefused():
            return {"WWW-Authenticate": "Bearer"}, {"code": error.code}
        case AnswersChanged():
            etag = quoted(error.revision)
            return {ETAG: etag}, {"answers": error.answers, "etag": etag}
        case SetChanged() | AlreadySubmitted():
            return {}, {"code": "LABELING_SET_CHANGED" if isinstance(error, SetChanged) else "ALREADY_SUBMITTED"}
        case LabelsNotFit() | RowsNotRecognized():
            return {}, {"errors": findings(error.findings)}
        case InvalidRequest():
            return {}, {"errors": [{"detail": each.detail, "pointer": each.pointer} for each in error.errors]}
        case _:
            return {}, {}


def findings(each: list[Finding]) -> list[dict[str, Any]]:
    """As JSON: `row` is left out where a finding is about the whole file."""
    return [{"message": text} | ({} if row is None else {"row": row}) for text, row in each]


def quoted(revision: str) -> str:
    """The entity tag of a revision (RFC 9110, 8.8.3)."""
    return f'"{revision}"'
