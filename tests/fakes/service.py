"""The whole service in memory, for unit and crash tests."""

from dataclasses import dataclass, field, replace
from itertools import count

from core.announce import Change, announce
from core.paths import AllowedPrefixes
from core.ports import Dependencies, Policy
from core.reconcile import RoundSummary, reconcile
from core.requests import (
    EvaluationRequest,
    LabelExportRequest,
    LabelImportRequest,
    LabelingSetRequest,
    StartCommand,
    StartRequest,
)
from core.runs import Run
from core.start import Accepted, start
from tests.fakes.bus import MemoryBus
from tests.fakes.clock import FakeClock
from tests.fakes.files import MemoryFiles
from tests.fakes.glue import FakeGlue
from tests.fakes.ledger import MemoryLedger

OUTPUT = "s3://bucket/labeling-sets"
UPLOADED = "s3://bucket/labels/tfm-1/one.csv"
_messages = count(1)


@dataclass
class Service:
    clock: FakeClock = field(default_factory=FakeClock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    bus: MemoryBus = field(default_factory=MemoryBus)

    def __post_init__(self) -> None:
        self.glue = FakeGlue(self.clock)
        self.policy = Policy(allowed_prefixes=AllowedPrefixes.parse("s3://bucket/"))
        self._delivered = 0

    @property
    def deps(self) -> Dependencies:
        return Dependencies(self.ledger, self.glue, self.files, self.clock, self.policy)

    def set_policy(self, **settings: object) -> None:
        self.policy = replace(self.policy, **settings)  # type: ignore[arg-type]  # a test names its settings

    def start(self, command: StartCommand) -> Accepted:
        return start(command, self.deps)

    def start_run(self, command: StartCommand) -> Run:
        """Start a run, and return it."""
        return self.start(command).run

    def reconcile(self) -> RoundSummary:
        """Reconcile once, and deliver the events."""
        summary = reconcile(self.deps)
        self.deliver()
        return summary

    def deliver(self) -> None:
        """Deliver the new changes of the ledger's stream; those that the bus rejects are delivered again next time."""
        batch = self.ledger.changes[self._delivered :]
        changes = [Change(str(number), old, new) for number, (old, new) in enumerate(batch)]
        failed = announce(changes, self.bus)
        self._delivered += min((int(number) for number in failed), default=len(batch))

    def reload(self, run: Run) -> Run:
        """The current state of the run."""
        current = self.ledger.get(run.id)
        assert current is not None
        return current


def labeling_command(
    key: str = "key", transform_id: str = "tfm-1", caller: str = "alice", output: str = OUTPUT
) -> StartCommand:
    return _command(caller, key, LabelingSetRequest.model_validate({"transformId": transform_id, "outputS3Path": output}))


def import_command(
    key: str = "key",
    transform_id: str = "tfm-1",
    path: str = UPLOADED,
    *,
    replaces: bool = False,
    export_to: str | None = None,
    caller: str = "alice",
) -> StartCommand:
    return _command(
        caller,
        key,
        LabelImportRequest.model_validate(
            {"transformId": transform_id, "inputS3Path": path, "replaceAllLabels": replaces, "exportTo": export_to}
        ),
    )


def evaluation_command(key: str = "key", transform_id: str = "tfm-1", caller: str = "alice") -> StartCommand:
    return _command(caller, key, EvaluationRequest.model_validate({"transformId": transform_id}))


def export_command(
    key: str = "key", transform_id: str = "tfm-1", caller: str = "alice", output: str = "s3://bucket/label-exports"
) -> StartCommand:
    return _command(caller, key, LabelExportRequest.model_validate({"transformId": transform_id, "outputS3Path": output}))


def _command(caller: str, key: str, request: StartRequest) -> StartCommand:
    """A command in a new message."""
    message = f"message-{next(_messages)}"
    return StartCommand(caller=caller, key=key, request=request, correlation_id="correlation", causation_id=message)
