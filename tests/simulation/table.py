"""A DynamoDB client with its tables in memory, as fast as a simulation needs; tests/contract holds it to DynamoDB."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.expressions import Scope, attribute, condition, hash_condition, update

Item = dict[str, dict[str, Any]]
_FAILED = "ConditionalCheckFailed"
_PAGE_SIZE = 100


class ConditionalCheckFailed(ClientError):
    """A condition did not hold; the response has the item, as `ReturnValuesOnConditionCheckFailure` asks for it."""


class TransactionConflict(ClientError):
    """Another transaction has the item."""


class TransactionCanceled(ClientError):
    """An operation of a transaction failed; the response says why, by operation."""


def failure(kind: type[ClientError], code: str, **response: Any) -> ClientError:  # noqa: ANN401  as botocore has it
    metadata = {"ResponseMetadata": {"HTTPStatusCode": 400}}
    return kind({"Error": {"Code": code, "Message": "simulated"}, **metadata, **response}, "simulated")  # type: ignore[typeddict-item]


@dataclass(frozen=True)
class Index:
    hash_name: str
    range_name: str
    projected: frozenset[str] | None  # None: all attributes


@dataclass
class Table:
    """`on_change` is told each change, the old item first; None stands for no item. Items are never changed in place."""

    indexes: dict[str, Index]
    items: dict[str, Item] = field(default_factory=dict)
    lagging: dict[str, Item] | None = None  # what the indexes show, while they are behind
    on_change: Callable[[Item | None, Item | None], None] = lambda _old, _new: None
    _groups: dict[str, dict[str, list[Item]]] = field(default_factory=dict)

    def put(self, new: Item | None, key: str) -> None:
        """Replace the item at `key`, or delete it."""
        old = self.items.get(key)
        if new is None:
            self.items.pop(key, None)
        else:
            self.items[key] = new
        if self.lagging is None:
            self._groups.clear()
        self.on_change(old, new)

    def freeze_indexes(self) -> None:
        self.lagging = dict(self.items)

    def thaw_indexes(self) -> None:
        if self.lagging is not None:
            self.lagging = None
            self._groups.clear()

    def group(self, index_name: str, hash_value: str) -> list[Item]:
        """The items of an index with this partition key, in the order of their sort keys."""
        groups = self._groups.get(index_name)
        if groups is None:
            index = self.indexes[index_name]
            groups = self._groups[index_name] = defaultdict(list)
            for item in (self.items if self.lagging is None else self.lagging).values():
                if index.hash_name in item and index.range_name in item:
                    groups[item[index.hash_name]["S"]].append(item)
            for members in groups.values():
                members.sort(key=lambda item: (item[index.range_name]["S"], item["id"]["S"]))
        return groups.get(hash_value, [])


class DynamoDB:
    """The calls of a boto3 client that core.aws makes."""

    exceptions = SimpleNamespace(
        ConditionalCheckFailedException=ConditionalCheckFailed,
        TransactionConflictException=TransactionConflict,
        TransactionCanceledException=TransactionCanceled,
    )

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.ignores_conditions = False

    def create_table(self, **parameters: Any) -> Table:  # noqa: ANN401  botocore's own parameters
        indexes = {}
        for index in parameters["GlobalSecondaryIndexes"]:
            hash_name, range_name = (key["AttributeName"] for key in index["KeySchema"])
            projection = index["Projection"]
            keys = {"id", hash_name, range_name}
            is_all = projection["ProjectionType"] == "ALL"
            indexes[index["IndexName"]] = Index(
                hash_name, range_name, None if is_all else frozenset({*projection.get("NonKeyAttributes", ()), *keys})
            )
        self.tables[parameters["TableName"]] = table = Table(indexes)
        return table

    def get_item(self, *, TableName: str, Key: Item, **_: Any) -> dict[str, Any]:  # noqa: ANN401, N803
        item = self.tables[TableName].items.get(Key["id"]["S"])
        return {} if item is None else {"Item": item}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803  botocore's own parameter
        responses = {
            name: [found for key in keys["Keys"] if (found := self.tables[name].items.get(key["id"]["S"])) is not None]
            for name, keys in RequestItems.items()
        }
        return {"Responses": responses, "UnprocessedKeys": {}}

    def put_item(self, **operation: Any) -> dict[str, Any]:  # noqa: ANN401
        return self._write("Put", operation)

    def delete_item(self, **operation: Any) -> dict[str, Any]:  # noqa: ANN401
        return self._write("Delete", operation)

    def update_item(self, **operation: Any) -> dict[str, Any]:  # noqa: ANN401
        return self._write("Update", operation)

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: ANN401, N803
        operations = [next(iter(entry.items())) for entry in TransactItems]
        reasons = [self._reason(operation) for _, operation in operations]
        if any(reason["Code"] == _FAILED for reason in reasons):
            raise failure(TransactionCanceled, "TransactionCanceledException", CancellationReasons=reasons)
        for verb, operation in operations:
            self._apply(verb, operation)
        return {}

    def query(self, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401
        table = self.tables[parameters["TableName"]]
        names, values = parameters.get("ExpressionAttributeNames", {}), parameters["ExpressionAttributeValues"]
        hash_name, hash_value = hash_condition(parameters["KeyConditionExpression"])
        index = table.indexes[parameters["IndexName"]]
        if attribute(hash_name, names) != index.hash_name:
            raise ValueError(f"{hash_name} is not the partition key of {parameters['IndexName']}")
        items = table.group(parameters["IndexName"], values[hash_value]["S"])
        if not items:
            return {"Items": []}
        in_range = condition(parameters["KeyConditionExpression"])
        items = [item for item in items if in_range(Scope(item, names, values))]
        if not parameters.get("ScanIndexForward", True):
            items.reverse()
        begin = parameters.get("ExclusiveStartKey")
        if begin:
            after = itemgetter(index.range_name, "id")
            is_later = _is_before if parameters.get("ScanIndexForward", True) else _is_after
            items = [item for item in items if is_later(after(begin), after(item))]
        limit = parameters.get("Limit", _PAGE_SIZE)
        page, rest = items[:limit], items[limit:]
        response: dict[str, Any] = {}
        if rest or (page and len(page) == parameters.get("Limit")):
            response["LastEvaluatedKey"] = {name: page[-1][name] for name in ("id", index.hash_name, index.range_name)}
        if "FilterExpression" in parameters:
            matches = condition(parameters["FilterExpression"])
            page = [item for item in page if matches(Scope(item, names, values))]
        projection = parameters.get("ProjectionExpression")
        chosen = None if projection is None else {attribute(name, names) for name in projection.replace(" ", "").split(",")}
        return response | {"Items": [_project(item, index.projected, chosen) for item in page]}

    def get_paginator(self, _operation: str) -> Any:  # noqa: ANN401  botocore's Paginator
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, **parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        while True:
            page = self.query(**parameters)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(self, verb: str, operation: dict[str, Any]) -> dict[str, Any]:
        reason = self._reason(operation)
        if reason["Code"] == _FAILED:
            item = {"Item": reason["Item"]} if "Item" in reason else {}
            raise failure(ConditionalCheckFailed, "ConditionalCheckFailedException", **item)
        new = self._apply(verb, operation)
        return {"Attributes": new} if operation.get("ReturnValues") == "ALL_NEW" else {}

    def _reason(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        """Why the operation is not possible, in the form of a transaction's reasons."""
        if "ConditionExpression" not in operation or self.ignores_conditions:
            return {"Code": "None"}
        item = self.tables[operation["TableName"]].items.get(_key(operation))
        if condition(operation["ConditionExpression"])(_scope(item, operation)):
            return {"Code": "None"}
        returns_item = item is not None and operation.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return {"Code": _FAILED} | ({"Item": item} if returns_item else {})

    def _apply(self, verb: str, operation: Mapping[str, Any]) -> Item | None:
        table, key = self.tables[operation["TableName"]], _key(operation)
        new: Item | None
        match verb:
            case "Put":
                new = operation["Item"]
            case "Delete":
                new = None
            case "Update":
                new = _updated(table.items.get(key), operation)
            case _:  # a check of a condition
                return None
        if new is not None or key in table.items:
            table.put(new, key)
        return new


