"""A run as a DynamoDB item, and back. The stream's images have the same form."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from core.runs import Run, RunError, Status, TaskType

Item = dict[str, dict[str, Any]]

KIND = "run"
OPEN_SHARD = "0"  # one is enough for 1,000 writes a second; a name of its own leaves room for more
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
    "pin": "pin",
    "export_to": "exportTo",
    "export_run_id": "exportRunId",
    "warning": "warning",
}
_TIMES = {
    "requested_on": "requestedOn",
    "asked_on": "askedOn",
    "lease_until": "leaseUntil",
    "changed_on": "changedOn",
    "started_on": "startedOn",
    "completed_on": "completedOn",
    "export_asked_on": "exportAskedOn",
}
_NUMBERS = {"attempt": "attempt", "execution_time": "executionTime"}
_FLAGS = {"replace_all_labels": "replaceAllLabels", "cancel_requested": "cancelRequested"}


def to_item(run: Run, retention: timedelta) -> Item:
    """The whole item: the run, the keys of the indexes it belongs to, and when it may be forgotten."""
    fields = {
        **{ours: {"S": value} for name, ours in _TEXTS.items() if (value := getattr(run, name))},
        **{ours: {"S": _stamp(value)} for name, ours in _TIMES.items() if (value := getattr(run, name))},
        **{ours: {"N": str(value)} for name, ours in _NUMBERS.items() if (value := getattr(run, name)) is not None},
        **{ours: {"BOOL": value} for name, ours in _FLAGS.items() if (value := getattr(run, name)) is not None},
    }
    if run.error:
        fields["errorCode"] = {"S": run.error.code}
        fields["errorMessage"] = {"S": run.error.message[:_MAX_MESSAGE]}
    return fields | _index_keys(run, retention)


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


def _index_keys(run: Run, retention: timedelta) -> Item:
    keys: Item = {"kind": {"S": KIND}, "requestedKey": {"S": requested_key(run.requested_on, run.id)}}
    if run.status.is_terminal:
        keys["expiresAt"] = {"N": str(int(((run.changed_on or run.requested_on) + retention).timestamp()))}
    else:
        keys["openShard"] = {"S": OPEN_SHARD}
        keys["openKey"] = {"S": f"{run.transform_id}#{requested_key(run.requested_on, run.id)}"}
    return keys


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
