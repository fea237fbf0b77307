"""The label API's routes. Each opens the desk of the token's link, and answers with what lies there."""

import json
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.router import APIGatewayRouter
from aws_lambda_powertools.utilities.typing import LambdaContext

from core.errors import LoopError
from core.labeling.answers import parse_answers
from core.labeling.check import check
from core.labeling.desk import Desk, open_desk
from core.labeling.errors import LinkRefused
from core.labeling.evaluations import past_evaluations
from core.labeling.labels import make_labels
from core.labeling.ports import LabelingDependencies
from core.labeling.save import save
from core.labeling.splice import splice_labels
from core.labeling.spreadsheet import spreadsheet_copy
from core.labeling.submissions import submission_state
from core.labeling.submit import Request, submit
from core.labeling.uploads import read_upload
from core.labeling.views import SubmissionView, check_result, desk_view, submission_view
from core.log_fields import fault_fields
from core.views import View
from handlers import metrics, wiring
from handlers.label import problems
from handlers.label.page import page_response
from handlers.label.problems import problem, quoted
from handlers.label.requests import (
    MAX_FILE_BYTES,
    BodyTooLarge,
    IfMatchMissing,
    MalformedBody,
    answers_body,
    bearer_token,
    body_bytes,
    if_match,
    submission_body,
)
from handlers.rest.headers import CORRELATION_ID, ETAG, IDEMPOTENCY_REPLAYED, LOCATION, header

JSON = "application/json"
CSV = "text/csv; charset=utf-8"
PAGE = "/label"
SET = "/v1/labeling-sets/<id>"
ANSWERS = f"{SET}/answers"
CHECK = f"{SET}/check"
SUBMISSION = f"{SET}/submission"
LABELS = f"{SET}/labels.csv"
_MAX_RESPONSE_BYTES = 5_500_000  # Lambda's limit is 6 MB, of which the gateway's form takes some
_MAX_CORRELATION_ID_CHARACTERS = 128
# Answers hold people's records: no cache may keep them, and no other site may use them.
_ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}

router = APIGatewayRouter()  # type: ignore[no-untyped-call]  # Powertools left it untyped


@router.get(PAGE)
def get_page() -> Response[str]:
    return page_response()


@router.get(SET)
def get_set(id: str) -> Response[str]:  # noqa: A002  the path's own name
    """The rows of the set, the labeler's answers, and the submission."""
    desk, deps = _desk(id)
    file = desk.read_file(deps)
    state = submission_state(desk.set.record.submission, deps)
    body = _json(desk_view(desk, file, state, past_evaluations(desk, deps)))
    if len(body.encode()) > _MAX_RESPONSE_BYTES:
        return problem(problems.SET_TOO_LARGE)
    return Response(HTTPStatus.OK, JSON, body, headers={ETAG: quoted(desk.revision)})


@router.put(ANSWERS)
def put_answers(id: str) -> Response[str]:  # noqa: A002  the path's own name
    """Save all answers of the labeler."""
    desk, deps = _desk(id)
    expected, sent = if_match(_event()), answers_body(_event())
    answers = parse_answers(sent.answers, desk.set.record.rows)
    counts, revision = save(answers, expected, desk, deps, correct=sent.correct)
    metrics.count_answers_saved()
    return Response(HTTPStatus.OK, JSON, json.dumps(counts._asdict()), headers={ETAG: quoted(revision)})


@router.get(CHECK)
def get_check(id: str) -> Response[str]:  # noqa: A002  the path's own name
    """What an import of the saved answers would bring, and what is wrong with them."""
    desk, deps = _desk(id)
    checked = check(desk.given, desk.read_file(deps), desk.set.record.transform_id, deps)
    return Response(HTTPStatus.OK, JSON, _json(check_result(checked)))


@router.post(SUBMISSION)
def post_submission(id: str) -> Response[str]:  # noqa: A002  the path's own name
    """Import the labels that the saved answers make."""
    desk, deps = _desk(id)
    expected, sent = if_match(_event()), submission_body(_event())
    event = router.current_event
    request_id = event["requestContext"].get("requestId") or router.lambda_context.aws_request_id
    correlation_id = (header(event.raw_event, CORRELATION_ID) or request_id)[:_MAX_CORRELATION_ID_CHARACTERS]
    submitted = submit(Request(expected, sent.correct, correlation_id, request_id), desk, deps)
    if not submitted.replayed:
        metrics.count_labels_submitted()
    replayed = {IDEMPOTENCY_REPLAYED: "true"} if submitted.replayed else {}
    headers: dict[str, str | list[str]] = {LOCATION: "submission", **replayed}
    return Response(HTTPStatus.ACCEPTED, JSON, _submission(submission_view(submitted.state)), headers=headers)


