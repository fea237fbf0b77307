"""REST: API Gateway in, core, problem+json or a task run out."""

import json
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayRouter
from aws_lambda_powertools.utilities.typing import LambdaContext

from core.cancel import cancel
from core.errors import RunRefused, UnknownRun
from core.ports import Dependencies, RunFilter
from core.queries import find, listing
from core.requests import TRANSFORM_ID, LabelImportRequest, LabelingSetRequest, StartCommand
from core.runs import Status, TaskType, is_run_id
from core.start import start
from core.views import TaskRun, TaskRunList, view
from handlers import cold_start, metrics, wiring
from handlers.callers import rest_caller
from handlers.rest import problems
from handlers.rest.bodies import JSON, as_json, unreadable
from handlers.rest.documentation import CANCEL, GET, LIST, OPENAPI_DOCUMENT, START_LABEL_IMPORT, START_LABELING_SET
from handlers.rest.headers import CORRELATION_ID, IDEMPOTENCY_KEY, header
from handlers.rest.idempotency_key import idempotency_key
from handlers.rest.routes import (
    CANCELLATION,
    LABEL_IMPORT_RUNS,
    LABELING_SET_RUNS,
    OPENAPI,
    TASK_RUN,
    TASK_RUNS,
    allowed_method,
)

_POLL_SECONDS = "30"

router = APIGatewayRouter()  # type: ignore[no-untyped-call]  # Powertools left it untyped

Key = Annotated[
    str,
    Header(
        alias=IDEMPOTENCY_KEY,
        description="Yours to choose, one per run that you want: 1 to 255 visible characters, quoted or bare.",
        examples=["7f1c2f0e-nightly"],
    ),
]
RunId = Annotated[str, Path(description="The task run's `id`.", examples=["0123456789abcdef0123456789abcdef"])]


@router.post(LABELING_SET_RUNS, **START_LABELING_SET)
def start_labeling_set_run(request: LabelingSetRequest, key: Key) -> Response[TaskRun]:
    """Start a labeling-set generation task run, exactly once per idempotency key."""
    return _start(request, key)


@router.post(LABEL_IMPORT_RUNS, **START_LABEL_IMPORT)
def start_label_import_run(request: LabelImportRequest, key: Key) -> Response[TaskRun]:
    """Start an import-labels task run, exactly once per idempotency key; imports of a transform run one at a time."""
    return _start(request, key)


@router.get(TASK_RUN, **GET)
def get_task_run(id: RunId) -> Response[TaskRun]:  # noqa: A002  the path's own name
    """The task run as it stands, whatever its status."""
    return Response(HTTPStatus.OK, JSON, view(find(_run_id(id), _caller(), _world())))


