"""The REST API: an API Gateway request in, a task run or a problem out."""

import json
from collections.abc import Sequence
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
from core.errors import RunNotFound, RunRefused
from core.log_fields import fault_fields
from core.ports import Dependencies, RunFilter
from core.queries import get_run, list_runs
from core.requests import (
    TRANSFORM_ID,
    EvaluationRequest,
    LabelExportRequest,
    LabelImportRequest,
    LabelingSetRequest,
    StartCommand,
    StartRequest,
)
from core.runs import Run, Status, TaskType, is_run_id
from core.start import start
from core.views import TaskRun, TaskRunList, view
from core.waiting import waiting
from handlers import cold_start, metrics, wiring
from handlers.callers import rest_caller, rest_session
from handlers.rest import problems
from handlers.rest.bodies import JSON, body_problem, with_json_content_type
from handlers.rest.headers import CORRELATION_ID, IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, LOCATION, RETRY_AFTER, header
from handlers.rest.idempotency_key import idempotency_key
from handlers.rest.problems import FieldProblem, ProblemKind, problem
from handlers.rest.routes import (
    CANCELLATION,
    EVALUATION_RUNS,
    LABEL_EXPORT_RUNS,
    LABEL_IMPORT_RUNS,
    LABELING_SET_RUNS,
    OPENAPI,
    TASK_RUN,
    TASK_RUNS,
    allowed_methods,
    is_about_labeling,
    matching_route,
    path_below_base,
    task_run_reference,
    unknown_query_parameters,
)

POLL_SECONDS = 30
_MAX_CORRELATION_ID_CHARACTERS = 128
_MAX_ID_CHARACTERS_SHOWN = 64
_UNKNOWN_PATH = ProblemKind(HTTPStatus.NOT_FOUND, "Unknown path", f"There is nothing at this path; see {OPENAPI}.")

router = APIGatewayRouter()  # type: ignore[no-untyped-call]  # Powertools left it untyped

# `handlers.rest.documentation` describes what these types do not: the key, the responses, the texts of each operation.
Key = Annotated[str, Header(alias=IDEMPOTENCY_KEY)]
RunId = Annotated[str, Path(description="The `id` of the task run.", examples=["0123456789abcdef0123456789abcdef"])]


@router.post(LABELING_SET_RUNS, operation_id="startLabelingSetRun")
def start_labeling_set_run(request: LabelingSetRequest, key: Key) -> Response[TaskRun]:
    """Start a labeling-set generation task run, exactly once per idempotency key."""
    return _start(request, key)


@router.post(LABEL_IMPORT_RUNS, operation_id="startLabelImportRun")
def start_label_import_run(request: LabelImportRequest, key: Key) -> Response[TaskRun]:
    """Start an import-labels task run, exactly once per idempotency key; imports of a transform run one at a time."""
    return _start(request, key)


@router.post(EVALUATION_RUNS, operation_id="startEvaluationRun")
def start_evaluation_run(request: EvaluationRequest, key: Key) -> Response[TaskRun]:
    """Start an evaluation task run, exactly once per idempotency key."""
    return _start(request, key)


@router.post(LABEL_EXPORT_RUNS, operation_id="startLabelExportRun")
def start_label_export_run(request: LabelExportRequest, key: Key) -> Response[TaskRun]:
    """Start an export-labels task run, exactly once per idempotency key."""
    return _start(request, key)


@router.get(TASK_RUN, operation_id="getTaskRun")
def get_task_run(id: RunId) -> Response[TaskRun]:  # noqa: A002  the path's own name
    """Return the task run in any status."""
    return Response(HTTPStatus.OK, JSON, _view(get_run(_run_id(id), _caller(), _dependencies())))


