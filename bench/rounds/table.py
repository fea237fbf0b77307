"""The ledger's table, as far as a round asks for it. Items are made when they are asked for; only what was written is kept."""

from bisect import bisect_left, bisect_right
from datetime import timedelta
from functools import cached_property
from typing import Any

from bench.rounds.data import Data
from core.aws.items import Item, to_item
from local.cloud.template import resources

PAGE = 1_000_000  # bytes; DynamoDB says 1 MB, of what the index holds and not of what is asked of it
RETENTION = timedelta(days=90)


class Table:
    """The ledger. Its index `open` is template.yaml's; `whole` is what projecting everything would be."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._numbers = {data.run(number).id: number for number in range(data.runs)}
        self._written: dict[str, Item] = {}

    def item(self, id_: str) -> Item:
        return self._written.get(id_) or to_item(self._data.run(self._numbers[id_]), RETENTION)

    @cached_property
    def _index(self) -> list[tuple[str, str, int, int]]:
        """(openKey, id, bytes in `open`, bytes in `whole`), in the index's order."""
        indexes = {one["IndexName"]: one for one in resources()["Ledger"]["Properties"]["GlobalSecondaryIndexes"]}
        held = {"id", "openShard", "openKey", *indexes["open"]["Projection"]["NonKeyAttributes"]}
        entries = []
        for id_ in self._numbers:
            item = self.item(id_)
            narrow = item_size({name: value for name, value in item.items() if name in held})
            entries.append((item["openKey"]["S"], id_, narrow, item_size(item)))
        return sorted(entries)

    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        first, end = self._range(asked)
        names = asked.get("ExpressionAttributeNames", {})
        wanted = (
            [names.get(name, name) for name in asked["ProjectionExpression"].split(", ")]
            if "ProjectionExpression" in asked
            else None
        )
        found, read, position = [], 0, first
        while position < end and (read := read + self._bytes(position, asked)) <= PAGE:
            item = self.item(self._index[position][1])
            found.append({name: item[name] for name in wanted if name in item} if wanted else item)
            position += 1
        last = {"LastEvaluatedKey": self._key(position - 1)} if position < end else {}
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)} | last

    def _range(self, asked: dict[str, Any]) -> tuple[int, int]:
        condition = asked["KeyConditionExpression"]
        begin = asked["ExpressionAttributeValues"].get(":begin", {"S": ""})["S"]
        keys = [entry[:2] for entry in self._index] if begin or "ExclusiveStartKey" in asked else []
        first = bisect_left(keys, (begin, "")) if ">=" in condition else 0
        end = bisect_left(keys, (begin, "")) if " < " in condition else len(self._index)
        if after := asked.get("ExclusiveStartKey"):
            first = bisect_right(keys, (after["openKey"]["S"], after["id"]["S"]))
        return first, end

    def _key(self, position: int) -> Item:
        key, id_, *_ = self._index[position]
        return {"openShard": {"S": "0"}, "openKey": {"S": key}, "id": {"S": id_}}

    def update(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """The item afterwards; None if it is another than the writer saw."""
        item, values = dict(self.item(asked["Key"]["id"]["S"])), asked["ExpressionAttributeValues"]
        if ":seen" in values and item["revision"] != values[":seen"]:
            return None
        sets, _, removes = asked["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for pair in sets.split(", "):
            name, _, value = pair.partition(" = ")
            item[name.removeprefix("#")] = values[value]
        for name in filter(None, removes.split(", ")):
            item.pop(name.removeprefix("#"), None)
        self._written[item["id"]["S"]] = item
        return {"Attributes": item} if asked.get("ReturnValues") == "ALL_NEW" else {}

    def _bytes(self, position: int, asked: dict[str, Any]) -> int:
        _, _, narrow, whole = self._index[position]
        return narrow if asked["IndexName"] == "open" else whole


def item_size(item: Item) -> int:
    """In bytes, by DynamoDB's published rules."""
    return sum(len(name.encode()) + _value_size(*next(iter(value.items()))) for name, value in item.items())


def _value_size(kind: str, value: Any) -> int:  # noqa: ANN401  whatever an attribute holds
    if kind == "N":
        return (len(value.strip("0")) + 1) // 2 + 1
    return 1 if kind == "BOOL" else len(value.encode())