def _key(operation: Mapping[str, Any]) -> str:
    return str((operation.get("Key") or operation["Item"])["id"]["S"])


def _scope(item: Item | None, operation: Mapping[str, Any]) -> Scope:
    return Scope(item or {}, operation.get("ExpressionAttributeNames", {}), operation.get("ExpressionAttributeValues", {}))


def _updated(old: Item | None, operation: Mapping[str, Any]) -> Item:
    assignments, removed = update(operation["UpdateExpression"])
    scope = _scope(old or operation["Key"], operation)
    new = dict(scope.item)
    for name, value in assignments:
        assigned = value(scope)
        if assigned is None:
            raise ValueError(f"there is no value for {name} in {operation['UpdateExpression']}")
        new[attribute(name, scope.names)] = assigned
    for name in removed:
        new.pop(attribute(name, scope.names), None)
    return new


def _project(item: Item, projected: frozenset[str] | None, chosen: set[str] | None) -> Item:
    if projected is None and chosen is None:
        return item
    return {
        name: value
        for name, value in item.items()
        if (projected is None or name in projected) and (chosen is None or name in chosen)
    }


def _is_before(begin: tuple[Any, ...], keys: tuple[Any, ...]) -> bool:
    return [key["S"] for key in begin] < [key["S"] for key in keys]


def _is_after(begin: tuple[Any, ...], keys: tuple[Any, ...]) -> bool:
    return _is_before(keys, begin)
