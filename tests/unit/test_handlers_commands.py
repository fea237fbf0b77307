"""Events of EventBridge as commands."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from core.errors import InvalidRequest
from core.paths import AllowedPrefixes
from core.requests import EvaluationRequest, LabelExportRequest, LabelImportRequest, LabelingSetRequest, StartCommand
from core.runs import TaskType
from handlers.commands import read_command, refused_command

LABELING = {
    "id": "m-1",
    "account": "1",
    "source": "planner",
    "detail-type": "StartLabelingSetRun",
    "detail": {"transformId": "tfm-1", "outputS3Path": "s3://bucket/sets"},
}
IMPORT = LABELING | {
    "detail-type": "StartLabelImportRun",
    "detail": {"transformId": "tfm-1", "inputS3Path": "s3://bucket/round-1.csv", "replaceAllLabels": True},
}
EVALUATION = LABELING | {"detail-type": "StartEvaluationRun", "detail": {"transformId": "tfm-1"}}
EXPORT = LABELING | {
    "detail-type": "StartLabelExportRun",
    "detail": {"transformId": "tfm-1", "outputS3Path": "s3://bucket/exports"},
}
OBJECT = {"key": "labels/tfm-1/round-1.csv", "etag": "e1", "sequencer": "s1"}
UPLOAD = LABELING | {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "bucket"}, "object": OBJECT},
}


ALLOWED = AllowedPrefixes.of(["s3://bucket/"])


def read(event: dict[str, Any]) -> StartCommand | None:
    return read_command(event, ALLOWED)


def uploaded(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    return UPLOAD | {"detail": {"bucket": {"name": "bucket"}, "object": OBJECT | changes}}


def with_detail(event: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    return event | {"detail": event["detail"] | changes}


def key_of(event: dict[str, Any]) -> str:
    command = read(event)
    assert command is not None
    return command.key


@pytest.mark.parametrize(
    ("event", "model"),
    [
        (LABELING, LabelingSetRequest),
        (IMPORT, LabelImportRequest),
        (EVALUATION, EvaluationRequest),
        (EXPORT, LabelExportRequest),
    ],
)
def test_every_command_is_read(event: dict[str, Any], model: type[BaseModel]) -> None:
    command = read(event)
    assert command is not None
    assert command.request == model.model_validate(event["detail"])
    assert (command.caller, command.causation_id) == ("events:1:planner", "m-1")


def test_refused_evaluation_and_export_are_recorded_as_such() -> None:
    refused = [refused_command(event, "INVALID_COMMAND", ()) for event in (EVALUATION, EXPORT)]
    assert [(each.task_type, each.path) for each in refused] == [
        (TaskType.EVALUATION, None),
        (TaskType.EXPORT_LABELS, "s3://bucket/exports"),
    ]


def test_key_is_the_callers_or_else_the_id_of_the_event() -> None:
    assert key_of(LABELING) == "m-1"
    assert key_of(with_detail(LABELING, idempotencyKey="mine")) == "mine"


def test_upload_starts_an_import_that_appends() -> None:
    command = read(UPLOAD)
    assert command is not None
    assert command.request == LabelImportRequest.model_validate(
        {"transformId": "tfm-1", "inputS3Path": "s3://bucket/labels/tfm-1/round-1.csv"}
    )
    assert command.caller == "s3:bucket"


def test_key_of_an_upload_differs_by_version_and_not_by_delivery() -> None:
    assert key_of(uploaded()) == key_of(uploaded() | {"id": "m-2"})
    assert len({key_of(uploaded(**{"version-id": version})) for version in ("v1", "v2")}) == 2
    assert key_of(uploaded(**{"version-id": "v1"})) == key_of(uploaded(**{"version-id": "v1", "sequencer": "s2"}))
    assert key_of(uploaded(etag="e2")) != key_of(uploaded()) != key_of(uploaded(sequencer="s2"))


@pytest.mark.parametrize("key", ["reports/round-1.csv", "labels/tfm-1.csv", "labels/tfm-1/notes.txt", "labels/a b/x.csv"])
def test_upload_that_is_no_label_file_is_ignored(key: str) -> None:
    assert read(uploaded(key=key)) is None


@pytest.mark.parametrize("prefix", ["s3://bucket/team-a/", "s3://bucket-2/", "s3://bucket/labels/tfm-12/"])
def test_upload_outside_of_the_allowed_prefixes_is_ignored(prefix: str) -> None:
    assert read_command(UPLOAD, AllowedPrefixes.of([prefix])) is None
    assert read_command(uploaded(key="labels/tfm-1/" + "x" * 1024 + ".csv"), AllowedPrefixes.of([prefix])) is None


@pytest.mark.parametrize("key", ["labels/tfm-1/2026/11/round-1.csv", "a/labels/tfm-1/x.CSV", "labels/tfm-1/b/c/d/e.Csv"])
def test_upload_is_imported_from_any_depth_and_in_any_case(key: str) -> None:
    command = read(uploaded(key=key))
    assert command is not None
    assert (command.request.transform_id, key_of(uploaded(key=key))) == ("tfm-1", f"bucket/{key}/e1/s1")


@pytest.mark.parametrize(
    ("time", "sent_on"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", None),
        ("yesterday", None),
        (7, None),
        (None, None),
    ],
)
@pytest.mark.parametrize("event", [LABELING, IMPORT, UPLOAD], ids=["labeling", "import", "upload"])
def test_command_knows_when_it_was_sent(event: dict[str, Any], time: object, sent_on: datetime | None) -> None:
    command = read(event | {"time": time})
    assert command is not None
    assert command.sent_on == sent_on


@pytest.mark.parametrize(
    ("event", "pointers"),
    [
        (with_detail(LABELING, outputS3Path="s3://bucket/\ud800"), ["#/outputS3Path"]),
        (with_detail(LABELING, transformId="tfm-\udfff"), ["#/transformId"]),
        (with_detail(LABELING, idempotencyKey="\ud83d"), ["#/idempotencyKey"]),
        (with_detail(LABELING, more=["x", {"y": "\udc00"}]), ["#/more/1/y"]),
        (with_detail(LABELING, **{"\ud800": 1}), ["#"]),
        (LABELING | {"source": "planner\ud800"}, ["#"]),
        (uploaded(key="labels/tfm-1/\ud800.csv"), ["#/object/key"]),
        (uploaded(**{"version-id": "\ud800"}), ["#/object/version-id"]),
    ],
)
def test_half_a_surrogate_pair_is_refused_and_can_be_recorded(event: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(InvalidRequest) as invalid:
        read(event)
    assert [error.pointer for error in invalid.value.errors] == pointers
    recorded = refused_command(event, "INVALID_COMMAND", invalid.value.errors)
    assert all(text.encode() for text in (recorded.caller, recorded.path or "-", recorded.transform_id or "-"))


def test_whole_surrogate_pair_is_an_ordinary_character() -> None:
    assert read(json.loads(json.dumps(uploaded(key="labels/tfm-1/\U0001f600.csv")))) is not None


@pytest.mark.parametrize(
    ("event", "pointers"),
    [
        (LABELING | {"detail": "text"}, ["#"]),
        (LABELING | {"detail": None}, ["#"]),
        (LABELING | {"detail": {}}, ["#/transformId", "#/outputS3Path"]),
        (with_detail(LABELING, extra=1), ["#/extra"]),
        (with_detail(LABELING, **{"a/b~c": 1}), ["#/a~1b~0c"]),
        (with_detail(LABELING, idempotencyKey="a b"), ["#/idempotencyKey"]),
        (with_detail(LABELING, idempotencyKey=7), ["#/idempotencyKey"]),
        (with_detail(IMPORT, replaceAllLabels="yes"), ["#/replaceAllLabels"]),
        (UPLOAD | {"detail": {}}, ["#/bucket/name", "#/object/key", "#/object/etag"]),
        (UPLOAD | {"detail": {"bucket": "b", "object": 7}}, ["#/bucket/name", "#/object/key", "#/object/etag"]),
    ],
)
def test_malformed_command_names_its_fields_and_can_be_recorded(event: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(InvalidRequest) as invalid:
        read(event)
    assert [error.pointer for error in invalid.value.errors] == pointers
    bad = refused_command(event, "INVALID_COMMAND", invalid.value.errors)
    task_type = TaskType.LABELING_SET_GENERATION if event["detail-type"] == "StartLabelingSetRun" else TaskType.IMPORT_LABELS
    assert (bad.task_type, bad.causation_id) == (task_type, "m-1")


def test_bad_command_keeps_the_readable_fields() -> None:
    bad = refused_command(with_detail(LABELING, transformId="no/id", outputS3Path="x" * 2000), "INVALID_COMMAND", ())
    assert (bad.transform_id, bad.path) == (None, "x" * 1024)


def test_event_of_another_type_raises_value_error() -> None:
    with pytest.raises(ValueError, match="not a command"):
        read(LABELING | {"detail-type": "Something"})
