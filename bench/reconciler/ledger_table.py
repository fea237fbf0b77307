"""The ledger's table, as far as a reconcile uses it. Items are generated when read; only written ones are stored."""

from bisect import bisect_left, bisect_right
from datetime import timedelta
from functools import cached_property
from typing import Any

from bench.reconciler.run_data import Data
from core.aws.items import Item, to_item
from local.cloud.template import resources

PAGE_BYTES = 1_000_000  # DynamoDB's 1 MB, counted before projection
RETENTION = timedelta(days=90)


class Table:
    """The ledger. Its index `open` is template.yaml's; the index `full` projects every attribute."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._numbers = {data.run(number).id: number for number in range(data.runs)}
        self._written: dict[str, Item] = {}

    def item(self, id_: str) -> Item:
        return self._written.get(id_) or to_item(self._data.run(self._numbers[id_]), RETENTION)

    @cached_property
    def _index(self) -> list[tuple[str, str, int, int]]:
        """(openKey, id, bytes in `open`, bytes in `full`), in the index's order."""
        indexes = {index["IndexName"]: index for index in resources()["Ledger"]["Properties"]["GlobalSecondaryIndexes"]}
        projected = {"id", "openShard", "openKey", *indexes["open"]["Projection"]["NonKeyAttributes"]}
        entries = []
        for id_ in self._numbers:
            item = self.item(id_)
            open_bytes = item_size({name: value for name, value in item.items() if name in projected})
            entries.append((item["openKey"]["S"], id_, open_bytes, item_size(item)))
        return sorted(entries)

    def query(self, arguments: dict[str, Any]) -> dict[str, Any]:
        first, end = self._range(arguments)
        names = arguments.get("ExpressionAttributeNames", {})
        projection = (
            [names.get(name, name) for name in arguments["ProjectionExpression"].split(", ")]
            if "ProjectionExpression" in arguments
            else None
        )
        items, read_bytes, position = [], 0, first
        while position < end and (read_bytes := read_bytes + self._bytes(position, arguments)) <= PAGE_BYTES:
            item = self.item(self._index[position][1])
            items.append({name: item[name] for name in projection if name in item} if projection else item)
            position += 1
        last = {"LastEvaluatedKey": self._key(position - 1)} if position < end else {}
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)} | last

    def _range(self, arguments: dict[str, Any]) -> tuple[int, int]:
        condition = arguments["KeyConditionExpression"]
        begin = arguments["ExpressionAttributeValues"].get(":first", {"S": ""})["S"]
        keys = [entry[:2] for entry in self._index] if begin or "ExclusiveStartKey" in arguments else []
        first = bisect_left(keys, (begin, "")) if ">=" in condition else 0
        end = bisect_left(keys, (begin, "")) if " < " in condition else len(self._index)
        if after := arguments.get("ExclusiveStartKey"):
            first = bisect_right(keys, (after["openKey"]["S"], after["id"]["S"]))
        return first, end

    def _key(self, position: int) -> Item:
        key, id_, *_ = self._index[position]
        return {"openShard": {"S": "0"}, "openKey": {"S": key}, "id": {"S": id_}}

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

    def _bytes(self, position: int, arguments: dict[str, Any]) -> int:
        _, _, open_bytes, full_bytes = self._index[position]
        return open_bytes if arguments["IndexName"] == "open" else full_bytes


def item_size(item: Item) -> int:
    """Bytes, by DynamoDB's rules: docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    return sum(len(name.encode()) + _value_size(*next(iter(value.items()))) for name, value in item.items())


def _value_size(kind: str, value: Any) -> int:  # noqa: ANN401  any attribute value
    if kind == "N":
        return (len(value.strip("0")) + 1) // 2 + 1
    return 1 if kind == "BOOL" else len(value.encode())
