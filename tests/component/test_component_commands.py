"""Commands and uploads: their keys, what is refused for good and what is retried."""

import json
from typing import Any

import pytest

from core.errors import TryAgainLater
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import ACCOUNT, BUCKET, TRANSFORM, sample
from tests.glue_emulator.people import TWO_SETS, label_file

SET, IMPORT, UPLOAD = "bus-start-labeling-set", "bus-start-import", "bus-upload"
OTHER_SETS = label_file([("t1", "A", "p04a"), ("t1", "A", "p04b"), ("t1", "B", "p05a")])
SOURCE_CALLER = f"events:{ACCOUNT}:com.example.planner"


def changed(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  members of an event's envelope
    return sample(name) | changes


def with_detail(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  members of an event's detail
    event = sample(name)
    return event | {"detail": event["detail"] | changes}


def with_object(name: str, **changes: str | None) -> dict[str, Any]:
    """An upload whose object has other members; None removes one."""
    event = sample(name)
    members = event["detail"]["object"] | {name.replace("_", "-"): value for name, value in changes.items()}
    event["detail"]["object"] = {name: value for name, value in members.items() if value is not None}
    return event


def refusal(harness: HandlerHarness) -> str:
    """The reason why the only command was refused. Checks that its event has the reason and that nothing was started."""
    harness.deliver_stream()
    (event,) = harness.published_events()
    assert event["detail-type"] == "TaskRunRefused"
    assert harness.nothing_was_started()
    item = harness.only_item()
    assert item["status"] == "REFUSED"
    assert event["detail"]["data"]["error"] == {"code": item["errorCode"], "message": item["errorMessage"]}
    return str(item["errorMessage"])


def test_events_with_the_same_key_start_one_run(harness: HandlerHarness) -> None:
    for id_ in ("event-1", "event-2"):
        harness.command(changed(SET, id=id_))
    assert len(harness.glue_runs()) == len(harness.items()) == 1


def test_event_without_a_key_is_identified_by_its_id(harness: HandlerHarness) -> None:
    for id_ in ("event-1", "event-2", "event-1"):
        harness.command(changed("bus-start-labeling-set-without-key", id=id_))
    assert len(harness.glue_runs()) == len(harness.items()) == 2


def test_null_key_counts_as_missing(harness: HandlerHarness) -> None:
    for id_ in ("event-1", "event-2"):
        harness.command(with_detail(SET, idempotencyKey=None) | {"id": id_})
    assert len(harness.glue_runs()) == 2


@pytest.mark.parametrize("key", ["", 0, False, "two words", "ü", "k" * 256, ["k"]])
def test_malformed_key_is_refused_and_the_event_id_is_not_used_instead(harness: HandlerHarness, key: object) -> None:
    harness.command(with_detail(SET, idempotencyKey=key))
    assert "#/idempotencyKey must be 1 to 255 visible ASCII characters" in refusal(harness)


def test_same_key_from_another_source_or_account_starts_another_run(harness: HandlerHarness) -> None:
    for event in (sample(SET), changed(SET, source="com.example.other"), changed(SET, account="210987654321")):
        harness.command(event)
    assert len(harness.glue_runs()) == 3


def test_same_key_with_another_payload_is_refused(harness: HandlerHarness) -> None:
    harness.command(sample(SET))
    harness.command(with_detail(SET, outputS3Path=f"s3://{BUCKET}/elsewhere/") | {"id": "another-message"})
    harness.deliver_stream()
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunStarted", "TaskRunRefused"]
    assert len(harness.glue_runs()) == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (with_detail(SET, transformId=None), "#/transformId"),
        (with_detail(SET, outputS3Path="not a path"), "#/outputS3Path must be of the form s3://bucket/key"),
        (with_detail(SET, surprise=1), "#/surprise is not a field of this request"),
        (with_detail(IMPORT, replaceAllLabels="yes"), "#/replaceAllLabels"),
        (with_detail(IMPORT, inputS3Path=f"s3://{BUCKET}/labels/"), "#/inputS3Path must name one S3 object"),
        (changed(SET, detail={}), "#/transformId is required; #/outputS3Path is required"),
        (changed(SET, detail=[]), "the event's detail must be an object"),
        (changed(SET, detail="text"), "the event's detail must be an object"),
        (changed(UPLOAD, detail={}), "#/bucket/name is required"),
        (with_object(UPLOAD, etag=None, version_id=None), "#/object/etag is required"),
    ],
)
def test_malformed_command_is_refused_once_with_the_reason(
    harness: HandlerHarness, event: dict[str, Any], message: str
) -> None:
    for _ in range(2):
        harness.command(event)
    assert message in refusal(harness)


