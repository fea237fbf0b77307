"""Label files are checked before Glue is called; a replacing import can export the existing labels first."""

import time

import pytest

from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import BUCKET, TRANSFORM, rest_sample, sample
from tests.glue_emulator.people import COLUMNS, ROWS, TWO_SETS, csv_text

IMPORT = "api-start-import"
KEY = f"labels/{TRANSFORM}/round-1.csv"
FILE = {"transformId": TRANSFORM, "inputS3Path": f"s3://{BUCKET}/{KEY}"}


def put(harness: HandlerHarness, body: bytes) -> None:
    harness.s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)


def tick_until_all_succeeded(harness: HandlerHarness) -> None:
    deadline = time.monotonic() + 60
    while (statuses := {item["status"] for item in harness.items()}) != {"SUCCEEDED"}:
        assert time.monotonic() < deadline, statuses
        time.sleep(0.05)
        harness.reconcile()


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (b"", "the file has 0 bytes"),
        (b"x" * (10 * 1024 * 1024 + 1), "the file has 10485761 bytes"),
        (b"id,name\n1,Ann\n", "line 1: the header must begin with labeling_set_id,label"),
        (b"labeling_set_id,label,id\na,1,1\na,1,2\n", "line 1: the transform's column"),
        (TWO_SETS + b"lonely,x,1\n", "line"),
    ],
    ids=["empty", "too large", "no label file", "missing columns", "wrong cells"],
)
def test_invalid_label_file_returns_422_with_line_numbers_and_starts_nothing(
    harness: HandlerHarness, body: bytes, finding: str
) -> None:
    put(harness, body)
    response = harness.rest(rest_sample(IMPORT, body=FILE))
    assert (response.status, response.body["title"]) == (422, "Invalid label file")
    assert any(error["detail"].startswith(finding) for error in response.body["errors"])
    assert {error["pointer"] for error in response.body["errors"]} == {"#/inputS3Path"}
    assert harness.nothing_was_started()
    assert harness.only_item()["status"] == "REFUSED"


def test_upload_of_an_invalid_label_file_ends_in_a_refused_event(harness: HandlerHarness) -> None:
    put(harness, b"id,name\n1,Ann\n")
    harness.command(sample("bus-upload"))
    harness.deliver_stream()
    (event,) = harness.published_events()
    assert event["detail-type"] == "TaskRunRefused"
    assert event["detail"]["data"]["error"]["code"] == "INVALID_LABEL_FILE"
    assert harness.nothing_was_started()


def test_replacing_import_warns_or_exports_the_existing_labels_first(harness: HandlerHarness) -> None:
    harness.s3.put_object(Bucket=BUCKET, Key="people/part-0.csv", Body=csv_text(ROWS, COLUMNS))
    harness.rest(rest_sample(IMPORT, key="first", body=FILE))
    harness.run_glue_until("SUCCEEDED")

    plain = harness.rest(rest_sample(IMPORT, key="plain", body=FILE | {"replaceAllLabels": True}))
    assert plain.body["warning"].startswith("removes ")
    tick_until_all_succeeded(harness)

    safe = FILE | {"replaceAllLabels": True, "exportTo": f"s3://{BUCKET}/backups"}
    response = harness.rest(rest_sample(IMPORT, key="safe", body=safe))
    assert (response.status, response.body["status"]) == (202, "QUEUED")
    assert response.body["exportTo"] == f"s3://{BUCKET}/backups/{response.body['id']}/"
    assert "warning" not in response.body
    tick_until_all_succeeded(harness)

    kinds = [run["Properties"]["TaskType"] for run in harness.glue_runs()]
    assert sorted(kinds) == ["EXPORT_LABELS", "IMPORT_LABELS", "IMPORT_LABELS", "IMPORT_LABELS"]
    listed = harness.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"backups/{response.body['id']}/")
    (exported,) = listed["Contents"]
    body = harness.s3.get_object(Bucket=BUCKET, Key=exported["Key"])["Body"].read()
    assert body.startswith(b"labeling_set_id,label,")


def test_export_to_requires_replace_all_labels(harness: HandlerHarness) -> None:
    response = harness.rest(rest_sample(IMPORT, body=FILE | {"exportTo": f"s3://{BUCKET}/backups"}))
    assert response.status == 422
    assert response.body["errors"][0]["pointer"] == "#/exportTo"
    assert harness.nothing_was_started()
    assert harness.items() == []
