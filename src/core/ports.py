"""The interfaces of what core depends on. core.aws implements them on AWS, tests/fakes in memory.

Plain records here are named tuples: a dataclass costs four times as much at every cold start.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from core.caller_transforms import CallerTransforms
from core.evaluation_metrics import EvaluationMetrics
from core.open_runs import SHARDS, Checkpoint, OpenRun, Place
from core.paths import AllowedPrefixes, CallerPrefixes
from core.runs import Progress, Run, Status, TaskType

Clock = Callable[[], datetime]


class RunFilter(NamedTuple):
    """Which runs to list; None matches all."""

    transform_id: str | None = None
    status: Status | None = None
    task_type: TaskType | None = None
    requested_by: str | None = None


class RunPage(NamedTuple):
    """Some runs, newest first; `next` is the cursor of the next page, None on the last."""

    items: tuple[Run, ...]
    next: str | None


class Ledger(Protocol):
    """Stores one item per request. Every write is conditional, and updates the transform's queue in the same transaction."""

    def write(self, before: Run | None, after: Run, *, max_queued: int | None = None) -> Run:
        """Replace `before` (None: no item) by `after`, and return it with its new revision.

        Raises Conflict if the item is not `before` any more, QueueBlocked if other runs of the transform come first,
        QueueLimitReached if the queue already holds `max_queued` runs, LedgerUnavailable.
        """

    def delete(self, run: Run) -> None:
        """Delete a reservation whose run was not started. Raises Conflict, LedgerUnavailable."""

    def get(self, run_id: str) -> Run | None:
        """The current state of the run, or None. Raises LedgerUnavailable."""

    def get_if_recent(self, run_id: str) -> Run | None:
        """The current state of the run if this process has recently seen it; None says nothing about whether it exists.

        A replay of a recent request is then one read, instead of a write that fails. Raises LedgerUnavailable.
        """

    def list_runs(self, run_filter: RunFilter, limit: int, cursor: str | None) -> RunPage:
        """Up to `limit` runs, newest first. Raises InvalidCursor, LedgerUnavailable."""

    def open_runs(self, shards: Sequence[str] = SHARDS, begin: Place | None = None) -> Iterator[OpenRun]:
        """The runs of `shards` that have not ended, by shard and transform, oldest first; eventually consistent.

        They begin at the transform at `begin`, and wrap around at the last one. Raises LedgerUnavailable.
        """

    def checkpoint(self, part: str) -> Checkpoint | None:
        """How far the last round of `part` got, if it did not get through. Raises LedgerUnavailable."""

    def save_checkpoint(self, part: str, checkpoint: Checkpoint | None) -> None:
        """Save how far a round of `part` got; None if it got through. The last writer wins. Raises LedgerUnavailable."""

    def record_progress(self, run: OpenRun, progress: Progress) -> Run:
        """Record a run's state in Glue in one update, without reading the run first, and return the run.

        Not for the end of an exclusive run: that changes the transform's queue, and needs `write`. Raises Conflict if the run
        has changed since `run` was read, LedgerUnavailable.
        """

    def queue(self, transform_id: str) -> tuple[str, ...]:
        """The ids of the transform's queued runs, in the order of acceptance. Raises LedgerUnavailable."""

    def known_task_run_ids(self, transform_id: str, since: datetime) -> frozenset[str]:
        """Glue's ids of the transform's runs that were requested at or after `since`. Raises LedgerUnavailable."""


class GlueRun(NamedTuple):
    """A task run as Glue lists it. `execution_time` in seconds; `path` and `replace_all_labels` are those of the start."""

    task_run_id: str
    task_type: str
    status: Status
    started_on: datetime
    completed_on: datetime | None
    execution_time: int | None
    error: str | None
    path: str | None
    replace_all_labels: bool | None


class Transform(NamedTuple):
    """A transform: the columns of its table (none if Glue does not return them), how many labels it has, its key column.

    `metrics` are those of its latest evaluation.
    """

    columns: tuple[str, ...]
    label_count: int
    primary_key: str = ""
    metrics: EvaluationMetrics | None = None


class Glue(Protocol):
    """Glue's task runs and transforms."""

    def start(self, run: Run) -> str:
        """Start the task run, sending the request once, and return Glue's id of it.

        Raises ConcurrencyLimitReached, Refused, NotStarted, ResponseLost.
        """

    def start_export(self, run: Run) -> str:
        """Start an export of the labels to `run.export_to`, and return Glue's id of that task run. Raises as `start` does."""

    def get_transform(self, transform_id: str) -> Transform:
        """The current state of the transform. Raises NotFoundInGlue, Refused, GlueUnavailable."""

    def list_task_runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        """All task runs of the transform that started after `since`. Raises NotFoundInGlue, GlueUnavailable."""

    def get_task_run(self, transform_id: str, task_run_id: str) -> GlueRun:
        """One task run. Raises NotFoundInGlue, GlueUnavailable."""

    def cancel(self, transform_id: str, task_run_id: str) -> Status:
        """Cancel a task run and return its status. Raises NotFoundInGlue, GlueUnavailable, Refused."""


class OpenFile(NamedTuple):
    """A label file that is being read: its `size` in bytes, the `version` that is read, and its content in `chunks`."""

    version: str
    size: int
    chunks: Iterator[bytes]


class LabelFiles(Protocol):
    """Label files in S3. `path` is `s3://bucket/key`."""

    def open(self, path: str) -> OpenFile:
        """Begin to read the object. Raises FileNotReadable, S3Unavailable; reading the chunks may raise S3Unavailable."""

    def current_version(self, path: str) -> str:
        """The current version of the object. Raises FileNotReadable, S3Unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The operator's settings, which docs/operating.md describes, and the time limits of a start.

    A process sends a start to Glue within `start_within` of its reservation, or not at all. `lease` is how long the reservation
    lasts: longer than any such process can run. `clock_skew` is how far Glue's clock and ours may be apart. `share_runs` lets
    every caller see and cancel all runs; `operators` are the callers who always may.
    """

    allowed_prefixes: AllowedPrefixes
    caller_prefixes: CallerPrefixes = field(default_factory=CallerPrefixes)
    caller_transforms: CallerTransforms = field(default_factory=CallerTransforms)
    confirm_after: timedelta = timedelta(seconds=120)
    start_deadline: timedelta = timedelta(days=1)
    retention: timedelta = timedelta(days=90)
    max_queued: int = 100
    lease: timedelta = timedelta(seconds=60)
    start_within: timedelta = timedelta(seconds=30)
    clock_skew: timedelta = timedelta(seconds=120)
    share_runs: bool = False
    operators: frozenset[str] = frozenset()

    def sees_all_runs(self, caller: str) -> bool:
        """Whether `caller` may see and cancel the runs of all callers."""
        return self.share_runs or caller in self.operators

    def allowed_for(self, caller: str) -> AllowedPrefixes:
        """The prefixes that `caller` may use."""
        return self.caller_prefixes.narrow(self.allowed_prefixes, caller)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What core works with; built once per process by handlers.wiring, or by a test."""

    ledger: Ledger
    glue: Glue
    files: LabelFiles
    clock: Clock
    policy: Policy