@router.get(SUBMISSION)
def get_submission(id: str) -> Response[str]:  # noqa: A002  the path's own name
    """The submission with the status of its import."""
    desk, deps = _desk(id)
    state = submission_state(desk.set.record.submission, deps)
    if state is None:
        return problem(problems.NO_SUBMISSION)
    return Response(HTTPStatus.OK, JSON, _submission(submission_view(state)))


@router.get(LABELS)
def get_labels(id: str) -> Response[str]:  # noqa: A002  the path's own name
    """The file that would be imported; or a copy of all rows for a spreadsheet."""
    desk, deps = _desk(id)
    file = desk.read_file(deps)
    if (router.current_event.query_string_parameters or {}).get("for") == "spreadsheet":
        text = spreadsheet_copy(desk.given, file)
    else:
        text = splice_labels(file, make_labels(desk.given, file).by_row).body.decode()
    return Response(HTTPStatus.OK, CSV, text, headers={"Content-Disposition": f'attachment; filename="{id}.csv"'})


@router.put(LABELS)
def put_labels(id: str) -> Response[str]:  # noqa: A002  the path's own name
    """Take over the labels of a file that a spreadsheet saved."""
    desk, deps = _desk(id)
    expected = if_match(_event())
    upload = read_upload(body_bytes(_event(), MAX_FILE_BYTES), desk.read_file(deps))
    _, revision = save(upload.answers, expected, desk, deps)
    metrics.count_answers_saved()
    document = {"taken": len(upload.answers), "damagedCells": upload.damaged_cells, "ambiguous": 0}
    return Response(HTTPStatus.OK, JSON, json.dumps(document), headers={ETAG: quoted(revision)})


def answer_request(event: dict[str, Any], context: LambdaContext, deps: Callable[[], LabelingDependencies]) -> dict[str, Any]:
    """Answer one request of API Gateway's proxy integration."""
    app = _build_app()
    app.append_context(deps=deps)  # type: ignore[no-untyped-call]  # Powertools left it untyped
    answer = app.resolve(event | {"path": _path(event)}, context)
    answer["multiValueHeaders"] = {**answer.get("multiValueHeaders", {}), **{name: [text] for name, text in _ALWAYS.items()}}
    return answer


@cache
def _build_app() -> APIGatewayRestResolver:
    app = APIGatewayRestResolver()
    app.include_router(router)
    app.exception_handler(list(problems.KINDS))(_expected_problem)
    app.exception_handler(IfMatchMissing)(lambda _: problem(problems.IF_MATCH_MISSING))
    app.exception_handler(BodyTooLarge)(lambda _: problem(problems.BODY_TOO_LARGE))
    app.exception_handler(MalformedBody)(lambda _: problem(problems.MALFORMED_JSON))
    app.exception_handler(NotFoundError)(lambda _: problem(problems.UNKNOWN_PATH))
    app.exception_handler(Exception)(_internal_fault)
    return app


def _expected_problem(error: LoopError) -> Response[str]:
    if isinstance(error, LinkRefused):
        wiring.logger().info("LINK_REFUSED", extra={"cause": error.code})
        metrics.count_link_refused()
    return problems.error_problem(error)


def _internal_fault(fault: Exception) -> Response[str]:
    wiring.logger().error("INTERNAL_FAULT", extra=fault_fields(fault))
    return problem(problems.INTERNAL_FAULT)


def _path(event: dict[str, Any]) -> str:
    """The path as this API defines it: behind a custom domain, `path` begins with the base path, and `resource` does not."""
    path: str = event.get("resource") or event["path"]
    for name, value in (event.get("pathParameters") or {}).items():
        path = path.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
    return path


def _desk(set_id: str) -> tuple[Desk, LabelingDependencies]:
    deps: LabelingDependencies = router.context["deps"]()
    return open_desk(bearer_token(_event()), set_id, deps), deps


def _event() -> dict[str, Any]:
    return router.current_event.raw_event


def _json(document: View) -> str:
    return document.model_dump_json(by_alias=True)


def _submission(document: SubmissionView) -> str:
    return json.dumps({"submission": document.model_dump(mode="json", by_alias=True)})