@router.get(TASK_RUNS, operation_id="listTaskRuns")
def list_task_runs(
    transform_id: Annotated[
        str | None, Query(alias="transformId", pattern=TRANSFORM_ID, description="Filter by transform.")
    ] = None,
    status: Annotated[Status | None, Query(description="Filter by status.")] = None,
    task_type: Annotated[TaskType | None, Query(alias="taskType", description="Filter by type of task run.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="The largest number of items to return.")] = 50,
    cursor: Annotated[str | None, Query(description="`next` of the previous page. It is opaque.")] = None,
) -> Response[TaskRunList]:
    """Return task runs, newest first."""
    page = list_runs(RunFilter(transform_id, status, task_type), _caller(), limit, cursor, _dependencies())
    return Response(HTTPStatus.OK, JSON, TaskRunList(items=_views(page.items), next=page.next))


@router.post(CANCELLATION, operation_id="cancelTaskRun")
def cancel_task_run(id: RunId) -> Response[TaskRun]:  # noqa: A002  the path's own name
    """Cancel the task run: in Glue if it was started there, else before it is started."""
    run = get_run(_run_id(id), _caller(), _dependencies())
    return Response(HTTPStatus.ACCEPTED, JSON, _view(cancel(run.id, _dependencies())))


@router.get(OPENAPI, operation_id="getOpenApi", enable_validation=False)
def get_openapi() -> Response[str]:
    """Return the OpenAPI document, generated from this code."""
    from handlers.rest.openapi import openapi_json  # noqa: PLC0415  imports Powertools' OpenAPI models, which only this route needs

    return Response(HTTPStatus.OK, JSON, openapi_json(build_full_app()))


def handler(event: dict[str, Any], context: LambdaContext, deps: Dependencies | None = None) -> dict[str, Any]:
    """Answer one REST request; a test passes its own dependencies."""
    event = event | {"path": path_below_base(event)}
    app = build_full_app() if is_about_labeling(event["path"]) else build_app()
    app.append_context(deps=deps)  # type: ignore[no-untyped-call]  # Powertools left it untyped
    if matching_route(event["path"]) is None:  # Powertools would take any number of trailing slashes
        return _logged(_to_gateway(problem(_UNKNOWN_PATH)), event)
    if event["httpMethod"] in allowed_methods(event["path"]):
        invalid = _query_problem(event) or (body_problem(event) if event["httpMethod"] == "POST" else None)
        if invalid is not None:
            return _logged(_to_gateway(invalid), event)
        event = with_json_content_type(event) if event["httpMethod"] == "POST" else event
    return _logged(app.resolve(event, context), event)


@cache
def build_app() -> APIGatewayRestResolver:
    app = APIGatewayRestResolver(enable_validation=True, response_validation_error_http_code=500)
    app.include_router(router)
    app.exception_handler(RequestValidationError)(problems.validation_problem)
    app.exception_handler(list(problems.KINDS))(problems.error_problem)
    app.exception_handler(RunRefused)(lambda refused: problems.refusal_problem(refused, _run_reference(refused.run)))
    app.exception_handler(NotFoundError)(lambda _: _route_problem(app))
    app.exception_handler(Exception)(_internal_fault)
    return app


@cache
def build_full_app() -> APIGatewayRestResolver:
    """`build_app` with the routes about labeling sets, which are imported when the first request needs them."""
    from handlers.rest import labeling_problems, labeling_sets  # noqa: PLC0415  see above

    app = build_app()
    app.include_router(labeling_sets.router)
    app.exception_handler(list(labeling_problems.KINDS))(labeling_problems.error_problem)
    return app


def _logged(response: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """`response`; a problem is logged by its title alone, since details may hold what the caller sent."""
    if response["statusCode"] >= HTTPStatus.BAD_REQUEST:
        title = json.loads(response["body"])["title"]
        extra = {"statusCode": response["statusCode"], "cause": title, "correlationId": _correlation_id(event)}
        wiring.logger().info("REQUEST_REFUSED", extra=extra)
    return response


def _correlation_id(event: dict[str, Any]) -> str:
    """The caller's name for the request, else API Gateway's."""
    own = header(event, CORRELATION_ID) or event["requestContext"].get("requestId") or "unknown"
    return own[:_MAX_CORRELATION_ID_CHARACTERS]


def _to_gateway(response: Response[str]) -> dict[str, Any]:
    """The response in the form of API Gateway's proxy integration."""
    return {
        "statusCode": response.status_code,
        "multiValueHeaders": {"Content-Type": [response.content_type]},
        "body": response.body,
        "isBase64Encoded": False,
    }


def _query_problem(event: dict[str, Any]) -> Response[str] | None:
    """422 that names the unknown parameters: a misspelled filter must not return all runs."""
    unknown = unknown_query_parameters(event)
    if not unknown:
        return None
    errors = [FieldProblem(detail="is not a parameter of this path", parameter=name) for name in unknown]
    return problem(problems.INVALID_REQUEST, errors=errors)


def _route_problem(app: APIGatewayRestResolver) -> Response[str]:
    """404 for an unknown path, 405 for a path that takes another method."""
    methods = allowed_methods(app.current_event.path)
    if not methods or app.current_event.http_method in methods:  # right, if Powertools rejects characters of the id
        return problem(_UNKNOWN_PATH)
    allowed = ", ".join(methods)
    kind = ProblemKind(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", f"This path takes {allowed}.")
    return problem(kind, headers={"Allow": allowed})


def _internal_fault(fault: Exception) -> Response[str]:
    wiring.logger().error("INTERNAL_FAULT", extra=fault_fields(fault))
    return problem(problems.INTERNAL_FAULT)


def _start(request: StartRequest, key: str) -> Response[TaskRun]:
    event = router.current_event
    request_id = event["requestContext"].get("requestId") or router.lambda_context.aws_request_id
    command = StartCommand(
        caller=_caller(),
        key=idempotency_key(key),
        request=request,
        correlation_id=_correlation_id(event.raw_event),
        causation_id=request_id,
        may_be_redelivered=False,
        session=rest_session(event.raw_event),
    )
    accepted = start(command, _dependencies())
    metrics.count_start(accepted)
    if accepted.run.status is Status.REFUSED and not accepted.replayed:
        raise RunRefused(accepted.run)
    headers: dict[str, str | list[str]] = {LOCATION: _run_reference(accepted.run), RETRY_AFTER: str(POLL_SECONDS)}
    if accepted.replayed:
        headers[IDEMPOTENCY_REPLAYED] = "true"
    return Response(HTTPStatus.ACCEPTED, JSON, _view(accepted.run), headers=headers)


def _view(run: Run) -> TaskRun:
    return _views([run])[0]


def _views(runs: Sequence[Run]) -> list[TaskRun]:
    waits = waiting(runs, _dependencies())
    return [view(run, waits.get(run.id)) for run in runs]


def _run_reference(run: Run) -> str:
    return task_run_reference(run.id, router.current_event.path)


def _run_id(text: str) -> str:
    """`text` if it has the form of an id, so that the ledger is not read for anything else. Raises RunNotFound."""
    if not is_run_id(text):
        raise RunNotFound(f"There is no task run {text[:_MAX_ID_CHARACTERS_SHOWN]}.")
    return text


def _caller() -> str:
    return rest_caller(router.current_event.raw_event)


def _dependencies() -> Dependencies:
    passed: Dependencies | None = router.context.get("deps")
    return passed or wiring.dependencies()


def _prepare_snapshot() -> None:
    """Build all that the first request would."""
    build_app()
    wiring.dependencies()


cold_start.register_snapshot_hooks(_prepare_snapshot, wiring.renew)
