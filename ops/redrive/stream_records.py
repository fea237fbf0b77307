"""Ledger changes that could not be published: read again from the stream, or from the ledger once the stream has lost them.

A stream keeps its records for 24 hours; a dead letter holds only their position in it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ops.redrive.stack import Deployed

_GONE_CODES = ("TrimmedDataAccessException", "ResourceNotFoundException")
_CLOCK_TOLERANCE = timedelta(minutes=1)  # the ledger has the functions' times, the batch has DynamoDB's


class RecordsGone(Exception):
    """The stream no longer has the records of a dead letter."""


def stream_records(deployed: Deployed, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records of `batch` (DDBStreamBatchInfo), as Lambda delivers them. Raises RecordsGone."""
    streams = deployed.client("dynamodbstreams")
    first, last = int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
    records: list[dict[str, Any]] = []
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            records += page["Records"]
            iterator = page.get("NextShardIterator")
            if not page["Records"] or int(records[-1]["dynamodb"]["SequenceNumber"]) >= last:
                break
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE_CODES:
            raise RecordsGone from error
        raise
    in_batch = [record for record in records if first <= int(record["dynamodb"]["SequenceNumber"]) <= last]
    if not in_batch:
        raise RecordsGone
    # As the event source mapping's filter: an expired run is not announced.
    return [_as_delivered(record) for record in in_batch if record["eventName"] != "REMOVE"]


def runs_changed_in(deployed: Deployed, batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The current items of the runs that may have changed while `batch` was written."""
    since = _parse_time(batch["approximateArrivalOfFirstRecord"]) - _CLOCK_TOLERANCE
    until = _parse_time(batch["approximateArrivalOfLastRecord"]) + _CLOCK_TOLERANCE
    pages = (
        deployed.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=deployed.outputs["LedgerTableName"],
            FilterExpression="kind = :run AND requestedOn <= :until AND changedOn >= :since",
            ExpressionAttributeValues={
                ":run": {"S": "run"},
                ":until": {"S": until.isoformat(timespec="microseconds")},
                ":since": {"S": since.isoformat(timespec="microseconds")},
            },
        )
    )
    for page in pages:
        yield from page["Items"]


def as_inserts(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stream records as if the items had just been inserted, so that the announce function publishes their current state.

    The events have the same ids as before, so that consumers can recognize duplicates.
    """
    return [
        {
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"SequenceNumber": str(number), "Keys": {"id": item["id"]}, "NewImage": item},
        }
        for number, item in enumerate(items, start=1)
    ]


def _as_delivered(record: dict[str, Any]) -> dict[str, Any]:
    images = dict(record["dynamodb"])
    images.pop("ApproximateCreationDateTime", None)  # a datetime, which JSON cannot hold; the function does not read it
    return {**record, "eventSource": "aws:dynamodb", "dynamodb": images}


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)
