"""The ledger's stream, read as Lambda reads it, by transform."""

from collections import defaultdict
from typing import Any


class LedgerStream:
    """The changes of the ledger since this object was created."""

    def __init__(self, dynamodb: Any, streams: Any, table: str) -> None:  # noqa: ANN401  boto3's clients
        self._streams = streams
        arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        begin = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")
        self._iterator: str = begin["ShardIterator"]
        self._by_transform: dict[str, list[Any]] = defaultdict(list)
        self._all: list[Any] = []

    def records(self, transform_id: str) -> list[dict[str, Any]]:
        """The transform's changes so far, oldest first, as records of a Lambda event."""
        self._read()
        return list(self._by_transform[transform_id])

    def all_records(self, *, removals: bool = False) -> list[dict[str, Any]]:
        """All changes so far, also of runs without a transform; `removals` includes expired items."""
        self._read()
        return [record for record in self._all if removals or record["eventName"] != "REMOVE"]

    def forget(self) -> None:
        self._read()
        self._by_transform.clear()
        self._all.clear()

    def _read(self) -> None:
        while True:
            page = self._streams.get_records(ShardIterator=self._iterator, Limit=1000)
            self._iterator = page["NextShardIterator"]
            for record in page["Records"]:
                image = record["dynamodb"].get("NewImage", {})
                delivered = {"eventName": record["eventName"], "eventSource": "aws:dynamodb", "dynamodb": _images(record)}
                self._all.append(delivered)
                if "transformId" in image and record["eventName"] != "REMOVE":
                    self._by_transform[image["transformId"]["S"]].append(delivered)
            if not page["Records"]:
                return


def _images(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record["dynamodb"].items() if name in ("OldImage", "NewImage", "SequenceNumber")}
