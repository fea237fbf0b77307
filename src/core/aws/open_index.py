"""The sparse index of open runs: which attributes it has, and how it is read.

The runs of a transform are in one of 16 shards, each a partition that takes 1,000 writes a second.

A page of DynamoDB has 1 MB of the index's items, even if only some of their attributes are requested. An item here has at most
200 bytes, so that a page holds 5,000 runs. The size of an item is that of its names and values in UTF-8; a number takes a
byte per two digits, and one more: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.open_runs import OpenRun, Place
from core.runs import Status, TaskType

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_log = logging.getLogger(__name__)

OPEN_ATTRIBUTES = frozenset({"openShard", "openKey", "since", "tag"})
_TASK_TYPE_LETTERS = {
    TaskType.LABELING_SET_GENERATION: "L",
    TaskType.IMPORT_LABELS: "I",
    TaskType.EVALUATION: "E",
    TaskType.EXPORT_LABELS: "X",
}
_TASK_TYPES = {letter: task_type for task_type, letter in _TASK_TYPE_LETTERS.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PROJECTED = ("id", "openKey", "#status", "revision", "since", "tag")


def open_attributes(run: OpenRun) -> dict[str, dict[str, str]]:
    """The attributes that put an item into the index; `id`, `status` and `revision` are in it too."""
    attributes = {
        "openShard": {"S": run.shard},
        "openKey": {
            "S": f"{_key_prefix(run.transform_id)}{_microseconds(run.requested_on):013x}#{_TASK_TYPE_LETTERS[run.task_type]}"
        },
    }
    if run.search_from:
        attributes["since"] = {"N": str(_microseconds(run.search_from))}
    if run.task_tag:
        attributes["tag"] = {"S": run.task_tag}
    return attributes


def query_open_runs(client: "DynamoDBClient", table: str, shards: Sequence[str], begin: Place | None) -> Iterator[OpenRun]:
    """The open runs of `shards`, by shard and transform, beginning at `begin` and wrapping around. Raises botocore's errors."""
    if begin is None or begin.shard not in shards:
        for shard in shards:
            yield from _query_shard(client, table, shard)
        return
    position = shards.index(begin.shard)
    first_key = _key_prefix(begin.transform_id)
    yield from _query_shard(client, table, begin.shard, " AND openKey >= :first", first_key)
    for shard in (*shards[position + 1 :], *shards[:position]):
        yield from _query_shard(client, table, shard)
    yield from _query_shard(client, table, begin.shard, " AND openKey < :first", first_key)


def _query_shard(
    client: "DynamoDBClient", table: str, shard: str, condition: str = "", first_key: str | None = None
) -> Iterator[OpenRun]:
    parameters: dict[str, Any] = {
        "TableName": table,
        "IndexName": "open",
        "KeyConditionExpression": f"openShard = :shard{condition}",
        "ExpressionAttributeValues": {":shard": {"S": shard}} | ({":first": {"S": first_key}} if first_key else {}),
        "ProjectionExpression": ", ".join(_PROJECTED),
        "ExpressionAttributeNames": {"#status": "status"},
    }
    while True:
        runs, parameters["ExclusiveStartKey"] = _page(client, parameters, shard)
        yield from runs
        if parameters["ExclusiveStartKey"] is None:
            break


def _page(client: "DynamoDBClient", parameters: dict[str, Any], shard: str) -> tuple[list[OpenRun], Any]:
    """One page of runs, and where the next one begins. The response is much larger than the runs, and is not kept."""
    response = client.query(**{name: value for name, value in parameters.items() if value is not None})
    return list(_readable_runs(response["Items"], shard)), response.get("LastEvaluatedKey")


def _readable_runs(items: Sequence[Mapping[str, Mapping[str, Any]]], shard: str) -> Iterator[OpenRun]:
    """An item that cannot be read is logged and left out: it must not end the round of all others."""
    for item in items:
        try:
            yield _open_run(item, shard)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            extra = {"id": str(item.get("id", {}).get("S")), "cause": f"{type(error).__name__}: {error}"}
            _log.error("OPEN_RUN_UNREADABLE", extra=extra)


def _open_run(item: Mapping[str, Mapping[str, Any]], shard: str) -> OpenRun:
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
        shard=shard,
    )


def _key_prefix(transform_id: str) -> str:
    """The prefix of the keys of the transform's runs."""
    return f"{transform_id}#"


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _time(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
