"""Glue's records of task runs, read one by one: botocore's model makes every field of them optional."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.ports import GlueRun
from core.runs import IN_GLUE, Status

_log = logging.getLogger(__name__)
# Glue's statuses. A run with another one is in Glue, and nothing more is known of it.
_KNOWN_STATUSES = {
    status.value: status for status in (*IN_GLUE, Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT)
}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TIMES = ("StartedOn", "LastModifiedOn", "CompletedOn")


def readable_task_runs(records: Sequence[Any], transform_id: str, since: datetime) -> Iterator[GlueRun]:
    """The task runs of a listing that began at `since`, without those that cannot be read: they are logged.

    A record is left out only if it has no id, or fields of types that botocore's parser does not make.
    """
    for record in records:
        try:
            yield glue_run(record, since)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            _log.warning(
                "TASK_RUN_UNREADABLE", extra={"transformId": transform_id, "cause": f"{type(error).__name__}: {error}"}
            )


def glue_run(record: Mapping[str, Any], since: datetime = _LONG_AGO) -> GlueRun:
    """A record of GetMLTaskRun or GetMLTaskRuns. An unknown status counts as STARTING; no run goes back to that.

    Raises KeyError, TypeError, ValueError or AttributeError if it cannot be read.
    """
    properties = record.get("Properties") or {}
    labeling_set = properties.get("LabelingSetGenerationTaskRunProperties") or {}
    label_import = properties.get("ImportLabelsTaskRunProperties") or {}
    label_export = properties.get("ExportLabelsTaskRunProperties") or {}
    status = _KNOWN_STATUSES.get(record.get("Status") or "")
    if status is None:
        _log.warning(
            "TASK_RUN_STATUS_UNKNOWN", extra={"taskRunId": record["TaskRunId"], "cause": str(record.get("Status"))[:64]}
        )
    return GlueRun(
        task_run_id=record["TaskRunId"],
        task_type=properties.get("TaskType") or "",
        status=status or Status.STARTING,
        started_on=next((_utc(record[name]) for name in _TIMES if record.get(name)), since),
        completed_on=_utc(record["CompletedOn"]) if record.get("CompletedOn") else None,
        execution_time=record.get("ExecutionTime"),
        error=record.get("ErrorString"),
        path=labeling_set.get("OutputS3Path") or label_import.get("InputS3Path") or label_export.get("OutputS3Path"),
        replace_all_labels=label_import.get("Replace"),
    )


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)