def test_event_of_a_refused_command_names_the_transform_if_readable(harness: HandlerHarness) -> None:
    harness.command(sample("bus-forbidden-path"))
    harness.command(with_detail(SET, transformId="no id at all"))
    harness.deliver_stream()
    readable, unreadable = harness.published_events()
    assert readable["resources"] == [f"arn:aws:glue:us-east-1:123456789012:mlTransform/{TRANSFORM}"]
    assert unreadable["resources"] == []
    assert unreadable["detail"]["data"]["transformId"] is None


def test_event_that_is_not_a_command_raises_for_the_dead_letter_queue(harness: HandlerHarness) -> None:
    with pytest.raises(ValueError, match="not a command"):
        harness.command(changed(SET) | {"detail-type": "SomethingElse"})
    assert harness.items() == []


@pytest.mark.parametrize("name", [SET, UPLOAD])
def test_event_of_this_service_is_ignored(harness: HandlerHarness, name: str) -> None:
    harness.command(changed(name, source="glue-label-loop"))
    assert harness.items() == []
    assert harness.nothing_was_started()


def test_temporary_fault_is_raised_and_the_next_delivery_starts_the_run(harness: HandlerHarness) -> None:
    harness.glue.faults.apply(FaultPlan((CallFault("StartMLLabelingSetGenerationTaskRun", "throttling"),), hold_runs=True))
    with pytest.raises(TryAgainLater):
        harness.command(sample(SET))
    assert harness.items() == []
    harness.command(sample(SET))
    assert len(harness.glue_runs()) == 1


def test_command_at_a_full_queue_ends_in_an_event_and_may_be_sent_again(harness: HandlerHarness) -> None:
    for number in range(5):
        harness.command(with_detail(SET, idempotencyKey=f"key-{number}"))
    harness.command(sample(SET))
    harness.command(sample(SET))  # delivered twice
    (refused,) = [item for item in harness.items() if item["status"] == "REFUSED"]
    assert refused["errorCode"] == "QUEUE_FULL"
    assert "when some of them have ended" in str(refused["errorMessage"])
    assert [item["status"] for item in harness.items()].count("QUEUED") == 2
    harness.deliver_stream()
    assert [event["detail-type"] for event in harness.published_events()].count("TaskRunRefused") == 1

    harness.run_glue_until(*["FAILED"] * 5, "REFUSED")  # the transform's table has no rows here
    harness.command(changed(SET, id="sent-again"))
    assert sorted(str(item["status"]) for item in harness.items() if item["id"] == refused["id"]) == ["STARTING"]


def test_same_version_of_an_upload_is_imported_once(harness: HandlerHarness) -> None:
    for id_ in ("event-1", "event-2"):
        harness.command(changed(UPLOAD, id=id_))
    assert len(harness.glue_runs()) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"version_id": "a"}, {"version_id": "b"}),
        ({"version_id": None, "sequencer": "01"}, {"version_id": None, "sequencer": "02"}),
        ({"version_id": "null", "sequencer": "01"}, {"version_id": "null", "sequencer": "02"}),
    ],
)
def test_new_upload_to_the_same_key_starts_another_import(
    harness: HandlerHarness, first: dict[str, str | None], second: dict[str, str | None]
) -> None:
    for object_ in (first, second):
        harness.command(with_object(UPLOAD, **object_))
    assert sorted(item["status"] for item in harness.items()) == ["QUEUED", "STARTING"]


