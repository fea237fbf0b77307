"""Starting a task run: checks the quotas and stores the run in one transaction, then hands it to the supervisor."""

from typing import Any

from local.glue import errors
from local.glue.context import Context, Request, require_transform
from local.glue.job import Job, Outcome
from local.glue.label_merge import append_labels
from local.glue.label_rules import LabeledRow
from local.glue.supervisor import SupervisedRun
from local.glue.task_runs import LABELING_SET_GENERATION, STARTING, TaskRun, new_run_id
from local.glue.transform_store import StoredTransform
from local.glue.transforms import READY, input_table


def start(
    context: Context, transform: StoredTransform, properties: dict[str, Any], limit_error: str, **details: str | bool
) -> str:
    """Start a run and return its id. `limit_error`: the exception that this operation raises at a quota of runs.

    `details` go into the Job: path, output_format, known_path, confidence_scores. Like Glue, a repeated call starts
    another run.
    """
    now, transform_id, kind = context.clock(), transform.transform_id, properties["TaskType"]
    run = TaskRun(new_run_id(), transform_id, kind, STARTING, properties, now, now)
    with context.store.transaction():
        require_transform(context, {"TransformId": transform_id})
        _check_slots(context, transform_id, limit_error, now)
        # A seed per run: two labeling sets generated before the first is answered should not contain the same rows.
        seed = context.store.runs.count_of_kind(transform_id, kind) if kind == LABELING_SET_GENERATION else 0
        context.store.runs.add(run)
    context.supervisor.start(
        SupervisedRun(
            run=run,
            build_job=lambda: _build_job(context, run, seed, details),
            save_outcome=lambda outcome: _save_outcome(context, run, outcome),
            timeout_minutes=transform.document["Timeout"],
            attempts=1 + transform.document["MaxRetries"],
        )
    )
    return run.run_id


def _check_slots(context: Context, transform_id: str, limit_error: str, now: float) -> None:
    released = now - context.faults.plan.slot_release_seconds
    runs, settings = context.store.runs, context.settings
    for_transform, of_account = runs.count_slots_in_use(released, transform_id), runs.count_slots_in_use(released)
    if for_transform >= settings.max_runs_per_transform:
        raise errors.too_many_runs_of_transform(limit_error, for_transform, settings.max_runs_per_transform)
    if of_account >= settings.max_runs_per_account:
        raise errors.too_many_runs_of_account(limit_error, of_account, settings.max_runs_per_account)


def _build_job(context: Context, run: TaskRun, seed: int, details: Request) -> Job:
    transform = require_transform(context, {"TransformId": run.transform_id})
    parameters = transform.document["Parameters"]["FindMatchesParameters"]
    return Job(
        kind=run.kind,
        transform_id=run.transform_id,
        run_id=run.run_id,
        table=input_table(transform.document["InputRecordTables"]),
        primary_key=parameters["PrimaryKeyColumnName"],
        started_on=run.started_on,
        parameters=parameters,
        labels=tuple(context.store.labels.for_transform(run.transform_id)),
        seed=seed,
        **details,
    )


def _save_outcome(context: Context, run: TaskRun, outcome: Outcome) -> None:
    transforms, labels = context.store.transforms, context.store.labels
    if outcome.metrics is not None:
        metrics = {"TransformType": "FIND_MATCHES", "FindMatchesMetrics": outcome.metrics}
        transforms.update(run.transform_id, {"EvaluationMetrics": metrics}, context.clock())
    if outcome.labels is not None:
        replace = run.properties["ImportLabelsTaskRunProperties"]["Replace"]
        earlier: list[LabeledRow] = [] if replace else labels.for_transform(run.transform_id)
        labels.replace(run.transform_id, append_labels(earlier, outcome.labels))
        transforms.update(run.transform_id, {"Status": READY}, context.clock())
