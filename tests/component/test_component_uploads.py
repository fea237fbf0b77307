"""Uploads whose object changed before its event, or before the import's turn; their order; and the names of their files."""

from typing import Any, Literal

import pytest

from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import BUCKET, TRANSFORM, sample
from tests.glue_emulator.people import TWO_SETS, label_file

VersioningStatus = Literal["Enabled", "Suspended"]
KEY = f"labels/{TRANSFORM}/round-1.csv"
OTHER_SETS = label_file([("t1", "A", "p04a"), ("t1", "A", "p04b"), ("t1", "B", "p05a")])


def upload(harness: HandlerHarness, body: bytes, key: str = KEY) -> dict[str, Any]:
    """Put the object, and return the event that S3 sends for it: with a version id only in a bucket that keeps versions."""
    response = harness.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    event = sample("bus-upload")
    members = {"key": key, "size": len(body), "etag": response["ETag"].strip('"'), "sequencer": f"{len(body):018X}"}
    if "VersionId" in response:
        members["version-id"] = response["VersionId"]
    return event | {"id": f"{key} {members}"[:200], "detail": event["detail"] | {"object": members}}


def set_versioning(harness: HandlerHarness, status: VersioningStatus) -> None:
    harness.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


def outcomes(harness: HandlerHarness) -> list[tuple[object, object]]:
    """Status and error code of each run, in order of status."""
    return sorted((str(item["status"]), str(item.get("errorCode"))) for item in harness.items())


@pytest.mark.parametrize("versioning", ["Enabled", "Suspended", None])
def test_older_event_after_the_newer_one_is_refused_and_the_newer_one_imported_once(
    harness: HandlerHarness, versioning: VersioningStatus | None
) -> None:
    if versioning:
        set_versioning(harness, versioning)
    older, newer = upload(harness, TWO_SETS), upload(harness, OTHER_SETS)
    for event in (newer, older, newer, older):
        harness.command(event)
    assert outcomes(harness) == [("REFUSED", "LABEL_FILE_SUPERSEDED"), ("STARTING", "None")]
    assert len(harness.glue_runs()) == 1
    (refused,) = [item for item in harness.items() if item["status"] == "REFUSED"]
    assert "upload them again, under a name of their own" in str(refused["errorMessage"])


@pytest.mark.parametrize("versioning", ["Enabled", "Suspended", None])
def test_upload_that_is_deleted_before_its_event_is_refused_by_name(
    harness: HandlerHarness, versioning: VersioningStatus | None
) -> None:
    if versioning:
        set_versioning(harness, versioning)
    event = upload(harness, TWO_SETS)
    harness.s3.delete_object(Bucket=BUCKET, Key=KEY)
    harness.command(event)
    assert outcomes(harness) == [("REFUSED", "INVALID_LABEL_FILE")]
    assert harness.only_item()["errorMessage"] == f"there is no object s3://{BUCKET}/{KEY}"
    assert harness.nothing_was_started()


def test_upload_that_is_deleted_while_it_waits_is_refused_in_its_turn(harness: HandlerHarness) -> None:
    harness.command(sample("bus-upload-unversioned"))  # another file, whose import holds this one up
    harness.command(upload(harness, TWO_SETS))
    harness.s3.delete_object(Bucket=BUCKET, Key=KEY)
    harness.run_glue_until("FAILED", "REFUSED")  # the first one fails, as the transform's table has no rows here
    assert outcomes(harness)[1] == ("REFUSED", "INVALID_LABEL_FILE")


def test_upload_whose_version_was_deleted_does_not_import_the_one_before_it(harness: HandlerHarness) -> None:
    set_versioning(harness, "Enabled")
    upload(harness, TWO_SETS)
    event = upload(harness, OTHER_SETS)
    harness.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=event["detail"]["object"]["version-id"])
    harness.command(event)
    assert outcomes(harness) == [("REFUSED", "LABEL_FILE_SUPERSEDED")]
    assert harness.nothing_was_started()


@pytest.mark.parametrize(
    "name", ["a b.csv", "a+b.csv", "a%20b.csv", "re\u0301sume\u0301.csv", "\U0001f600.csv", "2026/11/r.CSV"]
)
def test_file_is_imported_under_the_very_name_of_the_event(harness: HandlerHarness, name: str) -> None:
    key = f"labels/{TRANSFORM}/{name}"
    harness.command(upload(harness, TWO_SETS, key))
    assert (harness.only_item()["status"], harness.only_item()["path"]) == ("STARTING", f"s3://{BUCKET}/{key}")


@pytest.mark.parametrize("bucket", ["somebody-elses-bucket", f"{BUCKET}-2"])
def test_upload_in_another_bucket_is_ignored(harness: HandlerHarness, bucket: str) -> None:
    event = sample("bus-upload")
    harness.command(event | {"detail": event["detail"] | {"bucket": {"name": bucket}}})
    assert harness.items() == []
