"""What core needs from the world, as protocols; core.aws implements them, tests/fakes does too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from core.open_runs import OpenRun
from core.paths import AllowedPrefixes, CallerPrefixes
from core.runs import Progress, Run, Status, TaskType

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class RunFilter:
    transform_id: str | None = None
    status: Status | None = None
    task_type: TaskType | None = None
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, newest first, and the cursor of the next page, if there is one."""

    items: tuple[Run, ...]
    next: str | None


class Ledger(Protocol):
    """One item per request; every write is conditional, and carries the transform's line with it."""

    def write(self, before: Run | None, after: Run, *, max_waiting: int | None = None) -> Run:
        """Replace `before` (None: no item) by `after`, and return it with its new revision.

        Raises Conflict if the item is not `before` any more, LineAhead if the move has to wait for others of the transform,
        LineFull if it would be one more than `max_waiting`, LedgerUnavailable.
        """

    def delete(self, run: Run) -> None:
        """Forget a reservation that came to nothing. Raises Conflict, LedgerUnavailable."""

    def get(self, run_id: str) -> Run | None:
        """The run as it stands now, or None. Raises LedgerUnavailable."""

    def get_if_recent(self, run_id: str) -> Run | None:
        """The run as it stands now, if there is reason to think that it is there: who reads it need not find out by a `write`
        that fails. None says nothing. Raises LedgerUnavailable.
        """

    def list_runs(self, which: RunFilter, limit: int, cursor: str | None) -> RunPage:
        """Up to `limit` runs, newest first. Raises InvalidCursor, LedgerUnavailable."""

    def open_runs(self) -> Iterator[OpenRun]:
        """Every run that has not ended: those of one transform together, oldest first. May lag behind by moments.

        Who does not read to the end is followed by a reader who begins at the transform where that one stopped, so that the
        last transforms get their turn although no round gets through all of them. Raises LedgerUnavailable.
        """

    def record_progress(self, run: OpenRun, progress: Progress) -> Run:
        """Write down how a run got on in Glue, in one write that does not need the whole of it, and return the whole.

        The end of an import moves its transform's line: it is a `write`, not this. Raises Conflict if the run is not `run` any
        more, LedgerUnavailable.
        """

    def known_task_run_ids(self, transform_id: str, since: datetime) -> frozenset[str]:
        """Glue's ids of the transform's runs that the ledger already knows, requested at or after `since`."""


@dataclass(frozen=True, slots=True)
class GlueRun:
    """A task run as Glue lists it. `execution_time` in seconds; `path` and `replace_all_labels` echo what was asked."""

    task_run_id: str
    task_type: str
    status: Status
    started_on: datetime
    completed_on: datetime | None
    execution_time: int | None
    error: str | None
    path: str | None
    replace_all_labels: bool | None


@dataclass(frozen=True, slots=True)
class Transform:
    """What an import has to know of its transform: the table's columns (none, where Glue does not say) and its labels."""

    columns: tuple[str, ...]
    label_count: int


class Glue(Protocol):
    def start(self, run: Run) -> str:
        """Ask once, and return Glue's id of the task run. Raises ConcurrencyLimitReached, Refused, NotStarted, ResponseLost."""

    def start_export(self, run: Run) -> str:
        """Ask once to export the labels to `run.export_to`, and return Glue's id of that task run. Raises as `start` does."""

    def get_transform(self, transform_id: str) -> Transform:
        """The transform as it stands. Raises NotFoundInGlue, GlueUnavailable."""

    def list_task_runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        """Every task run of the transform started after `since`, all pages. Raises NotFoundInGlue, GlueUnavailable."""

    def get_task_run(self, transform_id: str, task_run_id: str) -> GlueRun:
        """One task run. Raises NotFoundInGlue, GlueUnavailable."""

    def cancel(self, transform_id: str, task_run_id: str) -> Status:
        """Cancel a task run and return where it stands. Raises NotFoundInGlue, GlueUnavailable, Refused."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A label file while it is read: `size` in bytes, `version` the one that `chunks` are of."""

    version: str
    size: int
    chunks: Iterator[bytes]


class LabelFiles(Protocol):
    def open(self, path: str) -> OpenFile:
        """Begin to read the object. Raises FileNotReadable, S3Unavailable; reading on may raise S3Unavailable."""

    def current_version(self, path: str) -> str:
        """The version that the object has now. Raises FileNotReadable, S3Unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The operator's settings; docs/operating.md describes each.

    `lease` outlasts any process that may still ask Glue; `start_within` of it is when such a process stops trying to.
    `clock_skew` is how far Glue's clock and ours may be apart. `share_runs` lets every caller see and cancel all runs.
    """

    allowed_prefixes: AllowedPrefixes
    caller_prefixes: CallerPrefixes = field(default_factory=CallerPrefixes)
    confirm_after: timedelta = timedelta(seconds=120)
    start_deadline: timedelta = timedelta(days=1)
    max_queued: int = 100
    lease: timedelta = timedelta(seconds=60)
    start_within: timedelta = timedelta(seconds=30)
    clock_skew: timedelta = timedelta(seconds=120)
    share_runs: bool = False

    def allowed_for(self, caller: str) -> AllowedPrefixes:
        return self.caller_prefixes.narrow(self.allowed_prefixes, caller)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The collaborators, wired once by handlers.wiring, or by a test."""

    ledger: Ledger
    glue: Glue
    files: LabelFiles
    clock: Clock
    policy: Policy
