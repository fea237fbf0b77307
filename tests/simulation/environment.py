"""The world around the processes: true time, the AWS services, the hosts that handlers run on, and the operator's settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from types import SimpleNamespace
from typing import Any

from core.aws.bus import EventBus
from core.aws.files import S3LabelFiles
from core.aws.glue import GlueTaskRuns
from core.aws.ledger import DynamoLedger
from core.paths import AllowedPrefixes
from core.ports import Dependencies, Policy
from local.cloud.template import ledger_table
from tests.fakes.clock import FakeClock
from tests.simulation.clients import LOOKUPS, STARTS, SimulatedClient
from tests.simulation.glue import SimulatedGlue, Transform
from tests.simulation.objects import SimulatedEvents, SimulatedS3
from tests.simulation.processes import AwsCall, Process
from tests.simulation.promises import Promises
from tests.simulation.table import DynamoDB, Item

TRANSFORMS = ("tfm-1", "tfm-2")
TABLE = "ledger"
OPERATOR = "arn:aws:iam::123456789012:user/operator"
# Longer than any request travels; far shorter than the time after which "not listed" means "not started".
MAX_DELAY = timedelta(seconds=20)
# From the true time: hosts are this far apart at most, and Glue's clock is away from theirs by less than Policy.clock_skew.
HOST_CLOCK_OFFSETS = tuple(timedelta(milliseconds=offset) for offset in (0, 200, -200, 5000, -5000))
GLUE_CLOCK_OFFSETS = tuple(timedelta(seconds=offset) for offset in (0, 0, 0, 110, -110))
MAX_QUEUED = 3
RETENTION = timedelta(days=5)
_ARN = "arn:aws:glue:eu-west-1:123456789012"


@dataclass
class DelayedCall:
    due: datetime
    call: Callable[[], object]


class Host:
    """A Lambda execution environment: it serves one invocation after the other, with its own clock and warm adapters."""

    def __init__(self, environment: "Environment", clock_offset: timedelta) -> None:
        self.process: Process | None = None
        self.clock = lambda: environment.clock() + clock_offset
        self.clients = {
            name: SimulatedClient(name, backend, environment.delay, environment.is_quiet)
            for name, backend in environment.backends.items()
        }
        dynamodb, glue, s3, events, _ = self.clients.values()
        ledger: Any = (dynamodb, TABLE, RETENTION, environment.new_revision, lambda _seconds: None)
        self.ledger = DynamoLedger(*ledger)
        self.glue = GlueTaskRuns(glue, glue)  # type: ignore[arg-type]  # clients of our own
        self.files = S3LabelFiles(s3)  # type: ignore[arg-type]
        self.bus = EventBus(events, "bus", _ARN)  # type: ignore[arg-type]

    @property
    def is_free(self) -> bool:
        return self.process is None


class Environment:
    """`glue_clock_offset` is how far Glue's clock is away from the true time."""

    def __init__(self, glue_clock_offset: timedelta = timedelta(0)) -> None:
        self.clock = FakeClock()
        self.dynamodb = DynamoDB()
        self.table = self.dynamodb.create_table(TableName=TABLE, **_ledger_table())
        self.glue = SimulatedGlue(
            clock=lambda: self.clock() + glue_clock_offset,
            on_start=lambda run: self.promises.on_start(run),  # noqa: PLW0108  made below
            transforms={name: Transform(label_count=30) for name in TRANSFORMS},
        )
        self.s3 = SimulatedS3()
        self.events = SimulatedEvents(lambda detail_type, detail: self.promises.on_event(detail_type, detail))  # noqa: PLW0108  see above
        self.letters: list[str] = []
        self.backends: dict[str, object] = {
            "dynamodb": self.dynamodb,
            "glue": self.glue,
            "s3": self.s3,
            "events": self.events,
            "sqs": SimpleNamespace(send_message=lambda *, QueueUrl, MessageBody: self.letters.append(MessageBody)),  # noqa: ARG005, N803
        }
        self.stream: list[tuple[Item | None, Item | None]] = []
        self.delivered = 0
        self.table.on_change = self._on_change
        self.policy = policy(allowed_prefixes=AllowedPrefixes.parse("s3://bucket/"), max_queued=MAX_QUEUED)
        self.promises = Promises(self.table, self.glue, self.clock, self.policy)
        self.delayed: list[DelayedCall] = []
        self.unlistable: set[str] = set()  # transforms of which look-ups fail
        self.denied: set[str] = set()  # services that deny everything
        self.say: Callable[[str], None] | None = None
        self._revisions = count(1)

    def new_revision(self) -> str:
        return str(next(self._revisions))

    def dependencies(self, host: Host) -> Dependencies:
        return Dependencies(host.ledger, host.glue, host.files, host.clock, self.policy)

    def change_settings(self, **settings: Any) -> None:  # noqa: ANN401  any setting
        """The operator changes settings; requests that were accepted before keep their rights."""
        self.policy = replace(self.policy, **settings)
        self.promises.on_settings(self.policy)

    def is_quiet(self, parameters: Mapping[str, Any]) -> bool:
        """Whether a query is of a partition without items: 14 of the 16 shards never have any."""
        hash_value = next(iter(parameters["ExpressionAttributeValues"].values()))["S"]
        return not self.table.group(parameters["IndexName"], hash_value)

    def fails(self, call: AwsCall) -> bool:
        """Whether the call is denied at the moment."""
        if call.service in self.denied or (call.method in STARTS and "starts" in self.denied):
            return True
        return call.method in LOOKUPS and call.parameters["TransformId"] in self.unlistable

    def pass_time(self, duration: timedelta) -> None:
        """Let time pass, and delayed calls arrive on their way. A second later the indexes have caught up."""
        until = self.clock.now + duration
        for delayed in sorted(self.delayed, key=lambda delayed: delayed.due):
            if delayed.due <= until:
                self.delayed.remove(delayed)
                self.clock.now = max(self.clock.now, delayed.due)
                _arrive(delayed)
        self.clock.now = until
        if duration >= timedelta(seconds=1):
            self.table.thaw_indexes()
            self._expire()

    def delay(self, call: Callable[[], object]) -> None:
        self.delayed.append(DelayedCall(self.clock.now + MAX_DELAY, call))

    def put_file(self, path: str, content: bytes | str) -> None:
        self.s3.contents[path] = content

    def forget_run(self, position: int) -> None:
        """Glue forgets one of our open task runs."""
        ours = [run for run in self.glue.all_runs() if run.is_open and run.is_ours]
        if ours:
            run = ours[position % len(ours)]
            self.glue.transforms[run.transform_id].runs.remove(run)
            self.promises.on_forgotten(run)

    def _on_change(self, old: Item | None, new: Item | None) -> None:
        self.stream.append((old, new))
        if self.say is not None:
            self.say(_in_words(old, new))
        self.promises.on_change(old, new)

    def _expire(self) -> None:
        """DynamoDB deletes what is past its time to live."""
        now = int(self.clock.now.timestamp())
        expired = [key for key, item in self.table.items.items() if "expiresAt" in item and int(item["expiresAt"]["N"]) < now]
        for key in expired:
            self.promises.on_expired(key)
            self.table.put(None, key)


