"""The ledger's stream, read as Lambda would, and handed out by transform."""

from collections import defaultdict
from typing import Any


class LedgerStream:
    """What was written to the ledger since this was made."""

    def __init__(self, dynamodb: Any, streams: Any, table: str) -> None:  # noqa: ANN401  boto3's clients
        self._streams = streams
        arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        begin = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")
        self._iterator: str = begin["ShardIterator"]
        self._of_transform: dict[str, list[Any]] = defaultdict(list)
        self._all: list[Any] = []

    def records(self, transform_id: str) -> list[dict[str, Any]]:
        """The transform's changes so far, oldest first, as a Lambda event carries them."""
        self._read()
        return list(self._of_transform[transform_id])

    def all_records(self, *, removals: bool = False) -> list[dict[str, Any]]:
        """Every change so far, of runs without a transform too."""
        self._read()
        return [one for one in self._all if removals or one["eventName"] != "REMOVE"]

    def forget(self) -> None:
        self._read()
        self._of_transform.clear()
        self._all.clear()

    def _read(self) -> None:
        while True:
            answer = self._streams.get_records(ShardIterator=self._iterator, Limit=1000)
            self._iterator = answer["NextShardIterator"]
            for record in answer["Records"]:
                image = record["dynamodb"].get("NewImage", {})
                plain = {"eventName": record["eventName"], "eventSource": "aws:dynamodb", "dynamodb": _images(record)}
                self._all.append(plain)
                if "transformId" in image and record["eventName"] != "REMOVE":
                    self._of_transform[image["transformId"]["S"]].append(plain)
            if not answer["Records"]:
                return


def _images(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record["dynamodb"].items() if name in ("OldImage", "NewImage", "SequenceNumber")}
