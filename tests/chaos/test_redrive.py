"""What an operator sees of `make redrive`: dead letters go through their door again, and stay if it does not take them."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from boto3.session import Session

from local.cloud.process import ACCESS_KEY, REGION, SECRET_KEY
from local.cloud.stack import NAME
from local.demo.event_listener import Listener, listen
from ops.redrive.redrive import DOORS, Tally, redrive
from ops.redrive.stack import Deployed, find
from tests.chaos.cloud import Ground
from tests.chaos.requests import message

LONG_GONE = {
    "approximateArrivalOfFirstRecord": "2026-01-01T00:00:00Z",
    "approximateArrivalOfLastRecord": "2099-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def deployed(ground: Ground) -> Deployed:
    session = Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    return find(NAME, session, ground.stack.aws_endpoint_url)


@pytest.fixture(scope="module")
def transform(ground: Ground) -> str:
    return ground.transform("redriven")


@pytest.fixture(scope="module")
def bus(ground: Ground) -> Iterator[Listener]:
    listener = listen(ground.stack, "redriven")
    yield listener
    listener.sqs.close()


def command(ground: Ground, transform: str) -> dict[str, Any]:
    return message("bus labeling set", uuid4().hex, transform, ground.s3_path("sets/"), ("", ""))


def put(ground: Ground, queue: str, letter: object) -> None:
    ground.client("sqs").send_message(QueueUrl=ground.stack.outputs[f"{queue}Url"], MessageBody=json.dumps(letter))


def left_on(ground: Ground, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = ground.stack.outputs[f"{queue}Url"]
    told = ground.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)


def run_of(ground: Ground, event: dict[str, Any]) -> list[dict[str, Any]]:
    found = ground.client("dynamodb").scan(TableName=ground.table)["Items"]
    return [item for item in found if item.get("causationId", {}).get("S") == event["id"]]


def drive(deployed: Deployed, queue: str) -> tuple[Tally, str]:
    said: list[str] = []
    return redrive(deployed, [queue], said.append), "\n".join(said)


def test_an_undelivered_event_and_a_failed_command_start_their_runs(ground: Ground, deployed: Deployed, transform: str) -> None:
    event, failed = command(ground, transform), command(ground, transform)
    put(ground, "UndeliveredEvents", event)
    put(ground, "FailedCommands", {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": failed})
    for queue in ("UndeliveredEvents", "FailedCommands"):
        tally, _ = drive(deployed, queue)
        assert (tally.sent, tally.kept) == (1, [])
        assert left_on(ground, queue) == 0
    assert [len(run_of(ground, one)) for one in (event, failed)] == [1, 1]


def test_a_dead_letter_sent_twice_starts_one_run(ground: Ground, deployed: Deployed, transform: str) -> None:
    event = command(ground, transform)
    for _ in range(2):
        put(ground, "UndeliveredEvents", event)
    assert drive(deployed, "UndeliveredEvents")[0].sent == 2
    (run,) = run_of(ground, event)
    listed = ground.client("glue").get_ml_task_runs(TransformId=transform)["TaskRuns"]
    paths = [one["Properties"]["LabelingSetGenerationTaskRunProperties"]["OutputS3Path"] for one in listed]
    assert paths.count(run["path"]["S"]) == 1


def test_what_its_door_does_not_take_stays_on_its_queue(ground: Ground, deployed: Deployed) -> None:
    put(ground, "FailedCommands", {"requestPayload": {"id": "1", "source": "tests", "detail-type": "Garbage", "detail": {}}})
    put(ground, "FailedCommands", "no record of Lambda's at all")
    tally, said = drive(deployed, "FailedCommands")
    assert (tally.sent, len(tally.kept)) == (0, 2)
    assert "no command: 'Garbage'" in said
    assert left_on(ground, "FailedCommands") == 2


def test_a_dry_run_only_shows(ground: Ground, deployed: Deployed, transform: str) -> None:
    event = command(ground, transform)
    put(ground, "UndeliveredEvents", event)
    said: list[str] = []
    redrive(deployed, ["UndeliveredEvents"], said.append, dry_run=True)
    assert event["id"] in said[0]
    assert not run_of(ground, event)
    assert left_on(ground, "UndeliveredEvents") == 1


def test_a_failed_tick_reconciles(ground: Ground, deployed: Deployed, transform: str) -> None:
    event = command(ground, transform)
    deployed.invoke("BusFunctionName", event)
    put(ground, "FailedReconciles", {"requestContext": {}, "requestPayload": {}})
    put(ground, "FailedReconciles", {"scheduled": "tick"})  # as the scheduler leaves it
    assert drive(deployed, "FailedReconciles")[0].sent == 2
    assert run_of(ground, event)[0]["status"]["S"] in ("RUNNING", "SUCCEEDED")


def test_unpublished_changes_are_read_from_the_stream_again(
    ground: Ground, deployed: Deployed, transform: str, bus: Listener
) -> None:
    event = command(ground, transform)
    deployed.invoke("BusFunctionName", event)
    (run,) = run_of(ground, event)
    put(ground, "UnpublishedChanges", {"DDBStreamBatchInfo": batch_about(ground, run["id"]["S"])})
    bus.heard()
    assert drive(deployed, "UnpublishedChanges")[0].sent == 1
    told = [(one["detail-type"], one["detail"]["data"]["id"]) for one in bus.heard()]
    assert told == [("TaskRunStarted", run["id"]["S"])]
    assert left_on(ground, "UnpublishedChanges") == 0


def test_changes_that_the_stream_forgot_are_named_and_sent_as_they_stand(
    ground: Ground, deployed: Deployed, transform: str, bus: Listener
) -> None:
    event = command(ground, transform)
    deployed.invoke("BusFunctionName", event)
    (run,) = run_of(ground, event)
    known = batch_about(ground, run["id"]["S"])
    gone = {**known, **LONG_GONE, "startSequenceNumber": "1".zfill(21), "endSequenceNumber": "2".zfill(21)}
    put(ground, "UnpublishedChanges", {"DDBStreamBatchInfo": gone})
    bus.heard()
    tally, said = drive(deployed, "UnpublishedChanges")
    assert tally.sent == 1, said
    assert "no longer in the ledger's stream" in said
    assert run["id"]["S"] in said
    assert ("TaskRunStarted", run["id"]["S"]) in [(one["detail-type"], one["detail"]["data"]["id"]) for one in bus.heard()]


def test_every_dead_letter_queue_of_the_stack_has_its_door(ground: Ground) -> None:
    assert {name.removesuffix("Url") for name in ground.stack.outputs if name.endswith("Url")} - {"Api"} == set(DOORS)


def batch_about(ground: Ground, run_id: str) -> dict[str, Any]:
    """What Lambda notes of a batch that it could not deliver: where the run's changes are in the stream."""
    streams, dynamodb = ground.client("dynamodbstreams"), ground.client("dynamodb")
    arn = dynamodb.describe_table(TableName=ground.table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = [one["dynamodb"] for one in streams.get_records(ShardIterator=start["ShardIterator"])["Records"]]
    numbers = [one["SequenceNumber"] for one in records if one["Keys"]["id"]["S"] == run_id]
    return {
        "streamArn": arn,
        "shardId": shard["ShardId"],
        "startSequenceNumber": numbers[0],
        "endSequenceNumber": numbers[-1],
        "batchSize": len(numbers),
        **LONG_GONE,
    }
