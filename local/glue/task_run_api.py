"""The seven operations on task runs, and matching a table, which Glue's API has no operation for."""

from local.glue import errors, task_runs
from local.glue.aws import S3Path, Unavailable, parse_s3_path
from local.glue.context import (
    Context,
    Request,
    Response,
    require_ready_transform,
    require_run,
    require_transform,
    with_next_token,
)
from local.glue.listing import list_runs_page
from local.glue.start_run import start

CONCURRENT_RUNS = "ConcurrentRunsExceededException"
RESOURCE_LIMIT = "ResourceNumberLimitExceededException"
FORMATS = ("csv", "json", "parquet")
BYTES_PER_MB = 1024 * 1024


def start_labeling_set(context: Context, request: Request) -> Response:
    transform = require_transform(context, request)
    path = _checked_output(request["OutputS3Path"])
    run_id = start(context, transform, task_runs.labeling_set_properties(path), CONCURRENT_RUNS, path=path)
    return {"TaskRunId": run_id}


def start_import(context: Context, request: Request) -> Response:
    transform = require_transform(context, request)
    path = _checked_label_file(context, request["InputS3Path"])
    properties = task_runs.import_properties(path, replace=request.get("ReplaceAllLabels", False))
    return {"TaskRunId": start(context, transform, properties, RESOURCE_LIMIT, path=path)}


def start_export(context: Context, request: Request) -> Response:
    transform = require_transform(context, request)
    path = _checked_output(request["OutputS3Path"])
    if not context.store.labels.for_transform(transform.transform_id):
        raise errors.no_labels(context.account_id, transform.transform_id)
    # The API model has no exception for limits on this operation.
    run_id = start(context, transform, task_runs.export_properties(path), "InvalidInputException", path=path)
    return {"TaskRunId": run_id}


def start_evaluation(context: Context, request: Request) -> Response:
    transform = require_ready_transform(context, request)
    return {"TaskRunId": start(context, transform, task_runs.evaluation_properties(), CONCURRENT_RUNS)}


def start_find_matches(context: Context, request: Request) -> Response:
    """In AWS a Glue job does this. The request has TransformId, OutputS3Path, Format, KnownMatchesS3Path ("" for none).

    ComputeMatchConfidenceScores is the argument of Glue's FindMatches and FindIncrementalMatches; here it is true by default.
    """
    transform = require_ready_transform(context, request)
    path = _checked_output(request["OutputS3Path"])
    if request["KnownMatchesS3Path"]:
        _checked_output(request["KnownMatchesS3Path"])
    if request["Format"] not in FORMATS:
        raise errors.invalid_input(f"Format {request['Format']} is not one of {', '.join(FORMATS)}.")
    properties = task_runs.find_matches_properties(f"find-matches-{transform.document['Name']}"[:255])
    run_id = start(
        context,
        transform,
        properties,
        CONCURRENT_RUNS,
        path=path,
        output_format=request["Format"],
        known_path=request["KnownMatchesS3Path"],
        confidence_scores=request.get("ComputeMatchConfidenceScores", True),
    )
    return {"TaskRunId": run_id}


def get_run(context: Context, request: Request) -> Response:
    return require_run(context, request).as_response()


def get_runs(context: Context, request: Request) -> Response:
    transform = require_transform(context, request)
    criteria = request.get("Filter", {})
    runs = context.store.runs.for_transform(
        transform.transform_id,
        kind=criteria.get("TaskRunType"),
        status=criteria.get("Status"),
        after=criteria.get("StartedAfter", float("-inf")),
        before=criteria.get("StartedBefore", float("inf")),
        until=context.clock() - context.faults.plan.listing_delay_seconds,
    )
    page = list_runs_page(runs, request)
    return with_next_token({"TaskRuns": [run.as_response() for run in page.items]}, page.next_token)


def cancel_run(context: Context, request: Request) -> Response:
    """An active run becomes STOPPING. A run that has ended stays unchanged; the response has its status."""
    run = require_run(context, request)
    stopping = context.store.runs.transition(run.run_id, task_runs.STOPPING, context.clock())
    status = task_runs.STOPPING if stopping else require_run(context, request).status
    if stopping:
        context.supervisor.stop(run.run_id)
    return {"TransformId": run.transform_id, "TaskRunId": run.run_id, "Status": status}


def _checked_output(path: str) -> str:
    try:
        parse_s3_path(path)
    except ValueError as error:
        raise errors.invalid_input(str(error)) from error
    return path


def _checked_label_file(context: Context, path: str) -> str:
    """Check a label file as Glue does before it starts an import."""
    location = _parse_object_path(path)
    try:
        size = context.aws.objects.size(location)
    except Unavailable as error:
        raise errors.invalid_input(f"Cannot access the label file at {path}. {error}.") from error
    if size == 0:
        raise errors.invalid_input("Invalid label file of size 0.")
    if size > context.settings.max_label_file_mb * BYTES_PER_MB:
        raise errors.label_file_too_big(context.settings.max_label_file_mb)
    return path


def _parse_object_path(path: str) -> S3Path:
    try:
        location = parse_s3_path(path)
    except ValueError as error:
        raise errors.invalid_input("Invalid label file path.") from error
    if not location.key or location.key.endswith("/"):
        raise errors.invalid_input("Invalid label file path.")
    return location
