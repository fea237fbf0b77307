"""Glue's quotas, and what it checks of a label file before it starts an import."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.glue_emulator.lab import TWO_SETS, Lab

MB = 1024 * 1024


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_transform_has_three_runs_at_a_time_and_each_operation_its_own_exception(any_lab: Lab) -> None:
    transform = any_lab.taught()
    any_lab.switch_faults({"holdRuns": True})
    runs = [any_lab.start_labeling(transform) for _ in range(3)]
    said = "ML Task Runs count 3 has exceeded the transform limit of 3 task runs."
    path = f"s3://{any_lab.bucket}/x/"
    assert refusal(lambda: any_lab.start_labeling(transform)) == ("ConcurrentRunsExceededException", said)
    assert refusal(lambda: any_lab.glue.start_ml_evaluation_task_run(TransformId=transform)) == (
        "ConcurrentRunsExceededException",
        said,
    )
    assert refusal(lambda: any_lab.start_import(transform, TWO_SETS)) == ("ResourceNumberLimitExceededException", said)
    export = any_lab.glue.start_export_labels_task_run
    assert refusal(lambda: export(TransformId=transform, OutputS3Path=path)) == ("InvalidInputException", said)

    any_lab.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=runs[0])
    any_lab.ended(transform, runs[0])
    any_lab.start_labeling(transform)


def test_twenty_starts_at_once_get_three_slots(lab: Lab) -> None:
    transform = lab.transform()
    lab.switch_faults({"holdRuns": True})

    def start(_: int) -> bool:
        try:
            lab.start_labeling(transform)
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(start, range(20))) == 3


def test_an_account_has_thirty_runs_at_a_time(lab: Lab) -> None:
    lab.switch_faults({"holdRuns": True})
    for _ in range(10):
        transform = lab.transform()
        for _ in range(3):
            lab.start_labeling(transform)
    assert refusal(lambda: lab.start_labeling(lab.transform())) == (
        "ConcurrentRunsExceededException",
        "ML Task Runs count 30 has exceeded the limit of 30 task runs.",
    )


def test_an_account_has_a_hundred_transforms(lab: Lab) -> None:
    for _ in range(99):
        lab.transform()
    last = lab.transform()
    assert refusal(lab.transform) == (
        "ResourceNumberLimitExceededException",
        "ML Transforms count (100) has exceeded the limit of 100 transforms.",
    )
    lab.glue.delete_ml_transform(TransformId=last)
    lab.transform()


@pytest.mark.parametrize("path", ["labels.csv", "https://bucket/labels.csv", "s3://", "s3://bucket", "s3://BUCKET/folder/"])
def test_an_import_takes_one_object(lab: Lab, path: str) -> None:
    transform = lab.transform()
    start = lab.glue.start_import_labels_task_run
    assert refusal(lambda: start(TransformId=transform, InputS3Path=path)) == (
        "InvalidInputException",
        "Invalid label file path.",
    )
    assert lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"] == []


def test_a_label_file_must_be_there_and_not_be_empty(any_lab: Lab) -> None:
    transform = any_lab.transform()
    start = any_lab.glue.start_import_labels_task_run
    missing = f"s3://{any_lab.bucket}/missing.csv"
    code, message = refusal(lambda: start(TransformId=transform, InputS3Path=missing))
    assert code == "InvalidInputException"
    assert message.startswith(f"Cannot access the label file at {missing}. ")
    assert "404" in message
    assert refusal(lambda: any_lab.start_import(transform, b"")) == (
        "InvalidInputException",
        "Invalid label file of size 0.",
    )


def test_a_label_file_has_at_most_ten_megabytes(lab: Lab) -> None:
    transform = lab.transform()
    assert refusal(lambda: lab.start_import(transform, b"x" * (10 * MB + 1))) == (
        "ResourceNumberLimitExceededException",
        "Label file has exceeded the limit of 10 MB.",
    )
    padded = TWO_SETS + b"\n" * (10 * MB - len(TWO_SETS))
    lab.succeeded(transform, lab.start_import(transform, padded))


def test_an_output_path_must_be_on_s3(lab: Lab) -> None:
    transform = lab.transform()
    start = lab.glue.start_ml_labeling_set_generation_task_run
    code, message = refusal(lambda: start(TransformId=transform, OutputS3Path="/tmp/out"))  # noqa: S108 - not opened
    assert (code, message) == ("InvalidInputException", "/tmp/out is not an S3 path (s3://bucket/prefix).")  # noqa: S108 - not opened
