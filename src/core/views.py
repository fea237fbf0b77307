"""The public form of a task run, in responses and in events."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from core.evaluation_metrics import MAX_COLUMN_IMPORTANCES, EvaluationMetrics
from core.runs import Run, Status, TaskType, WaitingReason
from core.waiting import Waiting


def rfc3339(time: datetime) -> str:
    """UTC with milliseconds: `2026-11-22T15:04:05.123Z`."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    AwareDatetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _is_absent(value: object) -> bool:
    return value is None


class View(BaseModel):
    """A model whose JSON names are in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, defer_build=True)


class TaskRunError(View):
    """Why a run did not succeed."""

    code: str
    message: str


class WaitingFor(View):
    """Why a run is queued. `OPEN_IMPORT`: an earlier import, evaluation or export of the transform is not finished."""

    reason: WaitingReason
    position: Annotated[int | None, Field(description="The run's place in the queue of its transform, from 1; null in events.")]
    since: Annotated[Timestamp | None, Field(description="Since when the run has been waiting for this reason.")]
    message: str


class ConfusionMatrix(View):
    """How many pairs of rows match or not, by prediction and by label."""

    num_true_positives: int | None
    num_false_positives: int | None
    num_true_negatives: int | None
    num_false_negatives: int | None


class ColumnImportance(View):
    """How much a column contributes to the predictions, from 0 to 1."""

    column_name: str
    importance: float


class Metrics(View):
    """The results of an evaluation, as Glue estimates them on labels that it did not learn from."""

    area_under_pr_curve: Annotated[
        float | None,
        Field(alias="areaUnderPRCurve", description="The area under the curve of precision by recall, from 0 to 1."),
    ]
    precision: Annotated[float | None, Field(description="The share of the predicted matches that are right.")]
    recall: Annotated[float | None, Field(description="The share of the matches that are predicted.")]
    f1: Annotated[float | None, Field(description="The harmonic mean of precision and recall, at its maximum.")]
    confusion_matrix: ConfusionMatrix | None
    column_importances: Annotated[
        list[ColumnImportance],
        Field(description="The most important columns first.", max_length=MAX_COLUMN_IMPORTANCES),
    ]


class TaskRun(View):
    """A task run. `id` is assigned by this service and set from the start; `taskRunId` is Glue's, null until it is known.

    A value that does not apply is null, except that `exportTo`, `warning`, `metrics`, `requestedBySession`, `labelingSetId` and
    `labeledBy` are left out.
    """

    id: str
    transform_id: str | None
    task_type: TaskType
    status: Status
    task_run_id: str | None
    output_s3_path: Annotated[
        str | None, Field(description="The run's own prefix, where its labeling set or its export is written.")
    ]
    input_s3_path: str | None
    replace_all_labels: bool | None
    requested_by: str
    requested_on: Timestamp
    started_on: Timestamp | None
    completed_on: Timestamp | None
    execution_time: Annotated[int | None, Field(description="Seconds, as Glue counts them.")]
    error: TaskRunError | None
    export_to: Annotated[
        str | None, Field(description="Where existing labels are exported before they are replaced.", exclude_if=_is_absent)
    ] = None
    warning: Annotated[
        str | None,
        Field(description="What the caller should know, such as how many labels the import removes.", exclude_if=_is_absent),
    ] = None
    metrics: Annotated[
        Metrics | None, Field(description="The results of an evaluation that succeeded.", exclude_if=_is_absent)
    ] = None
    waiting_for: Annotated[WaitingFor | None, Field(description="Why the run is queued.")] = None
    requested_by_session: Annotated[
        str | None,
        Field(
            description="The session of the role in requestedBy, such as a person's name. For audit: it identifies no caller.",
            exclude_if=_is_absent,
        ),
    ] = None
    labeling_set_id: Annotated[
        str | None,
        Field(description="The labeling set whose labels are imported, if they come from its page.", exclude_if=_is_absent),
    ] = None
    labeled_by: Annotated[
        str | None, Field(description="Who labeled that set, as its link names the person.", exclude_if=_is_absent)
    ] = None


class TaskRunList(View):
    """Task runs, newest first; `next` is the cursor of the next page, null on the last."""

    items: list[TaskRun]
    next: str | None


def view(run: Run, waiting: Waiting | None = None) -> TaskRun:
    """The public form of `run`; `waiting` says why it is queued, if it is."""
    return TaskRun(
        id=run.id,
        transform_id=run.transform_id,
        task_type=run.task_type,
        status=run.status,
        task_run_id=run.task_run_id,
        output_s3_path=None if run.is_import else run.path,
        input_s3_path=run.path if run.is_import else None,
        replace_all_labels=run.replace_all_labels,
        requested_by=run.requested_by,
        requested_on=run.requested_on,
        started_on=run.started_on,
        completed_on=run.completed_on,
        execution_time=run.execution_time,
        export_to=run.export_to,
        warning=run.warning,
        metrics=_metrics(run.metrics) if run.metrics else None,
        requested_by_session=run.requested_by_session,
        labeling_set_id=run.labeled.set_id if run.labeled else None,
        labeled_by=run.labeled.labeler if run.labeled else None,
        waiting_for=WaitingFor(
            reason=waiting.reason, position=waiting.position, since=run.waiting_since, message=waiting.message
        )
        if waiting
        else None,
        error=TaskRunError(code=run.error.code, message=run.error.message) if run.error else None,
    )


def _metrics(metrics: EvaluationMetrics) -> Metrics:
    matrix = metrics.confusion_matrix
    return Metrics(
        area_under_pr_curve=metrics.area_under_pr_curve,
        precision=metrics.precision,
        recall=metrics.recall,
        f1=metrics.f1,
        confusion_matrix=ConfusionMatrix(
            num_true_positives=matrix.true_positives,
            num_false_positives=matrix.false_positives,
            num_true_negatives=matrix.true_negatives,
            num_false_negatives=matrix.false_negatives,
        )
        if matrix
        else None,
        column_importances=[
            ColumnImportance(column_name=each.column_name, importance=each.importance) for each in metrics.column_importances
        ],
    )
