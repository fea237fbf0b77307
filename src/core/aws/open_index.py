"""The sparse index of open runs: which attributes it has, and how it is read.

A page of DynamoDB has 1 MB of the index's items, even if only some of their attributes are requested. An item here has at most
200 bytes, so that two pages hold 10,000 runs. The size of an item is that of its names and values in UTF-8; a number takes a
byte per two digits, and one more: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.open_runs import OpenRun
from core.runs import Status, TaskType

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_log = logging.getLogger(__name__)

OPEN_ATTRIBUTES = frozenset({"openShard", "openKey", "since", "tag"})
_SHARD = "0"  # one partition is enough for 1,000 writes a second; more shards can be added
_TASK_TYPES = {task_type.value[0]: task_type for task_type in TaskType}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PROJECTED = ("id", "openKey", "#status", "revision", "since", "tag")


def open_attributes(run: OpenRun) -> dict[str, dict[str, str]]:
    """The attributes that put an item into the index; `id`, `status` and `revision` are in it too."""
    attributes = {
        "openShard": {"S": _SHARD},
        "openKey": {"S": f"{_key_prefix(run.transform_id)}{_microseconds(run.requested_on):013x}#{run.task_type[0]}"},
    }
    if run.search_from:
        attributes["since"] = {"N": str(_microseconds(run.search_from))}
    if run.task_tag:
        attributes["tag"] = {"S": run.task_tag}
    return attributes


def query_open_runs(client: "DynamoDBClient", table: str, first_transform: str) -> Iterator[OpenRun]:
    """All open runs by transform, beginning at `first_transform` and wrapping around at the last. Raises botocore's errors."""
    conditions = [" AND openKey >= :first", " AND openKey < :first"] if first_transform else [""]
    first_key = {":first": {"S": _key_prefix(first_transform)}} if first_transform else {}
    for condition in conditions:
        parameters: dict[str, Any] = {
            "TableName": table,
            "IndexName": "open",
            "KeyConditionExpression": f"openShard = :shard{condition}",
            "ExpressionAttributeValues": {":shard": {"S": _SHARD}} | first_key,
            "ProjectionExpression": ", ".join(_PROJECTED),
            "ExpressionAttributeNames": {"#status": "status"},
        }
        while True:
            runs, parameters["ExclusiveStartKey"] = _page(client, parameters)
            yield from runs
            if parameters["ExclusiveStartKey"] is None:
                break


def _page(client: "DynamoDBClient", parameters: dict[str, Any]) -> tuple[list[OpenRun], Any]:
    """One page of runs, and where the next one begins. The response is much larger than the runs, and is not kept."""
    response = client.query(**{name: value for name, value in parameters.items() if value is not None})
    return list(_readable_runs(response["Items"])), response.get("LastEvaluatedKey")


def _readable_runs(items: Sequence[Mapping[str, Mapping[str, Any]]]) -> Iterator[OpenRun]:
    """An item that cannot be read is logged and left out: it must not end the round of all others."""
    for item in items:
        try:
            yield _open_run(item)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            extra = {"id": str(item.get("id", {}).get("S")), "cause": f"{type(error).__name__}: {error}"}
            _log.error("OPEN_RUN_UNREADABLE", extra=extra)


def _open_run(item: Mapping[str, Mapping[str, Any]]) -> OpenRun:
    transform_id, requested_on, task_type = item["openKey"]["S"].rsplit("#", 2)
    return OpenRun(
        id=item["id"]["S"],
        transform_id=transform_id,
        task_type=_TASK_TYPES[task_type],
        requested_on=_time(int(requested_on, 16)),
        status=Status(item["status"]["S"]),
        revision=item["revision"]["S"],
        search_from=_time(int(item["since"]["N"])) if "since" in item else None,
        task_tag=item["tag"]["S"] if "tag" in item else None,
    )


def _key_prefix(transform_id: str) -> str:
    """The prefix of the keys of the transform's runs."""
    return f"{transform_id}#"


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _time(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
