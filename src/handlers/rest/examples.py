"""Example requests and responses for the OpenAPI document."""

from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from core.requests import EvaluationRequest, LabelExportRequest, LabelImportRequest, LabelingSetRequest
from core.runs import Status, TaskType
from core.views import TaskRun, TaskRunList

TASK_RUN_ID = "0123456789abcdef0123456789abcdef"
_TRANSFORM_ID = "tfm-0123456789abcdef"
_REQUESTED_ON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def examples() -> dict[str, BaseModel]:
    """An example for each schema, by the schema's name."""
    run = _task_run()
    return {
        "LabelingSetRequest": LabelingSetRequest.model_validate(
            {"transformId": _TRANSFORM_ID, "outputS3Path": "s3://my-bucket/labeling-sets/"}
        ),
        "LabelImportRequest": LabelImportRequest.model_validate(
            {"transformId": _TRANSFORM_ID, "inputS3Path": f"s3://my-bucket/labels/{_TRANSFORM_ID}/round-1.csv"}
        ),
        "EvaluationRequest": EvaluationRequest.model_validate({"transformId": _TRANSFORM_ID}),
        "LabelExportRequest": LabelExportRequest.model_validate(
            {"transformId": _TRANSFORM_ID, "outputS3Path": "s3://my-bucket/label-exports/"}
        ),
        "TaskRun": run,
        "TaskRunList": TaskRunList(items=[run], next=None),
    }


def _task_run() -> TaskRun:
    return TaskRun(
        id=TASK_RUN_ID,
        transform_id=_TRANSFORM_ID,
        task_type=TaskType.LABELING_SET_GENERATION,
        status=Status.SUCCEEDED,
        task_run_id="tsk-0123456789abcdef",
        output_s3_path=f"s3://my-bucket/labeling-sets/{TASK_RUN_ID}/",
        input_s3_path=None,
        replace_all_labels=None,
        requested_by="arn:aws:sts::123456789012:assumed-role/labeling-team",
        requested_on=_REQUESTED_ON,
        started_on=_REQUESTED_ON + timedelta(seconds=1),
        completed_on=_REQUESTED_ON + timedelta(minutes=9),
        execution_time=512,
        error=None,
    )
