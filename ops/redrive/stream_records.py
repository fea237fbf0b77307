"""Ledger changes that could not be published: read again from the stream, or from the ledger once the stream has lost them.

A stream keeps its records for 24 hours; a dead letter holds only their position in it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from ops.redrive.stack import Deployed

_GONE_CODES = ("TrimmedDataAccessException", "ResourceNotFoundException")
_CLOCK_TOLERANCE = timedelta(minutes=1)  # the ledger has the functions' times, the batch has DynamoDB's
_PAUSE_SECONDS = 0.25  # a shard allows five GetRecords calls a second
_MAX_EMPTY_PAGES = 240  # in a row: a minute


class RecordsGone(Exception):
    """The stream no longer has the records of a dead letter."""


class RecordsUnread(Exception):
    """The stream did not return all records of a dead letter; the text says how far it was read."""


def stream_records(
    deployed: Deployed, batch: Mapping[str, Any], sleep: Callable[[float], None] = time.sleep
) -> list[dict[str, Any]]:
    """The records of `batch` (DDBStreamBatchInfo), as Lambda delivers them. Raises RecordsGone or RecordsUnread."""
    first, last = int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
    try:
        records = list(_read_through(deployed.client("dynamodbstreams"), batch, last, sleep))
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE_CODES:
            raise RecordsGone from error
        raise
    in_batch = [record for record in records if first <= _sequence_number(record) <= last]
    if not in_batch or _sequence_number(in_batch[0]) > first:
        raise RecordsGone
    # As the event source mapping's filter: an expired run is not announced.
    return [_as_delivered(record) for record in in_batch if record["eventName"] != "REMOVE"]


def _read_through(
    streams: Any,  # noqa: ANN401  boto3's client
    batch: Mapping[str, Any],
    last: int,
    sleep: Callable[[float], None],
) -> Iterator[dict[str, Any]]:
    """The shard's records from the batch's first on, until one has the sequence number `last` or a later one.

    An empty page is not the end: GetRecords may return one although more records follow. Only a missing iterator ends a shard.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
    """
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    empty_pages = 0
    while iterator and empty_pages < _MAX_EMPTY_PAGES:
        page = streams.get_records(ShardIterator=iterator)
        yield from page["Records"]
        if page["Records"] and _sequence_number(page["Records"][-1]) >= last:
            return
        iterator = page.get("NextShardIterator")
        empty_pages = 0 if page["Records"] else empty_pages + 1
        if empty_pages and iterator:
            sleep(_PAUSE_SECONDS)
    end = f"{empty_pages} empty pages" if iterator else "the end of the shard"
    raise RecordsUnread(f"{end} came before sequence number {last}")


def runs_changed_in(deployed: Deployed, batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The current items of the runs that may have changed while `batch` was written."""
    since = datetime.fromisoformat(batch["approximateArrivalOfFirstRecord"]) - _CLOCK_TOLERANCE
    until = datetime.fromisoformat(batch["approximateArrivalOfLastRecord"]) + _CLOCK_TOLERANCE
    pages = (
        deployed.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=deployed.outputs["LedgerTableName"],
            FilterExpression="begins_with(kind, :run) AND requestedOn <= :until AND changedOn >= :since",
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


def _sequence_number(record: Mapping[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def _as_delivered(record: dict[str, Any]) -> dict[str, Any]:
    images = dict(record["dynamodb"])
    images.pop("ApproximateCreationDateTime", None)  # a datetime, which JSON cannot hold; the function does not read it
    return {**record, "eventSource": "aws:dynamodb", "dynamodb": images}
