"""The whole loop in memory: what a unit or crash test starts from."""

from dataclasses import dataclass, field, replace
from itertools import count

from core.announce import Change, announce
from core.paths import AllowedPrefixes
from core.ports import Dependencies, Policy
from core.reconcile import RoundSummary, reconcile
from core.requests import LabelImportRequest, LabelingSetRequest, StartCommand
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

    def start(self, order: StartCommand) -> Accepted:
        return start(order, self.deps)

    def start_run(self, order: StartCommand) -> Run:
        """Start, and give the run."""
        return self.start(order).run

    def reconcile(self) -> RoundSummary:
        """One round, and what the stream then delivers."""
        summary = reconcile(self.deps)
        self.deliver()
        return summary

    def deliver(self) -> None:
        """Let the ledger's stream deliver what is new; what the bus refuses comes again."""
        batch = self.ledger.changes[self._delivered :]
        changes = [Change(str(number), old, new) for number, (old, new) in enumerate(batch)]
        failed = announce(changes, self.bus)
        self._delivered += min((int(number) for number in failed), default=len(batch))

    def reload(self, run: Run) -> Run:
        """The run as the ledger has it now."""
        current = self.ledger.get(run.id)
        assert current is not None
        return current


def labeling_command(
    key: str = "key", transform_id: str = "tfm-1", caller: str = "alice", output: str = OUTPUT
) -> StartCommand:
    return _order(caller, key, LabelingSetRequest.model_validate({"transformId": transform_id, "outputS3Path": output}))


def import_command(
    key: str = "key",
    transform_id: str = "tfm-1",
    path: str = UPLOADED,
    *,
    replaces: bool = False,
    export_to: str | None = None,
    caller: str = "alice",
) -> StartCommand:
    return _order(
        caller,
        key,
        LabelImportRequest.model_validate(
            {"transformId": transform_id, "inputS3Path": path, "replaceAllLabels": replaces, "exportTo": export_to}
        ),
    )


def _order(caller: str, key: str, request: LabelingSetRequest | LabelImportRequest) -> StartCommand:
    """As sent once: each call is a message of its own."""
    message = f"message-{next(_messages)}"
    return StartCommand(caller=caller, key=key, request=request, correlation_id="correlation", causation_id=message)
