"""The sparse index of open work: what it holds of a run, as narrow as it can be, and how it is read.

DynamoDB gives 1 MB a page and counts what the index holds, not what is asked of it; an item here has at most 200 bytes, so that
two pages hold 10,000 runs. The size of an item is that of its names and values in UTF-8, a number's a byte per two digits and
one: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.open_runs import OpenRun
from core.runs import Status, TaskType

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OPEN_ATTRIBUTES = frozenset({"openShard", "openKey", "since", "tag"})
_SHARD = "0"  # one is enough for 1,000 writes a second; a name of its own leaves room for more
_TASK_TYPES = {task_type.value[0]: task_type for task_type in TaskType}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_READ = ("id", "openKey", "#status", "revision", "since", "tag")


def open_attributes(run: OpenRun) -> dict[str, dict[str, str]]:
    """What puts an item into the index; the index holds its `id`, `status` and `revision` too."""
    attributes = {
        "openShard": {"S": _SHARD},
        "openKey": {"S": f"{_first_key(run.transform_id)}{_microseconds(run.requested_on):013x}#{run.task_type[0]}"},
    }
    if run.search_from:
        attributes["since"] = {"N": str(_microseconds(run.search_from))}
    if run.task_tag:
        attributes["tag"] = {"S": run.task_tag}
    return attributes


def query_open_runs(client: "DynamoDBClient", table: str, begin: str) -> Iterator[OpenRun]:
    """All open runs by transform, from the transform `begin` on to the last, then from the first. Raises botocore's errors."""
    ranges = [" AND openKey >= :begin", " AND openKey < :begin"] if begin else [""]
    for part in ranges:
        arguments: dict[str, Any] = {
            "TableName": table,
            "IndexName": "open",
            "KeyConditionExpression": f"openShard = :shard{part}",
            "ExpressionAttributeValues": {":shard": {"S": _SHARD}} | ({":begin": {"S": _first_key(begin)}} if part else {}),
            "ProjectionExpression": ", ".join(_READ),
            "ExpressionAttributeNames": {"#status": "status"},
        }
        while True:
            runs, arguments["ExclusiveStartKey"] = _page(client, arguments)
            yield from runs
            if arguments["ExclusiveStartKey"] is None:
                break


def _page(client: "DynamoDBClient", arguments: dict[str, Any]) -> tuple[list[OpenRun], Any]:
    """One page as runs; the answer itself, many times as large, is gone before the next one comes."""
    answer = client.query(**{name: value for name, value in arguments.items() if value is not None})
    return [_open_run(item) for item in answer["Items"]], answer.get("LastEvaluatedKey")


def _open_run(item: Mapping[str, Mapping[str, Any]]) -> OpenRun:
    transform_id, requested_on, task_type = item["openKey"]["S"].rsplit("#", 2)
    return OpenRun(
        id=item["id"]["S"],
        transform_id=transform_id,
        task_type=_TASK_TYPES[task_type],
        requested_on=_moment(int(requested_on, 16)),
        status=Status(item["status"]["S"]),
        revision=item["revision"]["S"],
        search_from=_moment(int(item["since"]["N"])) if "since" in item else None,
        task_tag=item["tag"]["S"] if "tag" in item else None,
    )


def _first_key(transform_id: str) -> str:
    """What the keys of the transform's runs begin with."""
    return f"{transform_id}#"


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
