"""Ledger changes that could not be announced: read again from the table's stream, or, once they are gone, from the ledger.

A stream keeps its records for 24 hours; a dead letter only says where they were.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ops.redrive.stack import Deployed

_GONE = ("TrimmedDataAccessException", "ResourceNotFoundException")
_SLACK = timedelta(minutes=1)  # the ledger's times are the functions', the stream's are DynamoDB's


class RecordsGone(Exception):
    """The stream no longer has the records that a dead letter names."""


def stream_records(deployed: Deployed, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records of `batch` (DDBStreamBatchInfo), as Lambda delivers them. Raises RecordsGone."""
    streams = deployed.client("dynamodbstreams")
    first, last = int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
    found: list[dict[str, Any]] = []
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            found += page["Records"]
            iterator = page.get("NextShardIterator")
            if not page["Records"] or int(found[-1]["dynamodb"]["SequenceNumber"]) >= last:
                break
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise RecordsGone from error
        raise
    wanted = [one for one in found if first <= int(one["dynamodb"]["SequenceNumber"]) <= last]
    if not wanted:
        raise RecordsGone
    # As the function's own filter has it: a run that expired is no news.
    return [_as_delivered(one) for one in wanted if one["eventName"] != "REMOVE"]


def runs_changed_in(deployed: Deployed, batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The ledger's items that may have changed while `batch` was written, as they stand now."""
    since = _moment(batch["approximateArrivalOfFirstRecord"]) - _SLACK
    until = _moment(batch["approximateArrivalOfLastRecord"]) + _SLACK
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


def as_new(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items as if they had just been written: what the announcing function makes of them is all that they stand for now.

    Their events keep their ids, so that whoever got them already recognizes them.
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
    images.pop("ApproximateCreationDateTime", None)  # a datetime here, and nobody reads it
    return {**record, "eventSource": "aws:dynamodb", "dynamodb": images}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