def test_new_content_under_the_same_key_starts_another_import(harness: HandlerHarness) -> None:
    harness.command(with_object(UPLOAD, version_id=None))
    harness.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/round-1.csv", Body=OTHER_SETS)
    harness.command(with_object(UPLOAD, version_id=None))
    assert sorted(item["status"] for item in harness.items()) == ["QUEUED", "STARTING"]


def test_overwritten_upload_is_refused_and_the_newer_one_imported_once(harness: HandlerHarness) -> None:
    harness.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    key = f"labels/{TRANSFORM}/round-1.csv"
    first, second = (harness.s3.put_object(Bucket=BUCKET, Key=key, Body=body)["VersionId"] for body in (TWO_SETS, OTHER_SETS))
    for version in (first, second, second):
        harness.command(with_object(UPLOAD, version_id=version))
    (refused,) = [item for item in harness.items() if item["status"] == "REFUSED"]
    assert refused["errorCode"] == "LABEL_FILE_SUPERSEDED"
    assert "replaced by a newer one, whose own event imports it" in str(refused["errorMessage"])
    (started,) = [item for item in harness.items() if item["status"] == "STARTING"]
    assert started["pin"] == second
    assert len(harness.glue_runs()) == 1
    harness.deliver_stream()
    assert sorted(event["detail-type"] for event in harness.published_events()) == ["TaskRunRefused", "TaskRunStarted"]


def test_upload_that_is_overwritten_while_it_waits_is_refused_in_its_turn(harness: HandlerHarness) -> None:
    harness.command(sample("bus-upload-unversioned"))  # another file, whose import holds this one up
    harness.command(with_object(UPLOAD, version_id=None))
    harness.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/round-1.csv", Body=OTHER_SETS)
    harness.run_glue_until("FAILED", "REFUSED")  # the first one fails, as the transform's table has no rows here
    assert [item.get("errorCode") for item in harness.items()] == ["GLUE_FAILED", "LABEL_FILE_SUPERSEDED"]


@pytest.mark.parametrize(
    "key", [f"labels/{TRANSFORM}.csv", f"labels/{TRANSFORM}/deeper/x.txt", "labels/a b/x.csv", f"labels/{TRANSFORM}/x.csv.gz"]
)
def test_upload_outside_of_a_label_folder_is_ignored(harness: HandlerHarness, key: str) -> None:
    harness.command(with_object(UPLOAD, key=key))
    assert harness.items() == []
    assert harness.nothing_was_started()


def test_upload_that_is_not_a_label_file_is_refused_before_glue_is_called(harness: HandlerHarness) -> None:
    harness.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/round-1.csv", Body=b"this,is\nno,labeling file\n")
    harness.command(sample(UPLOAD))
    harness.deliver_stream()
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunRefused"]
    assert harness.only_item()["errorMessage"] == "line 1: the header must begin with labeling_set_id,label"
    assert harness.nothing_was_started()


def test_empty_upload_is_refused(harness: HandlerHarness) -> None:
    harness.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/round-1.csv", Body=b"")
    harness.command(sample(UPLOAD))
    assert harness.only_item()["status"] == "REFUSED"
    assert harness.glue_runs() == []


@pytest.mark.parametrize(
    ("name", "caller"),
    [(SET, SOURCE_CALLER), (IMPORT, SOURCE_CALLER), (UPLOAD, f"s3:{BUCKET}")],
)
def test_source_or_bucket_may_name_only_its_own_transforms(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch, name: str, caller: str
) -> None:
    monkeypatch.setenv("CALLER_TRANSFORMS", json.dumps({caller: ["tfm-a*", "tfm-b"], "*": ["*"]}))
    harness.command(sample(name))
    assert refusal(harness) == "#/transformId is not allowed for this caller; allowed: tfm-a*, tfm-b"
    assert (harness.only_item()["errorCode"], harness.only_item()["transformId"]) == ("INVALID_COMMAND", TRANSFORM)
