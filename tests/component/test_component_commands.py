"""Events in: commands and uploads, which key they have, what is refused for good and what is retried."""

from typing import Any

import pytest

from core.errors import QueueFull, TryAgainLater
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import HandlerHarness
from tests.component.samples import BUCKET, TRANSFORM, sample

SET, IMPORT, UPLOAD = "bus-start-labeling-set", "bus-start-import", "bus-upload"


def changed(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  members of an event's envelope
    return sample(name) | changes


def with_detail(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  members of an event's detail
    event = sample(name)
    return event | {"detail": event["detail"] | changes}


def with_object(name: str, **changes: str | None) -> dict[str, Any]:
    """An upload whose object has other members; None takes one away."""
    event = sample(name)
    members = event["detail"]["object"] | {one.replace("_", "-"): value for one, value in changes.items()}
    event["detail"]["object"] = {one: value for one, value in members.items() if value is not None}
    return event


def refusal(harness: HandlerHarness) -> str:
    """Why the only command was refused; nothing was started, and the event says so."""
    harness.deliver_stream()
    (event,) = harness.on_bus()
    assert event["detail-type"] == "TaskRunRefused"
    assert harness.nothing_was_started()
    item = harness.item()
    assert item["status"] == "REFUSED"
    assert event["detail"]["data"]["error"] == {"code": item["errorCode"], "message": item["errorMessage"]}
    return str(item["errorMessage"])


def test_a_key_of_its_own_makes_two_events_one_request(harness: HandlerHarness) -> None:
    for id_ in ("one", "two"):
        harness.event(changed(SET, id=id_))
    assert len(harness.glue_runs()) == len(harness.items()) == 1


def test_without_a_key_each_event_is_a_request(harness: HandlerHarness) -> None:
    for id_ in ("one", "two", "one"):
        harness.event(changed("bus-start-labeling-set-without-key", id=id_))
    assert len(harness.glue_runs()) == len(harness.items()) == 2


def test_a_null_key_is_no_key(harness: HandlerHarness) -> None:
    for id_ in ("one", "two"):
        harness.event(with_detail(SET, idempotencyKey=None) | {"id": id_})
    assert len(harness.glue_runs()) == 2


@pytest.mark.parametrize("key", ["", 0, False, "two words", "ü", "k" * 256, ["k"]])
def test_a_malformed_key_is_refused_and_not_replaced_by_the_event_s_id(harness: HandlerHarness, key: object) -> None:
    harness.event(with_detail(SET, idempotencyKey=key))
    assert "#/idempotencyKey must be 1 to 255 visible ASCII characters" in refusal(harness)


def test_the_same_key_from_another_source_or_account_is_another_request(harness: HandlerHarness) -> None:
    for event in (sample(SET), changed(SET, source="com.example.other"), changed(SET, account="210987654321")):
        harness.event(event)
    assert len(harness.glue_runs()) == 3


def test_the_same_key_with_another_payload_is_refused(harness: HandlerHarness) -> None:
    harness.event(sample(SET))
    harness.event(with_detail(SET, outputS3Path=f"s3://{BUCKET}/elsewhere/") | {"id": "another-message"})
    harness.deliver_stream()
    assert [event["detail-type"] for event in harness.on_bus()] == ["TaskRunStarted", "TaskRunRefused"]
    assert len(harness.glue_runs()) == 1


@pytest.mark.parametrize(
    ("event", "says"),
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
def test_a_malformed_command_is_refused_once_and_says_what_is_wrong(
    harness: HandlerHarness, event: dict[str, Any], says: str
) -> None:
    for _ in range(2):
        harness.event(event)
    assert says in refusal(harness)


def test_a_refused_run_s_event_names_the_transform_if_it_could_be_read(harness: HandlerHarness) -> None:
    harness.event(sample("bus-forbidden-path"))
    harness.event(with_detail(SET, transformId="no id at all"))
    harness.deliver_stream()
    named, nameless = harness.on_bus()
    assert named["resources"] == [f"arn:aws:glue:us-east-1:123456789012:mlTransform/{TRANSFORM}"]
    assert nameless["resources"] == []
    assert nameless["detail"]["data"]["transformId"] is None


def test_an_event_that_is_no_command_is_an_error_for_the_dead_letter_queue(harness: HandlerHarness) -> None:
    with pytest.raises(ValueError, match="not a command"):
        harness.event(changed(SET) | {"detail-type": "SomethingElse"})
    assert harness.items() == []


@pytest.mark.parametrize("name", [SET, UPLOAD])
def test_an_event_of_our_own_is_ignored(harness: HandlerHarness, name: str) -> None:
    harness.event(changed(name, source="glue-label-loop"))
    assert harness.items() == []
    assert harness.nothing_was_started()


def test_a_passing_fault_is_raised_and_the_next_delivery_starts_the_run(harness: HandlerHarness) -> None:
    harness.glue.faults.apply(FaultPlan((CallFault("StartMLLabelingSetGenerationTaskRun", "throttling"),), hold_runs=True))
    with pytest.raises(TryAgainLater):
        harness.event(sample(SET))
    assert harness.items() == []
    harness.event(sample(SET))
    assert len(harness.glue_runs()) == 1


def test_a_full_queue_is_raised_and_accepted_when_there_is_room(harness: HandlerHarness) -> None:
    for number in range(5):
        harness.event(with_detail(SET, idempotencyKey=f"key-{number}"))
    with pytest.raises(QueueFull):
        harness.event(sample(SET))
    assert [item["status"] for item in harness.items()].count("QUEUED") == 2


def test_the_same_version_of_an_upload_is_imported_once(harness: HandlerHarness) -> None:
    for id_ in ("one", "two"):
        harness.event(changed(UPLOAD, id=id_))
    assert len(harness.glue_runs()) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"version_id": "a"}, {"version_id": "b"}),
        ({"version_id": None, "sequencer": "01"}, {"version_id": None, "sequencer": "02"}),
        ({"version_id": None, "etag": "01"}, {"version_id": None, "etag": "02"}),
        ({"version_id": "null", "sequencer": "01"}, {"version_id": "null", "sequencer": "02"}),
    ],
)
def test_another_upload_to_the_same_place_is_another_import(
    harness: HandlerHarness, first: dict[str, str | None], second: dict[str, str | None]
) -> None:
    for object_ in (first, second):
        harness.event(with_object(UPLOAD, **object_))
    assert sorted(item["status"] for item in harness.items()) == ["QUEUED", "STARTING"]


@pytest.mark.parametrize(
    "key", [f"labels/{TRANSFORM}.csv", f"labels/{TRANSFORM}/deeper/x.csv", "labels/a b/x.csv", f"labels/{TRANSFORM}/x.CSV"]
)
def test_an_upload_elsewhere_is_ignored(harness: HandlerHarness, key: str) -> None:
    harness.event(with_object(UPLOAD, key=key))
    assert harness.items() == []
    assert harness.nothing_was_started()


def test_an_upload_that_is_no_labeling_file_is_refused_before_glue_is_asked(harness: HandlerHarness) -> None:
    harness.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/round-1.csv", Body=b"this,is\nno,labeling file\n")
    harness.event(sample(UPLOAD))
    harness.deliver_stream()
    assert [event["detail-type"] for event in harness.on_bus()] == ["TaskRunRefused"]
    assert harness.item()["errorMessage"] == "line 1: the header must begin with labeling_set_id,label"
    assert harness.nothing_was_started()


def test_an_empty_upload_is_refused(harness: HandlerHarness) -> None:
    harness.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/round-1.csv", Body=b"")
    harness.event(sample(UPLOAD))
    assert harness.item()["status"] == "REFUSED"
    assert harness.glue_runs() == []
