"""The world around the processes: true time, the ledger with its lagging index, Glue, S3, the bus, and other people."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.announce import Change, announce
from core.open_runs import SHARDS, OpenRun, Place
from core.paths import AllowedPrefixes
from core.ports import Dependencies, GlueRun, Policy
from core.runs import IN_GLUE, Status
from tests.fakes.bus import MemoryBus
from tests.fakes.clock import FakeClock
from tests.fakes.files import MemoryFiles
from tests.fakes.glue import FakeGlue
from tests.fakes.ledger import MemoryLedger
from tests.simulation.ports import SimulatedPort

TRANSFORMS = ("tfm-1", "tfm-2")
# Longer than any request travels; far shorter than the time after which "not listed" means "not started".
MAX_DELAY = timedelta(seconds=20)
HOST_CLOCK_OFFSETS = tuple(timedelta(milliseconds=offset) for offset in (0, 200, -200, 2000, -2000))
MAX_QUEUED = 3


class LaggingLedger(MemoryLedger):
    """A ledger whose index of open runs may show an older state for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.index: list[OpenRun] | None = None

    def open_runs(self, shards: Sequence[str] = SHARDS, begin: Place | None = None) -> Iterator[OpenRun]:
        return iter(self.index) if self.index is not None else super().open_runs(shards, begin)

    def freeze_index(self) -> None:
        self.index = list(super().open_runs())


@dataclass
class DelayedCall:
    due: datetime
    call: Callable[[], object]


class Environment:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.ledger = LaggingLedger()
        self.glue = FakeGlue(self.clock)
        self.glue.label_count = 30
        self.files = MemoryFiles()
        self.bus = MemoryBus()
        self.policy = Policy(allowed_prefixes=AllowedPrefixes.parse("s3://bucket/"), max_queued=MAX_QUEUED)
        self.delayed: list[DelayedCall] = []
        self.lookups_fail = False
        self.delivered = 0

    def dependencies(self, clock_offset: timedelta) -> Dependencies:
        """The collaborators of a process whose host's clock is `clock_offset` away from the true time."""
        return Dependencies(
            SimulatedPort("ledger", self.ledger, self._delay),
            SimulatedPort("glue", self.glue, self._delay),
            SimulatedPort("files", self.files, self._delay),
            lambda: self.clock() + clock_offset,
            self.policy,
        )

    def pass_time(self, duration: timedelta) -> None:
        """Let time pass, and delayed calls arrive on their way. A second later the index has caught up."""
        until = self.clock.now + duration
        for delayed in sorted(self.delayed, key=lambda delayed: delayed.due):
            if delayed.due <= until:
                self.delayed.remove(delayed)
                self.clock.now = max(self.clock.now, delayed.due)
                _arrive(delayed)
        self.clock.now = until
        if duration >= timedelta(seconds=1):
            self.ledger.index = None

    def progress_glue(self, position: int, status: Status) -> None:
        """Let one of Glue's open task runs move on, or end."""
        open_runs = self.open_task_runs()
        if open_runs:
            task_run = open_runs[position % len(open_runs)]
            self.glue.set_status(task_run.task_run_id, status, error="simulated" if status is Status.FAILED else None)

    def forget_run(self, position: int) -> None:
        """Glue forgets one of our open task runs: its transform was deleted and made anew, say."""
        ours = [task_run for task_run in self.open_task_runs() if task_run.path and task_run.task_type != "EXPORT_LABELS"]
        if ours:
            self.glue.remove(ours[position % len(ours)].task_run_id)

    def open_task_runs(self) -> list[GlueRun]:
        return [task_run for task_run in self.glue.all_task_runs() if task_run.status in IN_GLUE]

    def start_foreign_run(self, transform_id: str) -> None:
        """Someone else's evaluation takes one of the transform's three slots."""
        foreign = GlueRun(
            task_run_id=f"foreign-{len(self.glue.all_task_runs())}",
            task_type="EVALUATION",
            status=Status.RUNNING,
            started_on=self.clock(),
            completed_on=None,
            execution_time=None,
            error=None,
            path=None,
            replace_all_labels=None,
        )
        if sum(task_run.status in IN_GLUE for task_run in self.glue.task_runs[transform_id]) < self.glue.limit:
            self.glue.task_runs[transform_id].append(foreign)

    def deliver_stream(self, *, twice: bool = False, backwards: bool = False, size: int = 100) -> None:
        """Let the ledger's stream invoke the announcer with its next batch; a batch that fails in part comes again."""
        batch = [
            Change(str(self.delivered + number), before, after)
            for number, (before, after) in enumerate(self.ledger.changes[self.delivered : self.delivered + size])
        ]
        batch_as_delivered = list(reversed(batch)) if backwards else batch
        failed = announce(batch_as_delivered, self.bus)
        if twice:
            failed = announce(batch_as_delivered, self.bus)
        self.delivered = min((int(number) for number in failed), default=self.delivered + len(batch))

    def narrow_paths(self) -> None:
        """The operator changes what callers may name; requests that were accepted before are not affected."""
        self.policy = replace(self.policy, allowed_prefixes=AllowedPrefixes.parse("s3://bucket/, s3://another-bucket/"))

    def _delay(self, call: Callable[[], object]) -> None:
        self.delayed.append(DelayedCall(self.clock.now + MAX_DELAY, call))


def _arrive(delayed: DelayedCall) -> None:
    """A late request has its effect; nobody is left to hear of its error."""
    try:
        delayed.call()
    except Exception:  # noqa: BLE001  Glue refuses a late request as any other
        return