@router.get(TASK_RUNS, **LIST)
def list_task_runs(
    transform_id: Annotated[
        str | None, Query(alias="transformId", pattern=TRANSFORM_ID, description="Only this transform's.")
    ] = None,
    status: Annotated[Status | None, Query(description="Only those that stand here.")] = None,
    task_type: Annotated[TaskType | None, Query(alias="taskType", description="Only this kind.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 50,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Response[TaskRunList]:
    """Task runs, newest first."""
    page = listing(RunFilter(transform_id, status, task_type), _caller(), limit, cursor, _world())
    return Response(HTTPStatus.OK, JSON, TaskRunList(items=[view(run) for run in page.items], next=page.next))


@router.post(CANCELLATION, **CANCEL)
def cancel_task_run(id: RunId) -> Response[TaskRun]:  # noqa: A002  the path's own name
    """Cancel the task run: in Glue if it was started there, else before it ever is."""
    run = find(_run_id(id), _caller(), _world())
    return Response(HTTPStatus.ACCEPTED, JSON, view(cancel(run.id, _world())))


@router.get(OPENAPI, enable_validation=False, **OPENAPI_DOCUMENT)
def get_openapi() -> Response[str]:
    """What this API takes and answers, generated from its code."""
    from handlers.rest.openapi import openapi_json  # noqa: PLC0415  of Powertools' models of OpenAPI, which nothing else needs

    return Response(HTTPStatus.OK, JSON, openapi_json(build_app()))


def handler(event: dict[str, Any], context: LambdaContext, deps: Dependencies | None = None) -> dict[str, Any]:
    """Answer one REST call; a test passes its own dependencies."""
    app = build_app()
    app.append_context(deps=deps)  # type: ignore[no-untyped-call]  # Powertools left it untyped
    if allowed_method(event["path"]) == event["httpMethod"] == "POST":
        if (wrong := unreadable(event)) is not None:
            return _told(_as_answer(wrong), event)
        event = as_json(event)
    return _told(app.resolve(event, context), event)


@cache
def build_app() -> APIGatewayRestResolver:
    app = APIGatewayRestResolver(enable_validation=True, response_validation_error_http_code=500)
    app.include_router(router)
    app.exception_handler(RequestValidationError)(problems.of_validation)
    app.exception_handler(list(problems.EXPECTED))(problems.of_error)
    app.exception_handler(NotFoundError)(lambda _: _no_such_route(app))
    app.exception_handler(Exception)(_internal_fault)
    return app


def _told(answer: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """The answer; one that is a problem leaves a line, and its reason stays between us and the caller."""
    if answer["statusCode"] >= HTTPStatus.BAD_REQUEST:
        title = json.loads(answer["body"])["title"]
        extra = {"statusCode": answer["statusCode"], "cause": title, "correlationId": _correlation_id(event)}
        wiring.logger().info("REQUEST_REFUSED", extra=extra)
    return answer


def _correlation_id(event: dict[str, Any]) -> str:
    """What the caller calls the request, else what the gateway does."""
    return (header(event, CORRELATION_ID) or event["requestContext"].get("requestId") or "unknown")[:128]


def _as_answer(response: Response[str]) -> dict[str, Any]:
    return {
        "statusCode": response.status_code,
        "multiValueHeaders": {"Content-Type": [response.content_type]},
        "body": response.body,
        "isBase64Encoded": False,
    }


def _no_such_route(app: APIGatewayRestResolver) -> Response[str]:
    path = app.current_event.path
    allowed = allowed_method(path)
    if allowed in (None, app.current_event.http_method):  # the same method: an id with signs that no id has
        return problems.problem(HTTPStatus.NOT_FOUND, "Unknown path", "there is nothing at this path; see /v1/openapi.json")
    detail = f"this path takes {allowed}"
    return problems.problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", detail, headers={"Allow": allowed})


def _internal_fault(fault: Exception) -> Response[str]:
    wiring.logger().error("INTERNAL_FAULT", exc_info=fault)
    return problems.problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal fault", "the request could not be served")


def _start(request: LabelingSetRequest | LabelImportRequest, key: str) -> Response[TaskRun]:
    event = router.current_event
    request_id = event["requestContext"].get("requestId") or router.lambda_context.aws_request_id
    order = StartCommand(
        caller=_caller(),
        key=idempotency_key(key),
        request=request,
        correlation_id=_correlation_id(event.raw_event),
        causation_id=request_id,
    )
    accepted = start(order, _world())
    metrics.of_start(accepted)
    if accepted.run.status is Status.REFUSED and not accepted.replayed:
        raise RunRefused(accepted.run)
    headers: dict[str, str | list[str]] = {"Location": f"/v1/task-runs/{accepted.run.id}", "Retry-After": _POLL_SECONDS}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(HTTPStatus.ACCEPTED, JSON, view(accepted.run), headers=headers)


def _run_id(text: str) -> str:
    """`text`, if it could be an id: the ledger is not asked for what it could only call a mistake. Raises UnknownRun."""
    if not is_run_id(text):
        raise UnknownRun(f"there is no task run {text[:64]}")
    return text


def _caller() -> str:
    return rest_caller(router.current_event.raw_event)


def _world() -> Dependencies:
    given: Dependencies | None = router.context.get("deps")
    return given or wiring.dependencies()


def _prepare_snapshot() -> None:
    """Build all that the first request would."""
    build_app()
    wiring.dependencies()


cold_start.register_snapshot_hooks(_prepare_snapshot, wiring.renew)
