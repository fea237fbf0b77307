"""The measured runs, as the ledger and as Glue hold them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core.runs import Run, Status, TaskType, run_id

NOW = datetime.now(UTC).replace(microsecond=123456)


@dataclass(frozen=True)
class Data:
    """Runs by number. Those of a transform are consecutive, and the first of each has ended in Glue."""

    runs: int
    transforms: int

    @property
    def per_transform(self) -> int:
        return self.runs // self.transforms

    def run(self, number: int) -> Run:
        id_ = run_id("bench", str(number))
        start_attempted_on = NOW - timedelta(minutes=8) + timedelta(milliseconds=number % self.per_transform)
        return Run(
            id=id_,
            requested_by="arn:aws:sts::123456789012:assumed-role/labeling-service/session",
            requested_on=start_attempted_on,
            task_type=TaskType.LABELING_SET_GENERATION,
            status=Status.RUNNING,
            transform_id=f"tfm-{number // self.per_transform:040x}",
            path=f"s3://a-bucket-with-labels/labeling-sets/{id_}/",
            start_attempted_on=start_attempted_on,
            changed_on=start_attempted_on,
            task_run_id=f"tsk-{number:064x}",
            started_on=start_attempted_on,
            correlation_id=f"{number:036x}",
            causation_id=f"{number:036x}",
            revision=f"{number:032x}",
        )

    def number_of(self, glue_id: str) -> int:
        return int(glue_id[4:], 16)

    def task_run(self, number: int) -> dict[str, Any]:
        """The run as GetMLTaskRuns lists it."""
        run = self.run(number)
        has_ended = number % self.per_transform == 0
        started = (run.started_on or NOW).timestamp()
        return {
            "TransformId": run.transform_id,
            "TaskRunId": run.task_run_id,
            "Status": "SUCCEEDED" if has_ended else "RUNNING",
            "LogGroupName": "/aws-glue/ml-transforms",
            "Properties": {
                "TaskType": "LABELING_SET_GENERATION",
                "LabelingSetGenerationTaskRunProperties": {"OutputS3Path": run.path},
            },
            "StartedOn": started,
            "LastModifiedOn": started + 60,
            "ExecutionTime": 60,
        } | ({"CompletedOn": started + 60} if has_ended else {})
