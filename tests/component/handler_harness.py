"""The real handlers on an AWS in this process: moto, and the Glue emulator for Glue."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
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
from core.ports import Dependencies
from local.cloud.template import ledger_table, rule_pattern
from local.glue.in_process import answer_in_process
from local.glue.service import GlueService
from tests.component.aws_errors import AwsErrors
from tests.component.sample_events import ACCOUNT, BUCKET, SAMPLE_ETAGS, TRANSFORM
from tests.glue_emulator.people import TWO_SETS

TABLE, BUS, DEAD_LETTERS = "ledger", "label-loop-bus", "unpublished-changes"
LABEL_FILES = (  # that the samples name
    f"labels/{TRANSFORM}/round-1.csv",
    f"team-a/labels/{TRANSFORM}/round 2, äöü.csv",
    f"labels/{TRANSFORM}/2026/11/round-1.CSV",
)
ANY_EVENT: dict[str, Any] = {"source": [{"prefix": ""}]}


@dataclass(frozen=True)
class Response:
    """A REST response as its caller sees it; `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @staticmethod
    def of(response: Mapping[str, Any]) -> "Response":
        headers = {name.lower(): ", ".join(values) for name, values in response["multiValueHeaders"].items()}
        return Response(response["statusCode"], headers, json.loads(response["body"]))


@dataclass(frozen=True)
class FunctionContext:
    """The context that Lambda passes to a handler."""

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
    """Calls the handlers and shows what they did. `calls` are the operations of all AWS calls that they sent.

    `aws_errors` are answered to the handlers' calls to S3 and Glue.
    """

    glue: GlueService
    calls: list[str] = field(default_factory=list)
    aws_errors: AwsErrors = field(default_factory=AwsErrors)

    def __post_init__(self) -> None:
        self.dynamodb, self.events, self.s3 = client("dynamodb"), client("events"), client("s3")
        self._sqs, self._streams = client("sqs"), client("dynamodbstreams")
        self._delivered = 0
        self.dynamodb.create_table(TableName=TABLE, **ledger_table())
        self.s3.create_bucket(Bucket=BUCKET)
        for key in LABEL_FILES:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=TWO_SETS)
        self.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/~$round-1.csv", Body=b"\x05alice")
        self.events.create_event_bus(Name=BUS)
        self._dead_letters: str = self._sqs.create_queue(QueueName=DEAD_LETTERS)["QueueUrl"]
        self._published: str | None = None
        self._incoming: list[str] = []

    # --- calls of the handlers

    def rest(self, event: dict[str, Any], deps: Dependencies | None = None) -> Response:
        """Send a REST request to the API's handler."""
        return Response.of(handlers.api.handler(event, _context(), deps))

    def command(self, event: dict[str, Any]) -> None:
        """Deliver a command or an upload to the bus handler; an upload of a sample names the object that is in the bucket."""
        handlers.bus.handler(self._with_etag(event), _context())

    def _with_etag(self, event: dict[str, Any]) -> dict[str, Any]:
        """The samples have the ETags of sam local's label files; this bucket holds others."""
        detail = event["detail"]
        if not isinstance(detail, dict) or detail.get("object", {}).get("etag") not in SAMPLE_ETAGS:
            return event
        bucket, key = detail["bucket"]["name"], detail["object"]["key"]
        with suppress(self.s3.exceptions.ClientError):
            etag = self.s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
            return event | {"detail": detail | {"object": detail["object"] | {"etag": etag}}}
        return event

    def reconcile(self, event: dict[str, Any] | None = None) -> dict[str, int]:
        return handlers.schedule.handler(event or {}, _context())

    def run_glue_until(self, *statuses: str) -> None:
        """Let Glue finish its runs, and reconcile, until the runs have these statuses, in order of request."""
        self.glue.faults.clear()
        deadline = time.monotonic() + 180
        while self.statuses() != list(statuses):
            assert time.monotonic() < deadline, self.items()
            time.sleep(0.05)
            self.reconcile()

    def announce(self, event: dict[str, Any]) -> list[str]:
        """Deliver stream records to the announcing handler; returns the sequence numbers that it wants delivered again."""
        self._published = self._published or self._rule("AnyEvent", ANY_EVENT, BUS)
        return [failure["itemIdentifier"] for failure in handlers.announce.handler(event, _context())["batchItemFailures"]]

    # --- deliveries by AWS

    def deliver_stream(self) -> list[str]:
        """Deliver the new records of the ledger's stream; those that fail are delivered again by the next call."""
        records = self._new_records()
        failed = self.announce({"Records": records}) if records else []
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        self._delivered += min((numbers.index(number) for number in failed), default=len(records))
        return failed

    def connect_rules(self) -> None:
        """From now on receive commands and uploads by the template's two rules."""
        notification: dict[str, Any] = {"EventBridgeConfiguration": {}}
        self.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=notification)
        self._incoming = [
            self._rule("Commands", rule_pattern("Commands"), BUS),
            self._rule("Uploads", rule_pattern("Uploads", f"s3://{BUCKET}/"), "default"),
        ]

    def deliver_commands(self) -> int:
        """Deliver to the bus handler what the rules matched; returns the number of events."""
        events = [event for queue in self._incoming for event in self._receive_all(queue)]
        for event in events:
            self.command(event)
        return len(events)

    # --- results

    def published_events(self) -> list[dict[str, Any]]:
        """The events of this service that were published since the last call, as consumers receive them."""
        return (
            [event for event in self._receive_all(self._published) if event["source"] == "glue-label-loop"]
            if self._published
            else []
        )

    def dead_letters(self) -> list[dict[str, Any]]:
        """The letters that the announce function has written since the last call."""
        return self._receive_all(self._dead_letters)

    def items(self) -> list[dict[str, Any]]:
        """The runs in the ledger, with plain values."""
        items = self.dynamodb.scan(TableName=TABLE)["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in items if "kind" in item]

    def items_by_request_time(self) -> list[dict[str, Any]]:
        return sorted(self.items(), key=lambda item: str(item["requestedKey"]))

    def statuses(self) -> list[str]:
        return [item["status"] for item in self.items_by_request_time()]

    def only_item(self) -> dict[str, Any]:
        """The only run in the ledger."""
        (item,) = self.items()
        return item

    def glue_runs(self) -> list[dict[str, Any]]:
        """The task runs that the Glue emulator has of the transform."""
        runs: list[dict[str, Any]] = self.glue.operations["GetMLTaskRuns"]({"TransformId": TRANSFORM}).get("TaskRuns", [])
        return runs

    def glue_start_calls(self) -> list[str]:
        """The start calls that were sent to Glue."""
        return [call for call in self.calls if call.startswith("Start")]

    def nothing_was_started(self) -> bool:
        return not self.glue_start_calls() and not self.glue_runs()

    def session(self) -> Session:
        """The session for the handlers' clients: its calls are recorded, and those to Glue go to the emulator."""
        session = new_session()
        answer_in_process(session.events, self.glue)
        for service in ("s3", "glue"):
            session.events.register_first(f"before-send.{service}", self.aws_errors)
        session.events.register_first(
            "before-send.glue", self._record_call
        )  # first: a lost response is raised before later watchers are called
        for service in ("dynamodb", "events"):
            session.events.register_first(f"before-send.{service}", self._record_call)
        return session

    # --- helpers

    def _record_call(self, request: AWSPreparedRequest, **_: object) -> None:
        target: Any = request.headers["X-Amz-Target"]
        self.calls.append((target.decode() if isinstance(target, bytes) else str(target)).partition(".")[2])

    def _rule(self, name: str, pattern: Mapping[str, Any], bus: str) -> str:
        url: str = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        self.events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def _receive_all(self, queue: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                events.append(json.loads(message["Body"]))
        return events

    def _new_records(self) -> list[Any]:
        arn = self.dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
        (shard,) = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        records: list[Any] = self._streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
        return records[self._delivered :]


@cache
def _loader() -> Any:  # noqa: ANN401  botocore's loader has no public type
    """One loader for all tests: reading the service models is most of what a client costs."""
    return create_loader()


def new_session() -> Session:
    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    return Session(botocore_session=session)


@cache
def client(service: str) -> Any:  # noqa: ANN401  boto3 makes clients at run time
    """A client for the tests themselves, kept for all tests."""
    create: Any = new_session().client
    return create(service)


def _context() -> Any:  # noqa: ANN401  LambdaContext has no constructor
    return FunctionContext()


def clear_caches(namespace: Mapping[str, object]) -> None:
    """Clear the caches of a module's functions, as in a new process of the function."""
    for member in namespace.values():
        clear: Callable[[], None] | None = getattr(member, "cache_clear", None)
        if clear is not None:
            clear()
