"""A task run as the ledger stores it: its states, and the changes from one to another."""

import re
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from core.evaluation_metrics import EvaluationMetrics

TRANSFORM_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}"
RUN_ID_LENGTH = 32
RUN_ID_PATTERN = f"[0-9a-f]{{{RUN_ID_LENGTH}}}"


class TaskType(StrEnum):
    """The type of a task run, as Glue names it."""

    LABELING_SET_GENERATION = "LABELING_SET_GENERATION"
    IMPORT_LABELS = "IMPORT_LABELS"
    EVALUATION = "EVALUATION"
    EXPORT_LABELS = "EXPORT_LABELS"

    @property
    def is_exclusive(self) -> bool:
        """Whether runs of this type change or read the labels of a transform: such runs go one at a time."""
        return self is not TaskType.LABELING_SET_GENERATION

    @property
    def has_own_path(self) -> bool:
        """Whether Glue is given a path that only one run of ours has."""
        return self in (TaskType.LABELING_SET_GENERATION, TaskType.EXPORT_LABELS)


class Status(StrEnum):
    """The state of a task run."""  # docs/architecture.md has the diagram

    RESERVED = "RESERVED"
    QUEUED = "QUEUED"
    UNCONFIRMED = "UNCONFIRMED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    TIMEOUT = "TIMEOUT"
    REFUSED = "REFUSED"
    START_FAILED = "START_FAILED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL

    @property
    def allows_new_attempt(self) -> bool:
        """Whether the same key starts a new attempt of the same request."""
        return self in (Status.REFUSED, Status.START_FAILED, Status.CANCELLED)


TERMINAL = frozenset(
    {
        Status.SUCCEEDED,
        Status.FAILED,
        Status.STOPPED,
        Status.TIMEOUT,
        Status.REFUSED,
        Status.START_FAILED,
        Status.CANCELLED,
        Status.LOST,
    }
)
IN_GLUE = frozenset({Status.STARTING, Status.RUNNING, Status.STOPPING})


class WaitingReason(StrEnum):
    """Why a run is queued."""

    GLUE_LIMIT = "GLUE_LIMIT"
    QUEUE = "QUEUE"
    OPEN_IMPORT = "OPEN_IMPORT"
    EXPORT = "EXPORT"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    GLUE_UNAVAILABLE = "GLUE_UNAVAILABLE"


class RunError(NamedTuple):
    """Why a run did not succeed: a stable code, and a message for people."""

    code: str
    message: str


class LabeledSet(NamedTuple):
    """The labeling set whose labels an import brings, who labeled it, and how many rows and pairs of rows it has."""

    set_id: str
    labeler: str
    rows: int
    left_out: int
    match_pairs: int
    non_match_pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One request and the task run that it led to. Times are UTC, `execution_time` is in seconds.

    `path` is what Glue is given: the run's own prefix for a labeling set or an export, the label file of an import, None for an
    evaluation.
    `start_attempted_on` is when the start was last sent to Glue, or may have been. `lease_until` is when the process that
    reserved the run has certainly stopped working on it. `revision` is set by the ledger: it changes with every write, and the
    next write is conditional on it.

    Of an import: `uploaded_version` is what S3 may call the version of the file that an upload's event names (version id and
    ETag, with a space between them), None for other imports; `file_version` is the one that was checked. `export_to` is the
    folder to which existing labels are exported first; `export_attempted_on` and `export_run_id` record the progress of that
    export. `labeled` is set if the labels come from the labeling page.

    `warning` is a text for the caller. `metrics` are those of an evaluation that succeeded.
    """

    id: str
    requested_by: str
    requested_on: datetime
    task_type: TaskType
    status: Status
    transform_id: str | None
    path: str | None
    replace_all_labels: bool | None = None
    attempt: int = 1
    start_attempted_on: datetime | None = None
    lease_until: datetime | None = None
    changed_on: datetime | None = None
    task_run_id: str | None = None
    started_on: datetime | None = None
    completed_on: datetime | None = None
    execution_time: int | None = None
    error: RunError | None = None
    uploaded_version: str | None = None
    file_version: str | None = None
    export_to: str | None = None
    export_attempted_on: datetime | None = None
    export_run_id: str | None = None
    warning: str | None = None
    metrics: EvaluationMetrics | None = None
    cancel_requested: bool = False
    correlation_id: str = ""
    causation_id: str = ""
    requested_by_session: str | None = None
    waiting_reason: WaitingReason | None = None
    waiting_since: datetime | None = None
    labeled: LabeledSet | None = None
    revision: str = ""

    @property
    def is_import(self) -> bool:
        return self.task_type is TaskType.IMPORT_LABELS

    def has_same_payload_as(self, run: "Run") -> bool:
        """Whether both were requested with the same payload, whatever their keys, callers and states."""
        return _payload(self) == _payload(run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run's state in Glue, as the ledger records it. Times are UTC, `execution_time` is in seconds."""

    status: Status
    task_run_id: str
    started_on: datetime
    completed_on: datetime | None
    execution_time: int | None
    error: RunError | None
    changed_on: datetime

    def apply_to(self, run: Run) -> Run:
        """`run` with this state."""
        return replace(run, lease_until=None, **{field.name: getattr(self, field.name) for field in fields(self)})


def _payload(run: Run) -> tuple[object, ...]:
    return (run.task_type, run.transform_id, run.path, run.replace_all_labels, run.export_to)


def is_run_id(text: str) -> bool:
    """Whether `text` has the form of a run's id."""
    return re.fullmatch(RUN_ID_PATTERN, text) is not None


def run_id(caller: str, key: str) -> str:
    """32 hexadecimal digits, always the same for a caller and idempotency key."""
    return sha256(f"{caller}\0{key}".encode()).hexdigest()[:RUN_ID_LENGTH]


def as_reserved(run: Run, now: datetime, lease: timedelta) -> Run:
    """`run`, whose start will be sent to Glue by the process that writes this, before the lease ends."""
    return replace(run, status=Status.RESERVED, start_attempted_on=now, lease_until=now + lease, changed_on=now)


def as_queued(run: Run, now: datetime, reason: WaitingReason = WaitingReason.QUEUE) -> Run:
    """`run`, waiting in its transform's queue for `reason`."""
    queued = replace(run, status=Status.QUEUED, start_attempted_on=None, lease_until=None, changed_on=now)
    return as_waiting(queued, now, reason)


def as_waiting(run: Run, now: datetime, reason: WaitingReason) -> Run:
    """A queued `run` that waits for `reason`, since `now` if that is a new one."""
    return run if run.waiting_reason is reason else replace(run, waiting_reason=reason, waiting_since=now)


def as_unconfirmed(run: Run, now: datetime) -> Run:
    """`run`, of which is not known whether Glue started it."""
    return replace(run, status=Status.UNCONFIRMED, lease_until=None, changed_on=now)


def as_started(run: Run, task_run_id: str, status: Status, started_on: datetime, now: datetime) -> Run:
    """`run`, started by Glue under the id `task_run_id`."""
    return replace(
        run, status=status, task_run_id=task_run_id, started_on=started_on, lease_until=None, changed_on=now, error=None
    )


def as_ended(run: Run, status: Status, now: datetime, error: RunError | None = None) -> Run:
    """`run`, ended by this service. A run that ended in Glue gets Glue's times instead, by a Progress."""
    return replace(run, status=status, error=error, completed_on=now, lease_until=None, changed_on=now)
