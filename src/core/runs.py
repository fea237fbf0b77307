"""A task run as the ledger keeps it: its states, and the moves between them."""

import re
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256


class TaskType(StrEnum):
    """Glue's own words for the two kinds of task run that this service starts."""

    LABELING_SET_GENERATION = "LABELING_SET_GENERATION"
    IMPORT_LABELS = "IMPORT_LABELS"


class Status(StrEnum):
    """Where a task run stands; docs/architecture.md has the picture."""

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
    def may_be_sent_again(self) -> bool:
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


@dataclass(frozen=True, slots=True)
class RunError:
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One request and what became of it. Times are UTC.

    `path` is what Glue is given: the run's own prefix of a labeling set, or the label file of an import.
    `asked_on` is when Glue was last asked, or may have been; `lease_until` is when whoever reserved the run has certainly
    stopped working on it. `revision` is the ledger's: it changes with every write and fences the next one.

    Of an import: `pin` is the label file's version as it was checked; `export_to` is the folder to which the existing labels
    go first, `export_asked_on` and `export_run_id` say how far that is; `warning` is what its caller ought to know.
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
    asked_on: datetime | None = None
    lease_until: datetime | None = None
    changed_on: datetime | None = None
    task_run_id: str | None = None
    started_on: datetime | None = None
    completed_on: datetime | None = None
    execution_time: int | None = None
    error: RunError | None = None
    pin: str | None = None
    export_to: str | None = None
    export_asked_on: datetime | None = None
    export_run_id: str | None = None
    warning: str | None = None
    cancel_requested: bool = False
    correlation_id: str = ""
    causation_id: str = ""
    revision: str = ""

    @property
    def is_import(self) -> bool:
        return self.task_type is TaskType.IMPORT_LABELS

    def asks_the_same_as(self, other: "Run") -> bool:
        return asked_for(self) == asked_for(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where Glue says that a run stands, as it goes on record. Times are UTC, `execution_time` in seconds."""

    status: Status
    task_run_id: str
    started_on: datetime
    completed_on: datetime | None
    execution_time: int | None
    error: RunError | None
    changed_on: datetime

    def onto(self, run: Run) -> Run:
        return replace(run, lease_until=None, **{each.name: getattr(self, each.name) for each in fields(self)})


def asked_for(run: Run) -> tuple[object, ...]:
    """What a request asks for, whoever sent it and whatever became of it."""
    return (run.task_type, run.transform_id, run.path, run.replace_all_labels, run.export_to)


_RUN_ID = re.compile(r"[0-9a-f]{32}")


def is_run_id(text: str) -> bool:
    """Whether `text` could be the id of a run."""
    return _RUN_ID.fullmatch(text) is not None


def run_id(caller: str, key: str) -> str:
    """The identity of a request: 32 hexadecimal digits, the same for the same caller and idempotency key."""
    return sha256(f"{caller}\0{key}".encode()).hexdigest()[:32]


def reserved(run: Run, now: datetime, lease: timedelta) -> Run:
    """`run`, about to be asked of Glue by whoever writes this."""
    return replace(run, status=Status.RESERVED, asked_on=now, lease_until=now + lease, changed_on=now)


def queued(run: Run, now: datetime) -> Run:
    return replace(run, status=Status.QUEUED, asked_on=None, lease_until=None, changed_on=now)


def unconfirmed(run: Run, now: datetime) -> Run:
    return replace(run, status=Status.UNCONFIRMED, lease_until=None, changed_on=now)


def in_glue(run: Run, task_run_id: str, status: Status, started_on: datetime, now: datetime) -> Run:
    return replace(
        run, status=status, task_run_id=task_run_id, started_on=started_on, lease_until=None, changed_on=now, error=None
    )


def ended(run: Run, status: Status, now: datetime, error: RunError | None = None) -> Run:
    """`run`, over for a reason of ours; Glue's own endings carry Glue's times instead."""
    return replace(run, status=status, error=error, completed_on=now, lease_until=None, changed_on=now)
