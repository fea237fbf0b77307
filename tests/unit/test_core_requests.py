"""The runs that requests become, and which requests are invalid."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import InvalidRequest
from core.paths import AllowedPrefixes
from core.requests import LabelImportRequest, LabelingSetRequest, new_run
from core.runs import Status, TaskType, run_id
from tests.fakes.service import import_command, labeling_command

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ALLOWED = AllowedPrefixes.parse("s3://bucket/")
LABELING = {"transformId": "tfm-1", "outputS3Path": "s3://bucket/sets"}
IMPORT = {"transformId": "tfm-1", "inputS3Path": "s3://bucket/one.csv"}


def test_each_labeling_set_gets_its_own_prefix() -> None:
    run = new_run(labeling_command("key", caller="alice", output="s3://bucket/sets"), NOW, ALLOWED)
    assert run.path == f"s3://bucket/sets/{run_id('alice', 'key')}/"
    assert (run.task_type, run.status, run.replace_all_labels) == (TaskType.LABELING_SET_GENERATION, Status.RESERVED, None)


def test_import_has_the_path_of_its_file() -> None:
    run = new_run(import_command(path="s3://bucket/one.csv", replaces=True), NOW, ALLOWED)
    assert (run.task_type, run.path, run.replace_all_labels) == (TaskType.IMPORT_LABELS, "s3://bucket/one.csv", True)


def test_import_appends_by_default() -> None:
    assert LabelImportRequest.model_validate(IMPORT).replace_all_labels is False


def test_path_in_a_forbidden_bucket_is_rejected() -> None:
    with pytest.raises(InvalidRequest, match="not allowed"):
        new_run(import_command(path="s3://elsewhere/one.csv"), NOW, ALLOWED)


@pytest.mark.parametrize(
    ("model", "payload", "field"),
    [
        (LabelingSetRequest, {**LABELING, "transformId": None}, "transformId"),
        (LabelingSetRequest, {**LABELING, "transformId": ""}, "transformId"),
        (LabelingSetRequest, {**LABELING, "transformId": "-tfm"}, "transformId"),
        (LabelingSetRequest, {**LABELING, "transformId": "tfm/1"}, "transformId"),
        (LabelingSetRequest, {**LABELING, "transformId": "tfm-1\n"}, "transformId"),
        (LabelingSetRequest, {**LABELING, "transformId": "t" * 256}, "transformId"),
        (LabelingSetRequest, {**LABELING, "transformId": 7}, "transformId"),
        (LabelingSetRequest, {**LABELING, "outputS3Path": ""}, "outputS3Path"),
        (LabelingSetRequest, {**LABELING, "outputS3Path": "s3://bucket/" + "a" * 1024}, "outputS3Path"),
        (LabelingSetRequest, {**LABELING, "outputS3Path": "s3://bucket/\ud800"}, "outputS3Path"),
        (LabelingSetRequest, {"transformId": "tfm-1"}, "outputS3Path"),
        (LabelingSetRequest, {**LABELING, "role": "admin"}, "role"),
        (LabelImportRequest, {**IMPORT, "replaceAllLabels": "false"}, "replaceAllLabels"),
        (LabelImportRequest, {**IMPORT, "replaceAllLabels": 1}, "replaceAllLabels"),
        (LabelImportRequest, {**IMPORT, "replaceAllLabels": None}, "replaceAllLabels"),
        (LabelImportRequest, {**IMPORT, "outputS3Path": "s3://bucket/sets"}, "outputS3Path"),
    ],
)
def test_invalid_field_is_named(model: Any, payload: dict[str, Any], field: str) -> None:  # noqa: ANN401  either request
    with pytest.raises(ValidationError) as failure:
        model.model_validate(payload)
    assert [error["loc"] for error in failure.value.errors()] == [(field,)]
