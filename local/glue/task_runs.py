"""Task runs: their statuses, the transitions between them, and their form in Glue's API."""

import uuid
from dataclasses import dataclass
from typing import Any, Final

STARTING, RUNNING, STOPPING = "STARTING", "RUNNING", "STOPPING"
STOPPED, SUCCEEDED, FAILED, TIMEOUT = "STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT"
ACTIVE: Final = (STARTING, RUNNING, STOPPING)

LABELING_SET_GENERATION, IMPORT_LABELS, EXPORT_LABELS = "LABELING_SET_GENERATION", "IMPORT_LABELS", "EXPORT_LABELS"
EVALUATION, FIND_MATCHES = "EVALUATION", "FIND_MATCHES"

TRANSITIONS: Final = {
    STARTING: {RUNNING, STOPPING, FAILED},
    RUNNING: {STOPPING, SUCCEEDED, FAILED, TIMEOUT},
    STOPPING: {STOPPED},
}


@dataclass(frozen=True)
class TaskRun:
    """`sequence` grows with every run of the account. Times are epoch seconds. `properties` are Glue's TaskRunProperties.

    `running_since` is when the run entered RUNNING; ExecutionTime counts from there.
    """

    run_id: str
    transform_id: str
    kind: str
    status: str
    properties: dict[str, Any]
    started_on: float
    last_modified_on: float
    sequence: int = 0
    running_since: float | None = None
    completed_on: float | None = None
    error: str | None = None

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def execution_seconds(self) -> int:
        if self.running_since is None or self.completed_on is None:
            return 0
        return max(0, round(self.completed_on - self.running_since))

    def as_response(self) -> dict[str, Any]:
        """The members of GetMLTaskRun's response; those without a value are absent."""
        members = {
            "TransformId": self.transform_id,
            "TaskRunId": self.run_id,
            "Status": self.status,
            "Properties": self.properties,
            "ErrorString": self.error,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.last_modified_on,
            "CompletedOn": self.completed_on,
            "ExecutionTime": self.execution_seconds(),
        }
        return {name: value for name, value in members.items() if value is not None}


def can_transition(before: str, after: str) -> bool:
    return after in TRANSITIONS.get(before, set())


def new_run_id() -> str:
    return f"tsk-{uuid.uuid4().hex}{uuid.uuid4().hex[:8]}"


def new_transform_id() -> str:
    return f"tfm-{uuid.uuid4().hex}{uuid.uuid4().hex[:8]}"


def labeling_set_properties(output_path: str) -> dict[str, Any]:
    return {
        "TaskType": LABELING_SET_GENERATION,
        "LabelingSetGenerationTaskRunProperties": {"OutputS3Path": output_path},
    }


def import_properties(input_path: str, *, replace: bool) -> dict[str, Any]:
    return {
        "TaskType": IMPORT_LABELS,
        "ImportLabelsTaskRunProperties": {"InputS3Path": input_path, "Replace": replace},
    }


def export_properties(output_path: str) -> dict[str, Any]:
    return {"TaskType": EXPORT_LABELS, "ExportLabelsTaskRunProperties": {"OutputS3Path": output_path}}


def evaluation_properties() -> dict[str, Any]:
    return {"TaskType": EVALUATION}


def find_matches_properties(job_name: str) -> dict[str, Any]:
    return {
        "TaskType": FIND_MATCHES,
        "FindMatchesTaskRunProperties": {
            "JobId": f"j_{uuid.uuid4().hex}",
            "JobName": job_name,
            "JobRunId": f"jr_{uuid.uuid4().hex}",
        },
    }
