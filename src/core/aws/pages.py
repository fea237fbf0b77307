"""Listing the ledger's runs, newest first, behind an opaque cursor."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from core.aws.items import KIND, from_item, is_requested_key
from core.errors import InvalidCursor
from core.ports import RunFilter, RunPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READ_AHEAD = 100  # items a query reads, so that a filter finds something
_MAX_QUERIES = 10  # a page may come out short, with a cursor, rather than read the whole table for a rare status


def query_runs(client: "DynamoDBClient", table: str, which: RunFilter, limit: int, cursor: str | None) -> RunPage:
    """Up to `limit` runs. Raises InvalidCursor, and botocore's errors."""
    index, hash_name, hash_value = ("byTime", "kind", KIND)
    if which.transform_id is not None:
        index, hash_name, hash_value = ("byTransform", "transformId", which.transform_id)
    arguments = _arguments(table, index, hash_name, hash_value, which) | {"Limit": max(limit, _READ_AHEAD)}
    if cursor:
        arguments["ExclusiveStartKey"] = _key(_read(cursor, which), hash_name, hash_value)
    found: list[dict[str, Any]] = []
    for _ in range(_MAX_QUERIES):
        answer: Any = client.query(**arguments)
        found += answer["Items"]
        arguments["ExclusiveStartKey"] = answer.get("LastEvaluatedKey")
        if arguments["ExclusiveStartKey"] is None or len(found) >= limit:
            break
    read_to = arguments["ExclusiveStartKey"]
    items = tuple(map(from_item, found[:limit]))
    if len(found) > limit or (len(found) == limit and read_to):
        return RunPage(items, _write(found[limit - 1]["requestedKey"]["S"], which))
    return RunPage(items, _write(read_to["requestedKey"]["S"], which) if read_to else None)


def _arguments(table: str, index: str, hash_name: str, hash_value: str, which: RunFilter) -> dict[str, Any]:
    filters = {"status": which.status, "taskType": which.task_type, "requestedBy": which.requested_by}
    wanted = {name: value for name, value in filters.items() if value}
    arguments: dict[str, Any] = {
        "TableName": table,
        "IndexName": index,
        "ScanIndexForward": False,
        "KeyConditionExpression": "#hash = :hash",
        "ExpressionAttributeNames": {"#hash": hash_name} | {f"#{name}": name for name in wanted},
        "ExpressionAttributeValues": {":hash": {"S": hash_value}}
        | {f":{name}": {"S": value} for name, value in wanted.items()},
    }
    if wanted:
        arguments["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in wanted)
    return arguments


def _key(requested_key: str, hash_name: str, hash_value: str) -> dict[str, Any]:
    id_ = requested_key.rpartition("#")[2]
    return {"id": {"S": id_}, "requestedKey": {"S": requested_key}, hash_name: {"S": hash_value}}


def _write(requested_key: str, which: RunFilter) -> str:
    return urlsafe_b64encode(json.dumps([requested_key, *astuple(which)]).encode()).decode().rstrip("=")


def _read(cursor: str, which: RunFilter) -> str:
    try:
        requested_key, *filters = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError) as fault:
        raise InvalidCursor("is not a cursor that a listing gave out") from fault
    if filters != list(astuple(which)) or not isinstance(requested_key, str) or not is_requested_key(requested_key):
        raise InvalidCursor("belongs to a listing with other filters")
    return requested_key
