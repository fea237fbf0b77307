"""Puts letters on the dead-letter queues of the local cloud, redrives them, and reads what came of them."""

import json
from typing import Any
from uuid import uuid4

from ops.redrive.redrive import Tally, redrive
from ops.redrive.stack import Deployed
from tests.chaos.cloud import ChaosCloud
from tests.chaos.requests import message

ANY_TIME = {
    "approximateArrivalOfFirstRecord": "2026-01-01T00:00:00Z",
    "approximateArrivalOfLastRecord": "2099-01-01T00:00:00Z",
}


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
