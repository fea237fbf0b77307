"""The four real handlers on an AWS in this process: moto, and our own engine for Glue."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
from boto3.session import Session
from botocore.awsrequest import AWSPreparedRequest
from botocore.loaders import create_loader

import handlers.announce
import handlers.api
import handlers.bus
import handlers.schedule
from local.cloud.template import ledger_table, rule_pattern
from local.glue.in_process import answer_in_process
from local.glue.service import GlueService
from tests.component.samples import ACCOUNT, BUCKET, TRANSFORM
from tests.glue_emulator.people import TWO_SETS

TABLE, BUS = "ledger", "label-loop-bus"
LABEL_FILES = (f"labels/{TRANSFORM}/round-1.csv", f"team-a/labels/{TRANSFORM}/round 2, äöü.csv")  # of the samples
EVERYTHING: dict[str, Any] = {"source": [{"prefix": ""}]}


@dataclass(frozen=True)
class Answer:
    """A REST answer as its caller sees it; `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @staticmethod
    def of(answer: Mapping[str, Any]) -> "Answer":
        headers = {name.lower(): ", ".join(values) for name, values in answer["multiValueHeaders"].items()}
        return Answer(answer["statusCode"], headers, json.loads(answer["body"]))


@dataclass(frozen=True)
class FunctionContext:
    """What Lambda tells a function of itself."""

    function_name: str = "glue-label-loop-function"
    memory_limit_in_mb: int = 512
    aws_request_id: str = "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@dataclass
class HandlerHarness:
    """The handlers, and a look at what they did. `calls` are all AWS calls that they sent, by operation."""

    glue: GlueService
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dynamodb, self.events, self.s3 = client("dynamodb"), client("events"), client("s3")
        self._sqs, self._streams = client("sqs"), client("dynamodbstreams")
        self._delivered = 0
        self.dynamodb.create_table(TableName=TABLE, **ledger_table())
        self.s3.create_bucket(Bucket=BUCKET)
        for key in LABEL_FILES:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=TWO_SETS)
        self.events.create_event_bus(Name=BUS)
        self._sent: str | None = None
        self._incoming: list[str] = []

    # --- going in

    def rest(self, event: dict[str, Any], **given: Any) -> Answer:  # noqa: ANN401  the handler's optional collaborators
        return Answer.of(handlers.api.handler(event, _context(), **given))

    def event(self, event: dict[str, Any], **given: Any) -> None:  # noqa: ANN401  the handler's optional collaborators
        handlers.bus.handler(event, _context(), **given)

    def tick(self, event: dict[str, Any] | None = None) -> dict[str, int]:
        return handlers.schedule.handler(event or {}, _context())

    def work_until(self, *statuses: str) -> None:
        """Let Glue work, and the clock tick, until the runs stand there, in the order in which they were requested."""
        self.glue.faults.clear()
        deadline = time.monotonic() + 180
        while self.statuses() != list(statuses):
            assert time.monotonic() < deadline, self.items()
            time.sleep(0.05)
            self.tick()

    def announce(self, event: dict[str, Any]) -> list[str]:
        """The sequence numbers of the records that are to be delivered again."""
        self._sent = self._sent or self._rule("everything", EVERYTHING, BUS)
        return [one["itemIdentifier"] for one in handlers.announce.handler(event, _context())["batchItemFailures"]]

    # --- what AWS delivers

    def deliver_stream(self) -> list[str]:
        """Let the ledger's stream deliver what is new; what comes back for another try is delivered by the next call."""
        records = self._new_records()
        failed = self.announce({"Records": records}) if records else []
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        self._delivered += min((numbers.index(one) for one in failed), default=len(records))
        return failed

    def connect_rules(self) -> None:
        """Let commands and uploads from now on come in by the template's two rules."""
        told: dict[str, Any] = {"EventBridgeConfiguration": {}}
        self.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=told)
        self._incoming = [
            self._rule("Commands", rule_pattern("Commands"), BUS),
            self._rule("Uploads", rule_pattern("Uploads"), "default"),
        ]

    def deliver_commands(self) -> int:
        """Hand the bus function what the rules let through, and say how many events that were."""
        events = [event for queue in self._incoming for event in self._taken(queue)]
        for event in events:
            self.event(event)
        return len(events)

    # --- looking

    def on_bus(self) -> list[dict[str, Any]]:
        """The events that went out since the last look, as their consumers see them."""
        return [event for event in self._taken(self._sent) if event["source"] == "glue-label-loop"] if self._sent else []

    def items(self) -> list[dict[str, Any]]:
        """The ledger's runs, as plain values."""
        found = self.dynamodb.scan(TableName=TABLE)["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in found if "kind" in item]

    def items_by_age(self) -> list[dict[str, Any]]:
        return sorted(self.items(), key=lambda item: str(item["requestedKey"]))

    def statuses(self) -> list[str]:
        return [item["status"] for item in self.items_by_age()]

    def item(self) -> dict[str, Any]:
        """The only run in the ledger."""
        (only,) = self.items()
        return only

    def glue_runs(self) -> list[dict[str, Any]]:
        """What Glue really has, asked from outside."""
        found: list[dict[str, Any]] = self.glue.operations["GetMLTaskRuns"]({"TransformId": TRANSFORM}).get("TaskRuns", [])
        return found

    def starts(self) -> list[str]:
        """The start calls that reached Glue."""
        return [one for one in self.calls if one in ("StartMLLabelingSetGenerationTaskRun", "StartImportLabelsTaskRun")]

    def nothing_was_started(self) -> bool:
        return not self.starts() and not self.glue_runs()

    def session(self) -> Session:
        """What the handlers' clients are made of: a plain session, watched, whose Glue is the engine."""
        session = new_session()
        answer_in_process(session.events, self.glue)
        session.events.register_first("before-send.glue", self._watch)  # a lost answer is raised past any later watcher
        for service in ("dynamodb", "events"):
            session.events.register_first(f"before-send.{service}", self._watch)
        return session

    # --- how

    def _watch(self, request: AWSPreparedRequest, **_: object) -> None:
        target: Any = request.headers["X-Amz-Target"]
        self.calls.append((target.decode() if isinstance(target, bytes) else str(target)).partition(".")[2])

    def _rule(self, name: str, pattern: Mapping[str, Any], bus: str) -> str:
        url: str = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        self.events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def _taken(self, queue: str) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                taken.append(json.loads(message["Body"]))
        return taken

    def _new_records(self) -> list[Any]:
        arn = self.dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
        (shard,) = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        records: list[Any] = self._streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
        return records[self._delivered :]


@cache
def _models() -> Any:  # noqa: ANN401  botocore's loader has no public type
    """The service models, read once for all tests: reading them anew is most of what a client costs."""
    return create_loader()


def new_session() -> Session:
    session = botocore.session.Session()
    session.register_component("data_loader", _models())
    return Session(botocore_session=session)


@cache
def client(service: str) -> Any:  # noqa: ANN401  boto3 makes clients at run time
    """The test's own look at AWS; it outlives a test, what it looks at does not."""
    make: Any = new_session().client
    return make(service)


def _context() -> Any:  # noqa: ANN401  LambdaContext has no constructor
    return FunctionContext()


def forget_everything(namespace: Mapping[str, object]) -> None:
    """Clear the caches of a module, as a new process of the function would find them."""
    for one in namespace.values():
        clear: Callable[[], None] | None = getattr(one, "cache_clear", None)
        if clear is not None:
            clear()
