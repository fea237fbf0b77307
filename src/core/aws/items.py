"""A run as a DynamoDB item, and back. The images in the table's stream have the same form.

The names of attributes are stored in deployed ledgers, so they stay, even where the fields of a run have other names now.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from core.aws.evaluation_metrics import metrics_from_text, metrics_to_text
from core.aws.open_index import OPEN_ATTRIBUTES, open_attributes
from core.open_runs import OpenRun, open_run
from core.runs import RUN_ID_PATTERN, LabeledSet, Progress, Run, RunError, Status, TaskType, WaitingReason

Item = dict[str, dict[str, Any]]

# The partitions of the index of all runs, by the first digit of the run's id: each takes 1,000 writes a second, and a run makes
# four. Runs of release 0.1.0 are all of the first kind.
RUN_KINDS = ("run", *(f"run#{digit}" for digit in "123456789abcdef"))
_MAX_MESSAGE_CHARACTERS = 2000  # keeps every item and event far below DynamoDB's 400 KB and EventBridge's 256 KB

# The attributes of each DynamoDB type, by field of the run.
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
    "requested_by_session": "requestedBySession",
    "waiting_reason": "waitingReason",
    "revision": "revision",
    "uploaded_version": "uploadedVersion",
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
    "waiting_since": "waitingSince",
    "started_on": "startedOn",
    "completed_on": "completedOn",
    "export_attempted_on": "exportAskedOn",
}
_NUMBERS = {"attempt": "attempt", "execution_time": "executionTime"}
_FLAGS = {"replace_all_labels": "replaceAllLabels", "cancel_requested": "cancelRequested"}
_ERROR = ("errorCode", "errorMessage")
_LABELED_TEXTS = {"set_id": "labelingSetId", "labeler": "labeledBy"}
_LABELED_NUMBERS = {
    "rows": "labeledRows",
    "left_out": "leftOut",
    "match_pairs": "matchPairs",
    "non_match_pairs": "nonMatchPairs",
}
_PROGRESS_FIELDS = {field.name for field in fields(Progress)}
_PROGRESS_ATTRIBUTES = frozenset(
    attribute for name, attribute in (_TEXTS | _TIMES | _NUMBERS).items() if name in _PROGRESS_FIELDS
) | {_TIMES["lease_until"], *_ERROR}


def to_item(run: Run, retention: timedelta) -> Item:
    """The item of a run, with the keys of its indexes; if the run has ended, with the time at which DynamoDB may delete it."""
    labeled = _labeled_attributes(run.labeled) if run.labeled else {}
    keys: Item = {"kind": {"S": run_kind(run.id)}, "requestedKey": {"S": requested_key(run.requested_on, run.id)}}
    item = _attributes(run) | labeled | keys
    if run.status.is_terminal:
        return item | _expires_at(run.changed_on or run.requested_on, retention)
    return item | open_attributes(open_run(run))


def to_changes(progress: Progress, retention: timedelta) -> tuple[Item, frozenset[str]]:
    """The attributes that `progress` sets on an item, and the names of those that it removes."""
    sets, removes = _attributes(progress), _PROGRESS_ATTRIBUTES
    if progress.status.is_terminal:
        sets |= _expires_at(progress.changed_on, retention)
        removes |= OPEN_ATTRIBUTES
    return sets, removes - sets.keys()


def to_update(run: OpenRun, progress: Progress, revision: str, retention: timedelta) -> dict[str, Any]:
    """The parameters of an update by `progress`, on condition that the item still has the revision of `run`."""
    sets, removes = to_changes(progress, retention)
    sets |= {"revision": {"S": revision}}
    clauses = [
        f"SET {', '.join(f'#{name} = :{name}' for name in sets)}",
        f"REMOVE {', '.join(f'#{name}' for name in sorted(removes))}",
    ]
    return {
        "UpdateExpression": " ".join(clauses),
        # The index holds a hash of the id, so the id itself is checked here.
        "ConditionExpression": "revision = :oldRevision AND taskRunId = :taskRunId",
        "ExpressionAttributeNames": {f"#{name}": name for name in [*sets, *removes]},
        "ExpressionAttributeValues": {f":{name}": value for name, value in sets.items()}
        | {":oldRevision": {"S": run.revision}},
    }


def from_item(item: Mapping[str, Mapping[str, Any]]) -> Run:
    """The run of an item."""
    values: dict[str, Any] = {name: item[key]["S"] for name, key in _TEXTS.items() if key in item}
    values |= {name: datetime.fromisoformat(item[key]["S"]) for name, key in _TIMES.items() if key in item}
    values |= {name: int(item[key]["N"]) for name, key in _NUMBERS.items() if key in item}
    values |= {name: item[key]["BOOL"] for name, key in _FLAGS.items() if key in item}
    values["task_type"] = TaskType(values["task_type"])
    values["status"] = Status(values["status"])
    if "waiting_reason" in values:
        values["waiting_reason"] = WaitingReason(values["waiting_reason"])
    if "metrics" in item:
        values["metrics"] = metrics_from_text(item["metrics"]["S"])
    if "errorCode" in item:
        values["error"] = RunError(item["errorCode"]["S"], item.get("errorMessage", {}).get("S", ""))
    if _LABELED_TEXTS["set_id"] in item:
        values["labeled"] = _labeled_set(item)
    return Run(**{"transform_id": None, "path": None} | values)


def is_run(item: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the item is a run, not the queue of a transform, say."""
    return item.get("kind", {}).get("S") in RUN_KINDS


