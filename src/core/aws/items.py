"""A run as a DynamoDB item, and back. The stream's images have the same form."""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from core.aws.open_index import OPEN_ATTRIBUTES, open_attributes
from core.open_runs import OpenRun, open_run
from core.runs import Progress, Run, RunError, Status, TaskType

Item = dict[str, dict[str, Any]]

KIND = "run"
_MAX_MESSAGE = 2000  # keeps every item and event far below DynamoDB's 400 KB and EventBridge's 256 KB

_TEXTS = {
    "id": "id",
    "requested_by": "requestedBy",
    "task_type": "taskType",
    "status": "status",
    "transform_id": "transformId",
    "path": "path",
    "task_run_id": "taskRunId",
    "correlation_id": "correlationId",
    "causation_id": "causationId",
    "revision": "revision",
    "file_version": "pin",
    "export_to": "exportTo",
    "export_run_id": "exportRunId",
    "warning": "warning",
}
_TIMES = {
    "requested_on": "requestedOn",
    "start_attempted_on": "askedOn",
    "lease_until": "leaseUntil",
    "changed_on": "changedOn",
    "started_on": "startedOn",
    "completed_on": "completedOn",
    "export_attempted_on": "exportAskedOn",
}
_NUMBERS = {"attempt": "attempt", "execution_time": "executionTime"}
_FLAGS = {"replace_all_labels": "replaceAllLabels", "cancel_requested": "cancelRequested"}
_ERROR = ("errorCode", "errorMessage")
_OF_PROGRESS = frozenset(
    ours for name, ours in (_TEXTS | _TIMES | _NUMBERS).items() if name in {each.name for each in fields(Progress)}
) | {_TIMES["lease_until"], *_ERROR}


def to_item(run: Run, retention: timedelta) -> Item:
    """The whole item: the run, the keys of the indexes it belongs to, and when it may be forgotten."""
    item = _attributes(run) | {"kind": {"S": KIND}, "requestedKey": {"S": requested_key(run.requested_on, run.id)}}
    if run.status.is_terminal:
        return item | _expires_at(run.changed_on or run.requested_on, retention)
    return item | open_attributes(open_run(run))


def to_changes(progress: Progress, retention: timedelta) -> tuple[Item, frozenset[str]]:
    """The attributes that `progress` gives an item, and those that it takes away."""
    sets, loses = _attributes(progress), _OF_PROGRESS
    if progress.status.is_terminal:
        sets |= _expires_at(progress.changed_on, retention)
        loses |= OPEN_ATTRIBUTES
    return sets, loses - sets.keys()


def to_update(run: OpenRun, progress: Progress, revision: str, retention: timedelta) -> dict[str, Any]:
    """The arguments of an update by `progress` alone, under the condition that `run` is still what the writer saw."""
    sets, loses = to_changes(progress, retention)
    sets |= {"revision": {"S": revision}}
    clauses = [
        f"SET {', '.join(f'#{name} = :{name}' for name in sets)}",
        f"REMOVE {', '.join(f'#{name}' for name in sorted(loses))}",
    ]
    return {
        "UpdateExpression": " ".join(clauses),
        # A tag is only nearly as good as the id that it stands for.
        "ConditionExpression": "revision = :seen AND taskRunId = :taskRunId",
        "ExpressionAttributeNames": {f"#{name}": name for name in [*sets, *loses]},
        "ExpressionAttributeValues": {f":{name}": value for name, value in sets.items()} | {":seen": {"S": run.revision}},
    }


def from_item(item: Mapping[str, Mapping[str, Any]]) -> Run:
    values: dict[str, Any] = {name: item[ours]["S"] for name, ours in _TEXTS.items() if ours in item}
    values |= {name: datetime.fromisoformat(item[ours]["S"]) for name, ours in _TIMES.items() if ours in item}
    values |= {name: int(item[ours]["N"]) for name, ours in _NUMBERS.items() if ours in item}
    values |= {name: item[ours]["BOOL"] for name, ours in _FLAGS.items() if ours in item}
    values["task_type"] = TaskType(values["task_type"])
    values["status"] = Status(values["status"])
    if "errorCode" in item:
        values["error"] = RunError(item["errorCode"]["S"], item.get("errorMessage", {}).get("S", ""))
    return Run(**{"transform_id": None, "path": None} | values)


def is_run(item: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the item is a run; the ledger also holds a line per transform."""
    return item.get("kind", {}).get("S") == KIND


def requested_key(moment: datetime, run_id: str = "") -> str:
    return f"{_stamp(moment)}#{run_id}"


def is_requested_key(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00#[0-9a-f]{32}", text) is not None


def _attributes(source: Run | Progress) -> Item:
    """What of `source` has an attribute of its own."""
    texts, times, numbers, flags = (_present(source, names) for names in (_TEXTS, _TIMES, _NUMBERS, _FLAGS))
    item: Item = {
        **{ours: {"S": value} for ours, value in texts.items() if value},
        **{ours: {"S": _stamp(value)} for ours, value in times.items()},
        **{ours: {"N": str(value)} for ours, value in numbers.items()},
        **{ours: {"BOOL": value} for ours, value in flags.items()},
    }
    if source.error:
        item |= zip(_ERROR, ({"S": source.error.code}, {"S": source.error.message[:_MAX_MESSAGE]}), strict=True)
    return item


def _present(source: Run | Progress, names: Mapping[str, str]) -> dict[str, Any]:
    return {ours: value for name, ours in names.items() if (value := getattr(source, name, None)) is not None}


def _expires_at(ended: datetime, retention: timedelta) -> Item:
    return {"expiresAt": {"N": str(int((ended + retention).timestamp()))}}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
