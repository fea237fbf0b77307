"""Glue's quotas, and the checks of a label file before an import starts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.glue_emulator.emulator import Emulator
from tests.glue_emulator.people import TWO_SETS

MB = 1024 * 1024


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call()
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_fourth_run_of_a_transform_is_refused_with_the_operations_own_exception(any_emulator: Emulator) -> None:
    transform = any_emulator.create_trained_transform()
    any_emulator.set_faults({"holdRuns": True})
    runs = [any_emulator.start_labeling(transform) for _ in range(3)]
    message = "ML Task Runs count 3 has exceeded the transform limit of 3 task runs."
    path = f"s3://{any_emulator.bucket}/x/"
    assert refusal(lambda: any_emulator.start_labeling(transform)) == ("ConcurrentRunsExceededException", message)
    assert refusal(lambda: any_emulator.glue.start_ml_evaluation_task_run(TransformId=transform)) == (
        "ConcurrentRunsExceededException",
        message,
    )
    assert refusal(lambda: any_emulator.start_import(transform, TWO_SETS)) == ("ResourceNumberLimitExceededException", message)
    export = any_emulator.glue.start_export_labels_task_run
    assert refusal(lambda: export(TransformId=transform, OutputS3Path=path)) == ("InvalidInputException", message)

    any_emulator.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=runs[0])
    any_emulator.wait_until_ended(transform, runs[0])
    any_emulator.start_labeling(transform)


def test_of_twenty_concurrent_starts_three_are_accepted(emulator: Emulator) -> None:
    transform = emulator.create_transform()
    emulator.set_faults({"holdRuns": True})

    def start(_: int) -> bool:
        try:
            emulator.start_labeling(transform)
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(start, range(20))) == 3


def test_a_31st_run_of_the_account_is_refused(emulator: Emulator) -> None:
    emulator.set_faults({"holdRuns": True})
    for _ in range(10):
        transform = emulator.create_transform()
        for _ in range(3):
            emulator.start_labeling(transform)
    assert refusal(lambda: emulator.start_labeling(emulator.create_transform())) == (
        "ConcurrentRunsExceededException",
        "ML Task Runs count 30 has exceeded the limit of 30 task runs.",
    )


def test_a_101st_transform_is_refused_until_one_is_deleted(emulator: Emulator) -> None:
    for _ in range(99):
        emulator.create_transform()
    last = emulator.create_transform()
    assert refusal(emulator.create_transform) == (
        "ResourceNumberLimitExceededException",
        "ML Transforms count (100) has exceeded the limit of 100 transforms.",
    )
    emulator.glue.delete_ml_transform(TransformId=last)
    emulator.create_transform()


@pytest.mark.parametrize("path", ["labels.csv", "https://bucket/labels.csv", "s3://", "s3://bucket", "s3://BUCKET/folder/"])
def test_an_import_path_must_name_one_s3_object(emulator: Emulator, path: str) -> None:
    transform = emulator.create_transform()
    start = emulator.glue.start_import_labels_task_run
    assert refusal(lambda: start(TransformId=transform, InputS3Path=path)) == (
        "InvalidInputException",
        "Invalid label file path.",
    )
    assert emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"] == []


def test_a_missing_or_empty_label_file_is_refused(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform()
    start = any_emulator.glue.start_import_labels_task_run
    missing = f"s3://{any_emulator.bucket}/missing.csv"
    code, message = refusal(lambda: start(TransformId=transform, InputS3Path=missing))
    assert code == "InvalidInputException"
    assert message.startswith(f"Cannot access the label file at {missing}. ")
    assert "404" in message
    assert refusal(lambda: any_emulator.start_import(transform, b"")) == (
        "InvalidInputException",
        "Invalid label file of size 0.",
    )


def test_a_label_file_over_10_mb_is_refused(emulator: Emulator) -> None:
    transform = emulator.create_transform()
    assert refusal(lambda: emulator.start_import(transform, b"x" * (10 * MB + 1))) == (
        "ResourceNumberLimitExceededException",
        "Label file has exceeded the limit of 10 MB.",
    )
    padded = TWO_SETS + b"\n" * (10 * MB - len(TWO_SETS))
    emulator.wait_for_success(transform, emulator.start_import(transform, padded))


def test_an_output_path_outside_s3_is_refused(emulator: Emulator) -> None:
    transform = emulator.create_transform()
    start = emulator.glue.start_ml_labeling_set_generation_task_run
    code, message = refusal(lambda: start(TransformId=transform, OutputS3Path="/tmp/out"))  # noqa: S108 - not opened
    assert (code, message) == ("InvalidInputException", "/tmp/out is not an S3 path (s3://bucket/prefix).")  # noqa: S108 - not opened
