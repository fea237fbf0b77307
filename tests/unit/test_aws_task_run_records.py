"""Odd records in Glue's listing: each is read by itself, and none hides a run of ours."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.aws.task_run_records import glue_run, readable_task_runs
from core.runs import Status

SINCE = datetime(2026, 11, 22, 12, tzinfo=UTC)
RECORD: dict[str, Any] = {
    "TaskRunId": "tsk-1",
    "Status": "RUNNING",
    "StartedOn": SINCE + timedelta(minutes=1),
    "Properties": {
        "TaskType": "LABELING_SET_GENERATION",
        "LabelingSetGenerationTaskRunProperties": {"OutputS3Path": "s3://bucket/sets/1/"},
    },
}


@pytest.mark.parametrize(
    "odd",
    [None, "text", {}, {"Status": "RUNNING"}, {**RECORD, "StartedOn": "yesterday"}, {**RECORD, "Properties": ["none"]}],
    ids=["null", "text", "empty", "without an id", "a time that is none", "properties that are none"],
)
def test_unreadable_record_is_skipped_and_logged_and_the_others_are_read(odd: Any, caplog: pytest.LogCaptureFixture) -> None:  # noqa: ANN401  anything
    with caplog.at_level(logging.WARNING):
        task_runs = list(readable_task_runs([odd, RECORD], "tfm-1", SINCE))
    assert [task_run.task_run_id for task_run in task_runs] == ["tsk-1"]
    assert "TASK_RUN_UNREADABLE" in caplog.messages


@pytest.mark.parametrize("status", [None, "", "PAUSED", "QUEUED", "LOST"])
def test_unknown_status_counts_as_in_glue(status: str | None, caplog: pytest.LogCaptureFixture) -> None:
    (task_run,) = readable_task_runs([{**RECORD, "Status": status}], "tfm-1", SINCE)
    assert (task_run.status, task_run.path) == (Status.STARTING, "s3://bucket/sets/1/")
    assert "TASK_RUN_STATUS_UNKNOWN" in caplog.messages


def test_record_without_a_status_is_kept() -> None:
    assert glue_run({name: value for name, value in RECORD.items() if name != "Status"}).status is Status.STARTING


def test_record_without_a_start_time_has_the_next_best_one() -> None:
    record = {name: value for name, value in RECORD.items() if name != "StartedOn"}
    later = SINCE + timedelta(minutes=2)
    assert glue_run({**record, "LastModifiedOn": later}, SINCE).started_on == later
    assert glue_run(record, SINCE).started_on == SINCE


@pytest.mark.parametrize("properties", [None, {}, {"TaskType": None}, {"ImportLabelsTaskRunProperties": None}])
def test_record_without_properties_is_a_run_of_someone_else(properties: Any) -> None:  # noqa: ANN401  anything
    task_run = glue_run({**RECORD, "Properties": properties}, SINCE)
    assert (task_run.task_type, task_run.path, task_run.replace_all_labels) == ("", None, None)
