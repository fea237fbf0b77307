"""What an event from EventBridge asks for."""

from typing import Any

import pytest

from core.errors import InvalidRequest
from core.requests import LabelImportRequest, LabelingSetRequest
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
    "detail": {"transformId": "tfm-1", "inputS3Path": "s3://bucket/one.csv", "replaceAllLabels": True},
}
OBJECT = {"key": "labels/tfm-1/one.csv", "etag": "e1", "sequencer": "s1"}
UPLOAD = LABELING | {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "bucket"}, "object": OBJECT},
}


def uploaded(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    return UPLOAD | {"detail": {"bucket": {"name": "bucket"}, "object": OBJECT | changes}}


def with_detail(event: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    return event | {"detail": event["detail"] | changes}


def key_of(event: dict[str, Any]) -> str:
    order = read_command(event)
    assert order is not None
    return order.key


def test_the_two_commands() -> None:
    labeling, importing = read_command(LABELING), read_command(IMPORT)
    assert labeling is not None
    assert importing is not None
    assert labeling.request == LabelingSetRequest(transform_id="tfm-1", output_s3_path="s3://bucket/sets")
    assert importing.request == LabelImportRequest(
        transform_id="tfm-1", input_s3_path="s3://bucket/one.csv", replace_all_labels=True
    )
    assert (labeling.caller, labeling.causation_id) == ("events:1:planner", "m-1")


def test_the_key_is_the_callers_or_the_envelopes_id() -> None:
    assert key_of(LABELING) == "m-1"
    assert key_of(with_detail(LABELING, idempotencyKey="mine")) == "mine"


def test_an_upload_starts_an_import_that_appends() -> None:
    order = read_command(UPLOAD)
    assert order is not None
    assert order.request == LabelImportRequest(transform_id="tfm-1", input_s3_path="s3://bucket/labels/tfm-1/one.csv")
    assert order.caller == "s3:bucket"


def test_an_uploads_key_tells_versions_apart_and_deliveries_not() -> None:
    assert key_of(uploaded()) == key_of(uploaded() | {"id": "m-2"})
    assert len({key_of(uploaded(**{"version-id": version})) for version in ("v1", "v2")}) == 2
    assert key_of(uploaded(**{"version-id": "v1"})) == key_of(uploaded(**{"version-id": "v1", "sequencer": "s2"}))
    assert key_of(uploaded(etag="e2")) != key_of(uploaded()) != key_of(uploaded(sequencer="s2"))


def test_an_upload_elsewhere_is_none_of_ours() -> None:
    assert read_command(uploaded(key="reports/one.csv")) is None


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
def test_a_malformed_command_says_what_is_wrong_and_can_be_put_on_record(event: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(InvalidRequest) as invalid:
        read_command(event)
    assert [error.pointer for error in invalid.value.errors] == pointers
    bad = refused_command(event, "INVALID_COMMAND", invalid.value.errors)
    kind = TaskType.LABELING_SET_GENERATION if event["detail-type"] == "StartLabelingSetRun" else TaskType.IMPORT_LABELS
    assert (bad.task_type, bad.causation_id) == (kind, "m-1")


def test_a_bad_command_keeps_what_could_be_read() -> None:
    bad = refused_command(with_detail(LABELING, transformId="no/id", outputS3Path="x" * 2000), "INVALID_COMMAND", ())
    assert (bad.transform_id, bad.path) == (None, "x" * 1024)


def test_what_is_no_command_is_a_fault_of_the_rule() -> None:
    with pytest.raises(ValueError, match="not a command"):
        read_command(LABELING | {"detail-type": "Something"})
