"""The measured runs, as the ledger and as Glue hold them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core.open_runs import shard_of
from core.runs import Run, Status, TaskType, run_id

NOW = datetime.now(UTC).replace(microsecond=123456)


def transform_id(number: int) -> str:
    return f"tfm-{number:040x}"


@dataclass(frozen=True)
class Data:
    """Runs by number. Those of a transform are consecutive, and the first of each has ended in Glue."""

    runs: int
    transforms: int

    @property
    def per_transform(self) -> int:
        return self.runs // self.transforms

    def transforms_of(self, shards: Collection[str]) -> list[int]:
        return [number for number in range(self.transforms) if shard_of(transform_id(number)) in shards]

    def run(self, number: int) -> Run:
        id_ = run_id("bench", str(number))
        start_attempted_on = NOW - timedelta(minutes=8) + timedelta(milliseconds=number % self.per_transform)
        return Run(
            id=id_,
            requested_by="arn:aws:sts::123456789012:assumed-role/labeling-service/session",
            requested_on=start_attempted_on,
            task_type=TaskType.LABELING_SET_GENERATION,
            status=Status.RUNNING,
            transform_id=transform_id(number // self.per_transform),
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
