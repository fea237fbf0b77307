"""The ledger's table, as far as a reconcile uses it. Items are generated when read; only written ones are stored."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bench.reconciler.run_data import Data
from core.aws.items import Item, to_item
from local.cloud.template import resources

PAGE_BYTES = 1_000_000  # DynamoDB's 1 MB, counted before projection
RETENTION = timedelta(days=90)
Entry = tuple[str, str, int, int]


class Table:
    """The ledger. Its index `open` is template.yaml's; the index `full` projects every attribute."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._numbers: dict[str, int] = {}  # of the runs in the shards that were read
        self._written: dict[str, Item] = {}
        self._shards: dict[str, list[Entry]] = {}

    def item(self, id_: str) -> Item:
        return self._written.get(id_) or to_item(self._data.run(self._numbers[id_]), RETENTION)

    def get(self, id_: str) -> dict[str, Any]:
        return {"Item": self.item(id_)} if id_ in self._numbers else {}

    def shard(self, shard: str) -> list[Entry]:
        """(openKey, id, bytes in `open`, bytes in `full`), in the index's order. The first call takes long."""
        if shard not in self._shards:
            self._shards[shard] = sorted(self._entries(shard))
        return self._shards[shard]

    def _entries(self, shard: str) -> Iterator[Entry]:
        indexes = {index["IndexName"]: index for index in resources()["Ledger"]["Properties"]["GlobalSecondaryIndexes"]}
        projected = {"id", "openShard", "openKey", *indexes["open"]["Projection"]["NonKeyAttributes"]}
        size = self._data.per_transform
        for transform in self._data.transforms_of([shard]):
            for number in range(transform * size, (transform + 1) * size):
                item = to_item(self._data.run(number), RETENTION)
                id_ = item["id"]["S"]
                self._numbers[id_] = number
                open_bytes = item_size({name: value for name, value in item.items() if name in projected})
                yield item["openKey"]["S"], id_, open_bytes, item_size(item)

    def query(self, arguments: dict[str, Any]) -> dict[str, Any]:
        index = self.shard(arguments["ExpressionAttributeValues"][":shard"]["S"])
        first, end = _range(index, arguments)
        names = arguments.get("ExpressionAttributeNames", {})
        projection = (
            [names.get(name, name) for name in arguments["ProjectionExpression"].split(", ")]
            if "ProjectionExpression" in arguments
            else None
        )
        items, read_bytes, position = [], 0, first
        while position < end and (read_bytes := read_bytes + _bytes(index[position], arguments)) <= PAGE_BYTES:
            item = self.item(index[position][1])
            items.append({name: item[name] for name in projection if name in item} if projection else item)
            position += 1
        last = {"LastEvaluatedKey": self._key(index[position - 1][1])} if position < end else {}
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)} | last

    def _key(self, id_: str) -> Item:
        item = self.item(id_)
        return {name: item[name] for name in ("openShard", "openKey", "id")}

    def update(self, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """The response; None if the item's revision is not the expected one."""
        item, values = dict(self.item(arguments["Key"]["id"]["S"])), arguments["ExpressionAttributeValues"]
        if ":oldRevision" in values and item["revision"] != values[":oldRevision"]:
            return None
        sets, _, removes = arguments["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for pair in sets.split(", "):
            name, _, value = pair.partition(" = ")
            item[name.removeprefix("#")] = values[value]
        for name in filter(None, removes.split(", ")):
            item.pop(name.removeprefix("#"), None)
        self._written[item["id"]["S"]] = item
        return {"Attributes": item} if arguments.get("ReturnValues") == "ALL_NEW" else {}


def _range(index: list[Entry], arguments: dict[str, Any]) -> tuple[int, int]:
    condition = arguments["KeyConditionExpression"]
    begin = arguments["ExpressionAttributeValues"].get(":first", {"S": ""})["S"]
    keys = [entry[:2] for entry in index] if begin or "ExclusiveStartKey" in arguments else []
    first = bisect_left(keys, (begin, "")) if ">=" in condition else 0
    end = bisect_left(keys, (begin, "")) if " < " in condition else len(index)
    if after := arguments.get("ExclusiveStartKey"):
        first = bisect_right(keys, (after["openKey"]["S"], after["id"]["S"]))
    return first, end


def _bytes(entry: Entry, arguments: dict[str, Any]) -> int:
    _, _, open_bytes, full_bytes = entry
    return open_bytes if arguments["IndexName"] == "open" else full_bytes


def item_size(item: Item) -> int:
    """Bytes, by DynamoDB's rules: docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    return sum(len(name.encode()) + _value_size(*next(iter(value.items()))) for name, value in item.items())


def _value_size(kind: str, value: Any) -> int:  # noqa: ANN401  any attribute value
    if kind == "N":
        return (len(value.strip("0")) + 1) // 2 + 1
    return 1 if kind == "BOOL" else len(value.encode())
