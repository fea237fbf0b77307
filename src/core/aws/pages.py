"""List the ledger's runs, newest first, in pages with an opaque cursor.

A caller's own runs are read from an index by caller, so that neither its pages nor its cursors know anything of others' runs.
All runs are in 16 partitions, which are read side by side and merged.
"""

import json
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.aws.items import RUN_KINDS, Item, from_item, is_requested_key
from core.errors import InvalidCursor
from core.ports import RunFilter, RunPage
from core.runs import Run

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_log = logging.getLogger(__name__)
_MAX_BATCH = 100  # of BatchGetItem
_MIN_ITEMS_READ = 100  # by one query of a filtered listing: a filter may drop most of them
_MIN_ENTRIES_READ = 1000  # the same, of the index by caller, whose entries are small
_MAX_QUERIES = 10  # of a partition, for one page: it may come out short, with a cursor, rather than read all for a rare status
_HASH_NAMES = {"byCaller": "requestedBy", "byTransform": "transformId", "byTime": "kind"}
_NEWEST = "~"  # greater than every key


def query_runs(client: "DynamoDBClient", table: str, run_filter: RunFilter, limit: int, cursor: str | None) -> RunPage:
    """Up to `limit` runs. Raises InvalidCursor, and botocore's errors."""
    before = _decode_cursor(cursor, run_filter) if cursor else None
    items, read_to = _newest(list(_partitions(client, table, run_filter, limit, before)), limit)
    last = items[limit - 1]["requestedKey"]["S"] if len(items) > limit else read_to
    page = items[:limit]
    if run_filter.requested_by is not None and run_filter.status is None:
        page = _read_whole(client, table, page)
    return RunPage(tuple(_readable_runs(page)), _encode_cursor(last, run_filter) if last else None)


def _readable_runs(items: Sequence[Item]) -> Iterator[Run]:
    """An item that cannot be read is logged and left out: it must not hide all others."""
    for item in items:
        try:
            yield from_item(item)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            extra = {"id": str(item.get("id", {}).get("S")), "cause": f"{type(error).__name__}: {error}"}
            _log.error("RUN_UNREADABLE", extra=extra)


class _Partition:
    """The items of one partition of an index that match a filter, read newest first."""

    def __init__(self, client: "DynamoDBClient", parameters: dict[str, Any]) -> None:
        self._client = client
        self._parameters = parameters
        self.items: list[Item] = []
        self.queries = 0
        self.read_to: str | None = _NEWEST  # the key down to which all items were read; None if these are all

    def read_on(self) -> None:
        response: Any = self._client.query(**self._parameters)
        last_key = response.get("LastEvaluatedKey")
        self.items += self._matching(response["Items"])
        self.read_to = last_key["requestedKey"]["S"] if last_key else None
        self._parameters["ExclusiveStartKey"] = last_key
        self.queries += 1

    def _matching(self, items: Sequence[Item]) -> Sequence[Item]:
        return items


class _OwnRunsOfStatus(_Partition):
    """A caller's partition. Its index has keys and what never changes, so that a run writes it once: no status."""

    def __init__(self, client: "DynamoDBClient", table: str, parameters: dict[str, Any], status: str) -> None:
        super().__init__(client, parameters)
        self._table = table
        self._status = status

    def _matching(self, items: Sequence[Item]) -> Sequence[Item]:
        whole = _read_whole(self._client, self._table, items)
        return [item for item in whole if item["status"]["S"] == self._status]


def _read_whole(client: "DynamoDBClient", table: str, entries: Sequence[Item]) -> list[Item]:
    """The items of an index's entries, in the same order, without those that were deleted since."""
    items: dict[str, Item] = {}
    keys: list[Any] = [{"id": entry["id"]} for entry in entries]
    while keys:
        batch, keys = keys[:_MAX_BATCH], keys[_MAX_BATCH:]
        response: Any = client.batch_get_item(RequestItems={table: {"Keys": batch}})
        items |= {item["id"]["S"]: item for item in response["Responses"][table]}
        keys += response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    return [items[entry["id"]["S"]] for entry in entries if entry["id"]["S"] in items]


def _partitions(
    client: "DynamoDBClient", table: str, run_filter: RunFilter, limit: int, before: str | None
) -> Iterator[_Partition]:
    transform_id, status, task_type, caller = run_filter
    by_type = {"taskType": task_type, "status": status}
    if caller is not None:
        own = _query(table, "byCaller", caller, {"taskType": task_type, "transformId": transform_id}, before)
        if status is not None:
            yield _OwnRunsOfStatus(client, table, own | {"Limit": _MIN_ITEMS_READ}, status)
        else:
            yield _Partition(client, own | {"Limit": _MIN_ENTRIES_READ if transform_id or task_type else limit + 1})
    elif transform_id is not None:
        of_transform = _query(table, "byTransform", transform_id, by_type, before)
        yield _Partition(client, of_transform | {"Limit": max(limit, _MIN_ITEMS_READ)})
    else:
        per_kind = _MIN_ITEMS_READ if task_type or status else max(10, 2 * limit // len(RUN_KINDS))
        for kind in RUN_KINDS:
            yield _Partition(client, _query(table, "byTime", kind, by_type, before) | {"Limit": per_kind})


def _query(
    table: str, index: str, hash_value: str, by_attribute: Mapping[str, str | None], before: str | None
) -> dict[str, Any]:
    """The parameters of a query for items that match, with keys smaller than `before`."""
    filters = {name: value for name, value in by_attribute.items() if value}
    values = {"hash": hash_value, **filters} | ({"before": before} if before else {})
    parameters: dict[str, Any] = {
        "TableName": table,
        "IndexName": index,
        "ScanIndexForward": False,
        "KeyConditionExpression": "#hash = :hash" + (" AND requestedKey < :before" if before else ""),
        "ExpressionAttributeNames": {"#hash": _HASH_NAMES[index]} | {f"#{name}": name for name in filters},
        "ExpressionAttributeValues": {f":{name}": {"S": value} for name, value in values.items()},
    }
    if filters:
        parameters["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in filters)
    return parameters


def _newest(partitions: Sequence[_Partition], limit: int) -> tuple[list[Item], str | None]:
    """The newest items of all partitions, `limit` of them or more, and the key down to which none is missing (None: all)."""
    while True:
        unread = [partition for partition in partitions if partition.read_to is not None]
        read_to = max((partition.read_to or "" for partition in unread), default=None)
        items = [item for partition in partitions for item in partition.items if item["requestedKey"]["S"] >= (read_to or "")]
        next_partition = next((partition for partition in unread if partition.read_to == read_to), None)
        if next_partition is None or len(items) >= limit or next_partition.queries >= _MAX_QUERIES:
            return sorted(items, key=lambda item: str(item["requestedKey"]["S"]), reverse=True), read_to
        next_partition.read_on()


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
