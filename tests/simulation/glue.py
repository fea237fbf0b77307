"""Glue's ML task runs and transforms at the level of boto3: what it starts, lists, forgets, and what others do in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.table import failure

OPEN = frozenset({"STARTING", "RUNNING", "STOPPING"})
_PAGE_SIZE = 5
COLUMNS = ("id", "name")
LABELING, IMPORT, EVALUATION, EXPORT = "LABELING_SET_GENERATION", "IMPORT_LABELS", "EVALUATION", "EXPORT_LABELS"


@dataclass
class TaskRun:
    """A task run in Glue, known by the record that Glue shows of it. `number` counts all starts.

    `labels` is the version of the transform's labels when it was started.
    """

    number: int
    task_run_id: str
    transform_id: str
    task_type: str
    path: str | None
    replaces: bool
    started_on: datetime
    labels: int
    is_ours: bool = True
    status: str = "STARTING"
    ended_on: datetime | None = None
    hidden_fields: frozenset[str] = frozenset()  # of an odd record
    odd_status: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def record(self) -> dict[str, Any]:
        properties: dict[str, Any] = {"TaskType": self.task_type}
        match self.task_type:
            case "LABELING_SET_GENERATION":
                properties["LabelingSetGenerationTaskRunProperties"] = {"OutputS3Path": self.path}
            case "IMPORT_LABELS":
                properties["ImportLabelsTaskRunProperties"] = {"InputS3Path": self.path, "Replace": self.replaces}
            case "EXPORT_LABELS":
                properties["ExportLabelsTaskRunProperties"] = {"OutputS3Path": self.path}
        record = {
            "TransformId": self.transform_id,
            "TaskRunId": self.task_run_id,
            "Status": (self.odd_status if self.is_open else None) or self.status,
            "Properties": properties,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.ended_on or self.started_on,
            "ExecutionTime": 7 if self.ended_on else 0,
        }
        if self.ended_on:
            record["CompletedOn"] = self.ended_on
        if self.status == "FAILED":
            record["ErrorString"] = "simulated"
        return {name: value for name, value in record.items() if name not in self.hidden_fields}


@dataclass
class Transform:
    runs: list[TaskRun] = field(default_factory=list)
    label_count: int = 0
    labels: int = 0  # their version
    exists: bool = True


@dataclass
class SimulatedGlue:
    """`on_start` is told every run that one of our processes has started."""

    clock: Callable[[], datetime]
    on_start: Callable[[TaskRun], None]
    transforms: dict[str, Transform]
    listing_delay: timedelta = timedelta(0)
    runs_at_once: int = 3  # of a transform
    _numbers: Any = field(default_factory=lambda: count(1))

    def all_runs(self) -> list[TaskRun]:
        return [run for transform in self.transforms.values() for run in transform.runs]

    # --- boto3's calls

    def start_ml_labeling_set_generation_task_run(self, *, TransformId: str, OutputS3Path: str) -> dict[str, Any]:  # noqa: N803
        return self._start(TransformId, LABELING, OutputS3Path)

    def start_import_labels_task_run(self, *, TransformId: str, InputS3Path: str, ReplaceAllLabels: bool) -> dict[str, Any]:  # noqa: N803
        return self._start(TransformId, IMPORT, InputS3Path, replaces=ReplaceAllLabels)

    def start_ml_evaluation_task_run(self, *, TransformId: str) -> dict[str, Any]:  # noqa: N803
        return self._start(TransformId, EVALUATION, None)

    def start_export_labels_task_run(self, *, TransformId: str, OutputS3Path: str) -> dict[str, Any]:  # noqa: N803
        return self._start(TransformId, EXPORT, OutputS3Path)

    def get_ml_transform(self, *, TransformId: str) -> dict[str, Any]:  # noqa: N803
        transform = self._transform(TransformId)
        return {
            "TransformId": TransformId,
            "LabelCount": transform.label_count,
            "Schema": [{"Name": name, "DataType": "string"} for name in COLUMNS],
            "Parameters": {"TransformType": "FIND_MATCHES", "FindMatchesParameters": {"PrimaryKeyColumnName": "id"}},
        }

    def get_ml_task_runs(
        self,
        *,
        TransformId: str,  # noqa: N803
        Filter: dict[str, Any],  # noqa: N803
        NextToken: str = "0",  # noqa: N803
        **_: object,
    ) -> dict[str, Any]:
        visible, since = self.clock() - self.listing_delay, Filter["StartedAfter"]
        begin = int(NextToken)
        listed = [
            run
            for run in self._transform(TransformId).runs
            if run.number > begin and since < run.started_on and (run.started_on <= visible or not run.is_ours)
        ]
        page = listed[:_PAGE_SIZE]
        response: dict[str, Any] = {"TaskRuns": [run.record() for run in page]}
        return response | ({"NextToken": str(page[-1].number)} if len(listed) > len(page) else {})

    def get_ml_task_run(self, *, TransformId: str, TaskRunId: str) -> dict[str, Any]:  # noqa: N803
        return self._run(TransformId, TaskRunId).record()

    def cancel_ml_task_run(self, *, TransformId: str, TaskRunId: str) -> dict[str, Any]:  # noqa: N803
        run = self._run(TransformId, TaskRunId)
        if run.is_open:
            run.status = "STOPPING"
        return {"TransformId": TransformId, "TaskRunId": TaskRunId, "Status": run.status}

    # --- what happens in Glue

    def set_status(self, run: TaskRun, status: str) -> None:
        """Let an open run go on, or end."""
        if status == "SUCCEEDED" and run.task_type == IMPORT and run.is_ours:
            transform = self.transforms[run.transform_id]
            transform.label_count = 10 + (0 if run.replaces else transform.label_count)
            transform.labels += 1
        run.status = status
        run.ended_on = None if run.is_open else self.clock()

    def finish_all(self) -> None:
        for run in self.all_runs():
            if run.is_open:
                self.set_status(run, "STOPPED" if run.status == "STOPPING" else "SUCCEEDED")

    def add_foreign_run(self, transform_id: str, task_type: str, hidden: frozenset[str], odd_status: str | None) -> None:
        """Someone else starts a run, of which Glue's record may be odd."""
        transform = self.transforms[transform_id]
        if transform.exists and self._count_open(transform) < self.runs_at_once:
            path = None if task_type == EVALUATION else "s3://elsewhere/x.csv"
            run = self._new(transform_id, transform, task_type, path, replaces=False)
            run.is_ours, run.hidden_fields, run.odd_status = False, hidden, odd_status

    def _start(self, transform_id: str, task_type: str, path: str | None, *, replaces: bool = False) -> dict[str, Any]:
        transform = self._transform(transform_id)
        if task_type == EVALUATION and not transform.label_count:
            raise _error("MLTransformNotReadyException", "not ready")
        if task_type == EXPORT and not transform.label_count:
            raise _error("EntityNotFoundException", f"No labelset exists for transformId {transform_id} in account id 1.")
        if self._count_open(transform) >= self.runs_at_once:
            code = "ResourceNumberLimitExceededException" if task_type == IMPORT else "ConcurrentRunsExceededException"
            code = "InvalidInputException" if task_type == EXPORT else code
            raise _error(code, "ML Task Runs count [3] has exceeded the transform limit of [3] task runs.")
        run = self._new(transform_id, transform, task_type, path, replaces=replaces)
        self.on_start(run)
        return {"TaskRunId": run.task_run_id}

    def _new(self, transform_id: str, transform: Transform, task_type: str, path: str | None, *, replaces: bool) -> TaskRun:
        number = next(self._numbers)
        run = TaskRun(number, f"tsk-{number}", transform_id, task_type, path, replaces, self.clock(), labels=transform.labels)
        transform.runs.append(run)
        return run

    def _count_open(self, transform: Transform) -> int:
        return sum(run.is_open for run in transform.runs)

    def _transform(self, transform_id: str) -> Transform:
        transform = self.transforms.get(transform_id)
        if transform is None or not transform.exists:
            raise _error("EntityNotFoundException", f"Cannot find MLTransform in account [1] with handle [{transform_id}].")
        return transform

    def _run(self, transform_id: str, task_run_id: str) -> TaskRun:
        for run in self._transform(transform_id).runs:
            if run.task_run_id == task_run_id:
                return run
        raise _error(
            "EntityNotFoundException", f"No ML Task Run found for {task_run_id}: in account 1 for transform {transform_id}."
        )


def _error(code: str, message: str) -> ClientError:
    error = failure(ClientError, code)
    error.response["Error"]["Message"] = message
    return error
