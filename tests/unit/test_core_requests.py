"""The runs that requests become, and which requests are invalid."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import CommandTooOld, InvalidRequest
from core.paths import AllowedPrefixes
from core.ports import Policy
from core.requests import EvaluationRequest, LabelExportRequest, LabelImportRequest, LabelingSetRequest, check_command, new_run
from core.runs import Status, TaskType, run_id
from tests.fakes.service import evaluation_command, export_command, import_command, labeling_command

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LABELING = {"transformId": "tfm-1", "outputS3Path": "s3://bucket/sets"}
IMPORT = {"transformId": "tfm-1", "inputS3Path": "s3://bucket/one.csv"}


def test_each_labeling_set_gets_its_own_prefix() -> None:
    run = new_run(labeling_command("key", caller="alice", output="s3://bucket/sets"), NOW)
    assert run.path == f"s3://bucket/sets/{run_id('alice', 'key')}/"
    assert (run.task_type, run.status, run.replace_all_labels) == (TaskType.LABELING_SET_GENERATION, Status.RESERVED, None)


def test_import_has_the_path_of_its_file() -> None:
    run = new_run(import_command(path="s3://bucket/one.csv", replaces=True), NOW)
    assert (run.task_type, run.path, run.replace_all_labels) == (TaskType.IMPORT_LABELS, "s3://bucket/one.csv", True)


def test_export_gets_its_own_prefix_and_evaluation_has_no_path() -> None:
    export = new_run(export_command("key", caller="alice", output="s3://bucket/exports/"), NOW)
    assert (export.task_type, export.path) == (TaskType.EXPORT_LABELS, f"s3://bucket/exports/{run_id('alice', 'key')}/")
    evaluation = new_run(evaluation_command("key", transform_id="tfm-2"), NOW)
    assert (evaluation.task_type, evaluation.transform_id, evaluation.path) == (TaskType.EVALUATION, "tfm-2", None)


def test_export_may_write_only_under_the_allowed_prefixes_and_evaluation_needs_none() -> None:
    with pytest.raises(InvalidRequest, match="#/outputS3Path is not allowed"):
        check_command(export_command(output="s3://elsewhere/exports"), NOW, POLICY)
    check_command(evaluation_command(), NOW, Policy(allowed_prefixes=AllowedPrefixes(())))


def test_import_appends_by_default() -> None:
    assert LabelImportRequest.model_validate(IMPORT).replace_all_labels is False


POLICY = Policy(allowed_prefixes=AllowedPrefixes.parse("s3://bucket/"))


def test_path_in_a_forbidden_bucket_is_rejected() -> None:
    with pytest.raises(InvalidRequest, match="not allowed"):
        check_command(import_command(path="s3://elsewhere/one.csv"), NOW, POLICY)


@pytest.mark.parametrize(("days", "is_too_old"), [(0, False), (89, False), (90, False), (91, True), (330, True), (-1, False)])
def test_command_older_than_keys_are_remembered_is_refused(days: int, is_too_old: bool) -> None:  # noqa: FBT001  a column
    command = import_command()._replace(sent_on=NOW - timedelta(days=days))
    if is_too_old:
        with pytest.raises(CommandTooOld, match="keys are remembered for 90 days"):
            check_command(command, NOW, POLICY)
    else:
        check_command(command, NOW, POLICY)


@pytest.mark.parametrize(
    ("folder", "looks_like_uploads"),
    [
        ("s3://bucket/labels", True),
        ("s3://bucket/labels/", True),
        ("s3://bucket/team/labels/", True),
        ("s3://bucket/labels/tfm-1", True),
        ("s3://bucket/labels/tfm-1/generated/", True),
        ("s3://bucket/labels/tfm-1/labels/", True),
        ("s3://bucket/labels/some words/x/", False),
        ("s3://bucket/labeling-sets/", False),
        ("s3://bucket/mylabels/", False),
        ("s3://bucket/labels-out/tfm-1/", False),
        ("s3://labels/tfm-1/", False),
    ],
)
def test_own_files_must_not_look_like_uploads(folder: str, looks_like_uploads: bool) -> None:  # noqa: FBT001  a column
    anywhere = Policy(allowed_prefixes=AllowedPrefixes.of(["s3://bucket/", "s3://labels/"]))
    for command, pointer in (
        (labeling_command(output=folder), "#/outputS3Path"),
        (export_command(output=folder), "#/outputS3Path"),
        (import_command(replaces=True, export_to=folder), "#/exportTo"),
    ):
        if looks_like_uploads:
            with pytest.raises(InvalidRequest, match="must not be a folder of uploads") as invalid:
                check_command(command, NOW, anywhere)
            assert [error.pointer for error in invalid.value.errors] == [pointer]
        else:
            check_command(command, NOW, anywhere)


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
        (LabelImportRequest, {**IMPORT, "replace_all_labels": True}, "replace_all_labels"),
        (LabelingSetRequest, {**LABELING, "transform_id": "tfm-2"}, "transform_id"),
        (EvaluationRequest, {}, "transformId"),
        (EvaluationRequest, LABELING, "outputS3Path"),
        (LabelExportRequest, {"transformId": "tfm-1"}, "outputS3Path"),
    ],
)
def test_invalid_field_is_named(model: Any, payload: dict[str, Any], field: str) -> None:  # noqa: ANN401  either request
    with pytest.raises(ValidationError) as failure:
        model.model_validate(payload)
    assert [error["loc"] for error in failure.value.errors()] == [(field,)]