def run_kind(run_id: str) -> str:
    """The partition of the index of all runs that has the run."""
    return RUN_KINDS[int(run_id[0], 16)]


def requested_key(requested_on: datetime, run_id: str = "") -> str:
    """The sort key of listings; without an id, the smallest key at or after `requested_on`."""
    return f"{_timestamp(requested_on)}#{run_id}"


def is_requested_key(text: str) -> bool:
    """Whether `text` has the form of a run's `requested_key`."""
    return re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}\+00:00#{RUN_ID_PATTERN}", text) is not None


def _attributes(source: Run | Progress) -> Item:
    """The fields of `source` as attributes; None and empty texts are left out."""
    texts, times, numbers, flags = (_present(source, names) for names in (_TEXTS, _TIMES, _NUMBERS, _FLAGS))
    item: Item = {
        **{key: {"S": value} for key, value in texts.items() if value},
        **{key: {"S": _timestamp(value)} for key, value in times.items()},
        **{key: {"N": str(value)} for key, value in numbers.items()},
        **{key: {"BOOL": value} for key, value in flags.items()},
    }
    if isinstance(source, Run) and source.metrics:
        item["metrics"] = {"S": metrics_to_text(source.metrics)}
    if source.error:
        item |= zip(_ERROR, ({"S": source.error.code}, {"S": source.error.message[:_MAX_MESSAGE_CHARACTERS]}), strict=True)
    return item


def _labeled_attributes(labeled: LabeledSet) -> Item:
    return {
        **{key: {"S": getattr(labeled, name)} for name, key in _LABELED_TEXTS.items()},
        **{key: {"N": str(getattr(labeled, name))} for name, key in _LABELED_NUMBERS.items()},
    }


def _labeled_set(item: Mapping[str, Mapping[str, Any]]) -> LabeledSet:
    texts: dict[str, Any] = {name: item[key]["S"] for name, key in _LABELED_TEXTS.items()}
    numbers: dict[str, Any] = {name: int(item[key]["N"]) for name, key in _LABELED_NUMBERS.items()}
    return LabeledSet(**texts, **numbers)


def _present(source: Run | Progress, names: Mapping[str, str]) -> dict[str, Any]:
    return {key: value for name, key in names.items() if (value := getattr(source, name, None)) is not None}


def _expires_at(ended_on: datetime, retention: timedelta) -> Item:
    return {"expiresAt": {"N": str(int((ended_on + retention).timestamp()))}}


def _timestamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")
