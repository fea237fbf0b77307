"""How a task run starts: a slot and a record in one transaction, then its work, then what it leaves behind."""

from typing import Any

from local.glue import errors
from local.glue.context import Context, Parameters, transform_of
from local.glue.job import Job, Outcome
from local.glue.label_files import LabeledRow
from local.glue.labels import append
from local.glue.supervisor import Assignment
from local.glue.task_runs import LABELING_SET_GENERATION, STARTING, TaskRun, new_run_id
from local.glue.transform_store import StoredTransform
from local.glue.transforms import READY, input_table


def start(context: Context, transform: StoredTransform, properties: dict[str, Any], too_many: str, **details: str) -> str:
    """Starts a run and gives its id. `too_many`: the exception that this operation raises at a limit of runs.

    `details` are the Job's own: path, output_format, known_path. Asked twice it starts twice, exactly like Glue.
    """
    now, transform_id, kind = context.clock(), transform.transform_id, properties["TaskType"]
    run = TaskRun(new_run_id(), transform_id, kind, STARTING, properties, now, now)
    with context.store.transaction():
        transform_of(context, {"TransformId": transform_id})
        _check_slots(context, transform_id, too_many, now)
        # Two labeling sets that are asked for before the first is answered should not ask the same.
        seed = context.store.runs.count_of_kind(transform_id, kind) if kind == LABELING_SET_GENERATION else 0
        context.store.runs.add(run)
    context.supervisor.begin(
        Assignment(
            run=run,
            prepare=lambda: _job(context, run, seed, details),
            keep=lambda outcome: _keep(context, run, outcome),
            timeout_minutes=transform.document["Timeout"],
            attempts=1 + transform.document["MaxRetries"],
        )
    )
    return run.run_id


def _check_slots(context: Context, transform_id: str, too_many: str, now: float) -> None:
    released = now - context.faults.plan.slot_release_seconds
    runs, settings = context.store.runs, context.settings
    of_transform, of_account = runs.count_busy(released, transform_id), runs.count_busy(released)
    if of_transform >= settings.max_runs_per_transform:
        raise errors.too_many_runs_of_transform(too_many, of_transform, settings.max_runs_per_transform)
    if of_account >= settings.max_runs_per_account:
        raise errors.too_many_runs_of_account(too_many, of_account, settings.max_runs_per_account)


def _job(context: Context, run: TaskRun, seed: int, details: Parameters) -> Job:
    transform = transform_of(context, {"TransformId": run.transform_id})
    parameters = transform.document["Parameters"]["FindMatchesParameters"]
    return Job(
        kind=run.kind,
        transform_id=run.transform_id,
        run_id=run.run_id,
        table=input_table(transform.document["InputRecordTables"]),
        primary_key=parameters["PrimaryKeyColumnName"],
        started_on=run.started_on,
        parameters=parameters,
        labels=tuple(context.store.labels.of_transform(run.transform_id)),
        seed=seed,
        **details,
    )


def _keep(context: Context, run: TaskRun, outcome: Outcome) -> None:
    transforms, labels = context.store.transforms, context.store.labels
    if outcome.metrics is not None:
        metrics = {"TransformType": "FIND_MATCHES", "FindMatchesMetrics": outcome.metrics}
        transforms.change(run.transform_id, {"EvaluationMetrics": metrics}, context.clock())
    if outcome.labels is not None:
        replace = run.properties["ImportLabelsTaskRunProperties"]["Replace"]
        earlier: list[LabeledRow] = [] if replace else labels.of_transform(run.transform_id)
        labels.replace(run.transform_id, append(earlier, outcome.labels))
        transforms.change(run.transform_id, {"Status": READY}, context.clock())
