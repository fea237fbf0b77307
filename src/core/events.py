"""Which events a change of a run causes, and their content."""

from enum import StrEnum
from hashlib import sha256

from core.runs import Run, Status
from core.views import TaskRun, Timestamp, View, view

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
    LABELS_SUBMITTED = "LabelsSubmitted"


_BY_TERMINAL_STATUS = {
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
    """`eventId` is the same whenever the same event is delivered again; `causationId` is the message that requested the run."""

    event_id: str
    version: str
    occurred_at: Timestamp
    correlation_id: str
    causation_id: str


class Detail(View):
    """The `detail` of every event about a task run."""

    metadata: Metadata
    data: TaskRun


class SubmittedLabels(View):
    """Labels that a person has submitted; `leftOut` counts the rows of the set that are not imported."""

    labeling_set_id: str
    transform_id: str | None
    labeled_by: str
    rows: int
    left_out: int
    match_pairs: int
    non_match_pairs: int
    import_run_id: str


class SubmissionDetail(View):
    """The `detail` of LabelsSubmitted."""

    metadata: Metadata
    data: SubmittedLabels


def detail_types(before: Run | None, after: Run) -> list[DetailType]:
    """The events that the change from `before` to `after` causes, in the order in which they happened; `before` may be None."""
    if before is not None and before.attempt != after.attempt:
        before = None
    types = []
    if before is None and after.labeled:
        types.append(DetailType.LABELS_SUBMITTED)
    if after.task_run_id and not (before and before.task_run_id):
        types.append(DetailType.STARTED)
    if after.status.is_terminal and not (before and before.status is after.status):
        types.append(_BY_TERMINAL_STATUS[after.status])
    return types


def event_id(run: Run, detail_type: DetailType) -> str:
    """32 hexadecimal digits, derived from the run's id, its attempt and the detail-type."""
    return sha256(f"{run.id}\0{run.attempt}\0{detail_type}".encode()).hexdigest()[:32]


def event_detail(run: Run, detail_type: DetailType) -> Detail | SubmissionDetail:
    """The event's content; it occurred when the run last changed."""
    metadata = Metadata(
        event_id=event_id(run, detail_type),
        version=VERSION,
        occurred_at=run.changed_on or run.requested_on,
        correlation_id=run.correlation_id,
        causation_id=run.causation_id,
    )
    if detail_type is DetailType.LABELS_SUBMITTED:
        return SubmissionDetail(metadata=metadata, data=_submitted_labels(run))
    return Detail(metadata=metadata, data=view(run))


def _submitted_labels(run: Run) -> SubmittedLabels:
    if run.labeled is None:
        raise ValueError(f"the labels of {run.id} were not submitted as those of a labeling set")
    return SubmittedLabels(
        labeling_set_id=run.labeled.set_id,
        transform_id=run.transform_id,
        labeled_by=run.labeled.labeler,
        rows=run.labeled.rows,
        left_out=run.labeled.left_out,
        match_pairs=run.labeled.match_pairs,
        non_match_pairs=run.labeled.non_match_pairs,
        import_run_id=run.id,
    )
