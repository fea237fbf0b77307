"""Which event a change of state is, and its envelope."""

from enum import StrEnum
from hashlib import sha256

from core.runs import Run, Status
from core.views import Moment, TaskRun, View, view

SOURCE = "glue-label-loop"
VERSION = "1"


class DetailType(StrEnum):
    STARTED = "TaskRunStarted"
    SUCCEEDED = "TaskRunSucceeded"
    FAILED = "TaskRunFailed"
    STOPPED = "TaskRunStopped"
    TIMED_OUT = "TaskRunTimedOut"
    REFUSED = "TaskRunRefused"
    START_FAILED = "TaskRunStartFailed"
    CANCELLED = "TaskRunCancelled"
    LOST = "TaskRunLost"


_OF_ENDING = {
    Status.SUCCEEDED: DetailType.SUCCEEDED,
    Status.FAILED: DetailType.FAILED,
    Status.STOPPED: DetailType.STOPPED,
    Status.TIMEOUT: DetailType.TIMED_OUT,
    Status.REFUSED: DetailType.REFUSED,
    Status.START_FAILED: DetailType.START_FAILED,
    Status.CANCELLED: DetailType.CANCELLED,
    Status.LOST: DetailType.LOST,
}


class Metadata(View):
    """`eventId` is the same whenever the same event is delivered again; `causationId` is the message that asked for the run."""

    event_id: str
    version: str
    occurred_at: Moment
    correlation_id: str
    causation_id: str


class Detail(View):
    """The `detail` of every event that this service sends."""

    metadata: Metadata
    data: TaskRun


def detail_types(before: Run | None, after: Run) -> list[DetailType]:
    """The events that the change from `before` to `after` is, in the order in which they happened."""
    if before is not None and before.attempt != after.attempt:
        before = None
    found = []
    if after.task_run_id and not (before and before.task_run_id):
        found.append(DetailType.STARTED)
    if after.status.is_terminal and not (before and before.status is after.status):
        found.append(_OF_ENDING[after.status])
    return found


def event_id(run: Run, detail_type: DetailType) -> str:
    """32 hexadecimal digits, derived from (id, attempt, detail-type)."""
    return sha256(f"{run.id}\0{run.attempt}\0{detail_type}".encode()).hexdigest()[:32]


def detail(run: Run, detail_type: DetailType) -> Detail:
    return Detail(
        metadata=Metadata(
            event_id=event_id(run, detail_type),
            version=VERSION,
            occurred_at=run.changed_on or run.requested_on,
            correlation_id=run.correlation_id,
            causation_id=run.causation_id,
        ),
        data=view(run),
    )