@cache
def _ledger_table() -> dict[str, Any]:
    return ledger_table()


def policy(**settings: Any) -> Policy:  # noqa: ANN401  any setting
    known = {field.name for field in fields(Policy)}
    wanted = settings | {"retention": RETENTION, "operators": frozenset({OPERATOR})}
    return Policy(**{name: value for name, value in wanted.items() if name in known})


def _in_words(old: Item | None, new: Item | None) -> str:
    """A change of the ledger."""
    item = new or old or {}
    if "status" not in item:
        waiting = [entry["S"].rpartition("/")[2][:6] for entry in item.get("waiting", {"L": []})["L"]]
        return f"    ledger: {item['id']['S']} waiting {waiting}, open {item.get('importing', {}).get('S', '')[:6] or 'none'}"
    before, after = ("none" if each is None else each["status"]["S"].lower() for each in (old, new))
    details = f"{item['taskType']['S']} {item.get('taskRunId', {}).get('S', '')} {item.get('errorCode', {}).get('S', '')}"
    return f"    ledger: {item['id']['S'][:6]} {details.strip()}: {before} -> {after}"


def _arrive(delayed: DelayedCall) -> None:
    """A late request has its effect; nobody is left to hear of its error."""
    try:
        delayed.call()
    except Exception:  # noqa: BLE001  AWS refuses a late request as any other
        return
