"""List the ledger's runs, newest first, in pages with an opaque cursor."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from core.aws.items import RUN_KIND, from_item, is_requested_key
from core.errors import InvalidCursor
from core.ports import RunFilter, RunPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MIN_ITEMS_READ = 100  # by one query: a filter may drop most of them
_MAX_QUERIES = 10  # for one page: it may come out short, with a cursor, rather than read the whole table for a rare status


def query_runs(client: "DynamoDBClient", table: str, run_filter: RunFilter, limit: int, cursor: str | None) -> RunPage:
    """Up to `limit` runs. Raises InvalidCursor, and botocore's errors."""
    index, hash_name, hash_value = ("byTime", "kind", RUN_KIND)
    if run_filter.transform_id is not None:
        index, hash_name, hash_value = ("byTransform", "transformId", run_filter.transform_id)
    parameters = _query_parameters(table, index, hash_name, hash_value, run_filter) | {"Limit": max(limit, _MIN_ITEMS_READ)}
    if cursor:
        parameters["ExclusiveStartKey"] = _start_key(_decode_cursor(cursor, run_filter), hash_name, hash_value)
    items: list[dict[str, Any]] = []
    for _ in range(_MAX_QUERIES):
        response: Any = client.query(**parameters)
        items += response["Items"]
        parameters["ExclusiveStartKey"] = response.get("LastEvaluatedKey")
        if parameters["ExclusiveStartKey"] is None or len(items) >= limit:
            break
    last_key = parameters["ExclusiveStartKey"]
    runs = tuple(map(from_item, items[:limit]))
    if len(items) > limit or (len(items) == limit and last_key):
        return RunPage(runs, _encode_cursor(items[limit - 1]["requestedKey"]["S"], run_filter))
    return RunPage(runs, _encode_cursor(last_key["requestedKey"]["S"], run_filter) if last_key else None)


def _query_parameters(table: str, index: str, hash_name: str, hash_value: str, run_filter: RunFilter) -> dict[str, Any]:
    by_attribute = {"status": run_filter.status, "taskType": run_filter.task_type, "requestedBy": run_filter.requested_by}
    filters = {name: value for name, value in by_attribute.items() if value}
    parameters: dict[str, Any] = {
        "TableName": table,
        "IndexName": index,
        "ScanIndexForward": False,
        "KeyConditionExpression": "#hash = :hash",
        "ExpressionAttributeNames": {"#hash": hash_name} | {f"#{name}": name for name in filters},
        "ExpressionAttributeValues": {":hash": {"S": hash_value}}
        | {f":{name}": {"S": value} for name, value in filters.items()},
    }
    if filters:
        parameters["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in filters)
    return parameters


def _start_key(requested_key: str, hash_name: str, hash_value: str) -> dict[str, Any]:
    run_id = requested_key.rpartition("#")[2]
    return {"id": {"S": run_id}, "requestedKey": {"S": requested_key}, hash_name: {"S": hash_value}}


def _encode_cursor(requested_key: str, run_filter: RunFilter) -> str:
    return urlsafe_b64encode(json.dumps([requested_key, *run_filter]).encode()).decode().rstrip("=")


def _decode_cursor(cursor: str, run_filter: RunFilter) -> str:
    try:
        requested_key, *filters = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidCursor("is not a cursor of this API") from error
    if filters != list(run_filter) or not isinstance(requested_key, str) or not is_requested_key(requested_key):
        raise InvalidCursor("belongs to a listing with other filters")
    return requested_key
