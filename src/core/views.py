"""The public form of a task run, in responses and in events."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

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
    """Why a run is queued."""

    reason: WaitingReason
    position: Annotated[int | None, Field(description="The run's place in the queue of its transform, from 1; null in events.")]
    since: Annotated[Timestamp | None, Field(description="Since when the run has been waiting for this reason.")]
    message: str


class TaskRun(View):
    """A task run. `id` is assigned by this service and set from the start; `taskRunId` is Glue's, null until it is known.

    A value that does not apply is null, except that `exportTo`, `warning` and `requestedBySession` are then left out.
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
    waiting_for: Annotated[WaitingFor | None, Field(description="Why the run is queued.")] = None
    requested_by_session: Annotated[
        str | None,
        Field(
            description="The session of the role in requestedBy, such as a person's name. For audit: it identifies no caller.",
            exclude_if=_is_absent,
        ),
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
        requested_by_session=run.requested_by_session,
        waiting_for=WaitingFor(
            reason=waiting.reason, position=waiting.position, since=run.waiting_since, message=waiting.message
        )
        if waiting
        else None,
        error=TaskRunError(code=run.error.code, message=run.error.message) if run.error else None,
    )
