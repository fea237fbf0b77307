"""`make redrive`: dead letters go through their function again, and stay on their queue if it fails."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from boto3.session import Session

from local.cloud.process import ACCESS_KEY, REGION, SECRET_KEY
from local.cloud.stack import STACK_NAME
from local.demo.event_listener import EventListener, subscribe
from ops.redrive.redrive import QUEUES, Tally, redrive
from ops.redrive.stack import Deployed, find
from tests.chaos.cloud import ChaosCloud
from tests.chaos.requests import message

ANY_TIME = {
    "approximateArrivalOfFirstRecord": "2026-01-01T00:00:00Z",
    "approximateArrivalOfLastRecord": "2099-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def deployed(cloud: ChaosCloud) -> Deployed:
    session = Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    return find(STACK_NAME, session, cloud.stack.aws_endpoint_url)


@pytest.fixture(scope="module")
def transform(cloud: ChaosCloud) -> str:
    return cloud.transform("redrive")


@pytest.fixture(scope="module")
def bus(cloud: ChaosCloud) -> Iterator[EventListener]:
    listener = subscribe(cloud.stack, "redrive")
    yield listener
    listener.sqs.close()


def command(cloud: ChaosCloud, transform: str) -> dict[str, Any]:
    return message("bus labeling set", uuid4().hex, transform, cloud.s3_path("sets/"), ("", ""))


def put(cloud: ChaosCloud, queue: str, letter: object) -> None:
    cloud.client("sqs").send_message(QueueUrl=cloud.stack.outputs[f"{queue}Url"], MessageBody=json.dumps(letter))


def count_messages(cloud: ChaosCloud, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = cloud.stack.outputs[f"{queue}Url"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def items_of(cloud: ChaosCloud, event: dict[str, Any]) -> list[dict[str, Any]]:
    items = cloud.client("dynamodb").scan(TableName=cloud.table)["Items"]
    return [item for item in items if item.get("causationId", {}).get("S") == event["id"]]


def redrive_queue(deployed: Deployed, queue: str) -> tuple[Tally, str]:
    """The tally, and the lines that were printed."""
    output: list[str] = []
    return redrive(deployed, [queue], output.append), "\n".join(output)


def test_undelivered_event_and_failed_command_start_their_runs(cloud: ChaosCloud, deployed: Deployed, transform: str) -> None:
    event, failed = command(cloud, transform), command(cloud, transform)
    put(cloud, "UndeliveredEvents", event)
    put(cloud, "FailedCommands", {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": failed})
    for queue in ("UndeliveredEvents", "FailedCommands"):
        tally, _ = redrive_queue(deployed, queue)
        assert (tally.sent, tally.kept) == (1, [])
        assert count_messages(cloud, queue) == 0
    assert [len(items_of(cloud, command_event)) for command_event in (event, failed)] == [1, 1]


def test_dead_letter_sent_twice_starts_one_run(cloud: ChaosCloud, deployed: Deployed, transform: str) -> None:
    event = command(cloud, transform)
    for _ in range(2):
        put(cloud, "UndeliveredEvents", event)
    assert redrive_queue(deployed, "UndeliveredEvents")[0].sent == 2
    (run,) = items_of(cloud, event)
    task_runs = cloud.client("glue").get_ml_task_runs(TransformId=transform)["TaskRuns"]
    paths = [task_run["Properties"]["LabelingSetGenerationTaskRunProperties"]["OutputS3Path"] for task_run in task_runs]
    assert paths.count(run["path"]["S"]) == 1


def test_letter_that_its_function_rejects_stays_on_its_queue(cloud: ChaosCloud, deployed: Deployed) -> None:
    put(cloud, "FailedCommands", {"requestPayload": {"id": "1", "source": "tests", "detail-type": "Garbage", "detail": {}}})
    put(cloud, "FailedCommands", "not a record of Lambda")
    tally, output = redrive_queue(deployed, "FailedCommands")
    assert (tally.sent, len(tally.kept)) == (0, 2)
    assert "not a command: 'Garbage'" in output
    assert count_messages(cloud, "FailedCommands") == 2


def test_dry_run_only_prints(cloud: ChaosCloud, deployed: Deployed, transform: str) -> None:
    event = command(cloud, transform)
    put(cloud, "UndeliveredEvents", event)
    output: list[str] = []
    redrive(deployed, ["UndeliveredEvents"], output.append, dry_run=True)
    assert event["id"] in output[0]
    assert not items_of(cloud, event)
    assert count_messages(cloud, "UndeliveredEvents") == 1


def test_failed_tick_reconciles(cloud: ChaosCloud, deployed: Deployed, transform: str) -> None:
    event = command(cloud, transform)
    deployed.invoke("BusFunctionName", event)
    put(cloud, "FailedReconciles", {"requestContext": {}, "requestPayload": {}})
    put(cloud, "FailedReconciles", {"scheduled": "tick"})  # as EventBridge Scheduler leaves it
    assert redrive_queue(deployed, "FailedReconciles")[0].sent == 2
    assert items_of(cloud, event)[0]["status"]["S"] in ("RUNNING", "SUCCEEDED")


def test_unpublished_changes_are_read_from_the_stream_and_published(
    cloud: ChaosCloud, deployed: Deployed, transform: str, bus: EventListener
) -> None:
    event = command(cloud, transform)
    deployed.invoke("BusFunctionName", event)
    (run,) = items_of(cloud, event)
    put(cloud, "UnpublishedChanges", {"DDBStreamBatchInfo": batch_info(cloud, run["id"]["S"])})
    bus.receive()
    assert redrive_queue(deployed, "UnpublishedChanges")[0].sent == 1
    published = [(sent["detail-type"], sent["detail"]["data"]["id"]) for sent in bus.receive()]
    assert published == [("TaskRunStarted", run["id"]["S"])]
    assert count_messages(cloud, "UnpublishedChanges") == 0


@dataclass(frozen=True)
class OneRecordPerPage(Deployed):
    """The stack, but its stream returns one record a page, and an empty page after each."""

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3's clients
        client = super().client(service)
        return _SmallPages(client) if service == "dynamodbstreams" else client


class _SmallPages:
    def __init__(self, streams: Any) -> None:  # noqa: ANN401  boto3's client
        self._streams = streams
        self._was_empty = True

    def get_shard_iterator(self, **arguments: str) -> Any:  # noqa: ANN401  boto3's response
        return self._streams.get_shard_iterator(**arguments)

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803  boto3's own
        self._was_empty = not self._was_empty
        if self._was_empty:
            return {"Records": [], "NextShardIterator": ShardIterator}
        page: dict[str, Any] = self._streams.get_records(ShardIterator=ShardIterator, Limit=1)
        return page


def test_every_change_is_published_although_the_stream_returns_empty_pages(
    cloud: ChaosCloud, deployed: Deployed, transform: str, bus: EventListener
) -> None:
    events = [command(cloud, transform) for _ in range(2)]
    for event in events:
        deployed.invoke("BusFunctionName", event)
    first, last = (items_of(cloud, event)[0]["id"]["S"] for event in events)
    batch = batch_info(cloud, first) | {"endSequenceNumber": batch_info(cloud, last)["endSequenceNumber"]}
    put(cloud, "UnpublishedChanges", {"DDBStreamBatchInfo": batch})
    bus.receive()
    tally, output = redrive_queue(OneRecordPerPage(deployed.session, deployed.outputs, deployed.endpoint), "UnpublishedChanges")
    assert (tally.sent, tally.kept) == (1, []), output
    assert {sent["detail"]["data"]["id"] for sent in bus.receive()} >= {first, last}
    assert count_messages(cloud, "UnpublishedChanges") == 0


def test_changes_no_longer_in_the_stream_are_published_from_the_ledger(
    cloud: ChaosCloud, deployed: Deployed, transform: str, bus: EventListener
) -> None:
    event = command(cloud, transform)
    deployed.invoke("BusFunctionName", event)
    (run,) = items_of(cloud, event)
    batch = batch_info(cloud, run["id"]["S"])
    trimmed = {**batch, **ANY_TIME, "startSequenceNumber": "1".zfill(21), "endSequenceNumber": "2".zfill(21)}
    put(cloud, "UnpublishedChanges", {"DDBStreamBatchInfo": trimmed})
    bus.receive()
    tally, output = redrive_queue(deployed, "UnpublishedChanges")
    assert tally.sent == 1, output
    assert "no longer in the ledger's stream" in output
    assert run["id"]["S"] in output
    assert ("TaskRunStarted", run["id"]["S"]) in [(sent["detail-type"], sent["detail"]["data"]["id"]) for sent in bus.receive()]


def test_isolated_change_is_announced_once_it_can_be_read(
    cloud: ChaosCloud, deployed: Deployed, transform: str, bus: EventListener
) -> None:
    event = command(cloud, transform)
    deployed.invoke("BusFunctionName", event)
    (item,) = items_of(cloud, event)
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "7", "NewImage": item}}
    unreadable = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "8", "NewImage": item | {"status": {"S": "UNKNOWN"}}}}
    put(cloud, "UnpublishedChanges", {"Records": [record]})
    put(cloud, "UnpublishedChanges", {"Records": [unreadable]})
    bus.receive()
    tally, output = redrive_queue(deployed, "UnpublishedChanges")
    assert (tally.sent, len(tally.kept)) == (1, 1), output
    assert [sent["detail"]["data"]["id"] for sent in bus.receive()] == [item["id"]["S"]]
    assert count_messages(cloud, "UnpublishedChanges") == 1, "no second letter of the unreadable change"


def test_every_dead_letter_queue_of_the_stack_can_be_redriven(cloud: ChaosCloud) -> None:
    assert {name.removesuffix("Url") for name in cloud.stack.outputs if name.endswith("Url")} - {"Api"} == set(QUEUES)


def batch_info(cloud: ChaosCloud, run_id: str) -> dict[str, Any]:
    """Lambda's DDBStreamBatchInfo of the run's changes."""
    streams, dynamodb = cloud.client("dynamodbstreams"), cloud.client("dynamodb")
    arn = dynamodb.describe_table(TableName=cloud.table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = [record["dynamodb"] for record in streams.get_records(ShardIterator=start["ShardIterator"])["Records"]]
    numbers = [record["SequenceNumber"] for record in records if record["Keys"]["id"]["S"] == run_id]
    return {
        "streamArn": arn,
        "shardId": shard["ShardId"],
        "startSequenceNumber": numbers[0],
        "endSequenceNumber": numbers[-1],
        "batchSize": len(numbers),
        **ANY_TIME,
    }
