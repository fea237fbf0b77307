"""The seven operations on task runs, and matching a table, for which the API has none."""

from local.glue import errors, task_runs
from local.glue.aws import S3Path, Unavailable, parse_s3_path
from local.glue.context import Context, Output, Parameters, ready_transform_of, run_of, transform_of, with_token
from local.glue.listing import page_of_runs
from local.glue.start_run import start

CONCURRENT = "ConcurrentRunsExceededException"
RESOURCES = "ResourceNumberLimitExceededException"
FORMATS = ("csv", "json", "parquet")
BYTES_PER_MB = 1024 * 1024


def start_labeling_set(context: Context, asked: Parameters) -> Output:
    transform = transform_of(context, asked)
    path = _checked_output(asked["OutputS3Path"])
    run_id = start(context, transform, task_runs.labeling_set_properties(path), CONCURRENT, path=path)
    return {"TaskRunId": run_id}


def start_import(context: Context, asked: Parameters) -> Output:
    transform = transform_of(context, asked)
    path = _checked_label_file(context, asked["InputS3Path"])
    properties = task_runs.import_properties(path, replace=asked.get("ReplaceAllLabels", False))
    return {"TaskRunId": start(context, transform, properties, RESOURCES, path=path)}


def start_export(context: Context, asked: Parameters) -> Output:
    transform = transform_of(context, asked)
    path = _checked_output(asked["OutputS3Path"])
    if not context.store.labels.of_transform(transform.transform_id):
        raise errors.no_labels(context.account_id, transform.transform_id)
    # The model gives this operation no exception of its own for the limits.
    run_id = start(context, transform, task_runs.export_properties(path), "InvalidInputException", path=path)
    return {"TaskRunId": run_id}


def start_evaluation(context: Context, asked: Parameters) -> Output:
    transform = ready_transform_of(context, asked)
    return {"TaskRunId": start(context, transform, task_runs.evaluation_properties(), CONCURRENT)}


def start_find_matches(context: Context, asked: Parameters) -> Output:
    """In AWS a Glue job does this. `asked`: TransformId, OutputS3Path, Format, KnownMatchesS3Path ("" for none)."""
    transform = ready_transform_of(context, asked)
    path = _checked_output(asked["OutputS3Path"])
    if asked["KnownMatchesS3Path"]:
        _checked_output(asked["KnownMatchesS3Path"])
    if asked["Format"] not in FORMATS:
        raise errors.invalid_input(f"Format {asked['Format']} is not one of {', '.join(FORMATS)}.")
    properties = task_runs.find_matches_properties(f"find-matches-{transform.document['Name']}"[:255])
    run_id = start(
        context,
        transform,
        properties,
        CONCURRENT,
        path=path,
        output_format=asked["Format"],
        known_path=asked["KnownMatchesS3Path"],
    )
    return {"TaskRunId": run_id}


def get_run(context: Context, asked: Parameters) -> Output:
    return run_of(context, asked).wire()


def get_runs(context: Context, asked: Parameters) -> Output:
    transform = transform_of(context, asked)
    wanted = asked.get("Filter", {})
    runs = context.store.runs.of_transform(
        transform.transform_id,
        kind=wanted.get("TaskRunType"),
        status=wanted.get("Status"),
        after=wanted.get("StartedAfter", float("-inf")),
        before=wanted.get("StartedBefore", float("inf")),
        until=context.clock() - context.faults.plan.listing_delay_seconds,
    )
    page = page_of_runs(runs, asked)
    return with_token({"TaskRuns": [run.wire() for run in page.items]}, page.next_token)


def cancel_run(context: Context, asked: Parameters) -> Output:
    """A run that has ended stays as it ended, and the answer says how; one that has not is STOPPING from now on."""
    run = run_of(context, asked)
    stopping = context.store.runs.move(run.run_id, task_runs.STOPPING, context.clock())
    status = task_runs.STOPPING if stopping else run_of(context, asked).status
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
    """What Glue checks of a label file before it starts an import."""
    where = _one_object(path)
    try:
        size = context.aws.objects.size(where)
    except Unavailable as error:
        raise errors.invalid_input(f"Cannot access the label file at {path}. {error}.") from error
    if size == 0:
        raise errors.invalid_input("Invalid label file of size 0.")
    if size > context.settings.max_label_file_mb * BYTES_PER_MB:
        raise errors.label_file_too_big(context.settings.max_label_file_mb)
    return path


def _one_object(path: str) -> S3Path:
    try:
        where = parse_s3_path(path)
    except ValueError as error:
        raise errors.invalid_input("Invalid label file path.") from error
    if not where.key or where.key.endswith("/"):
        raise errors.invalid_input("Invalid label file path.")
    return where
