"""Label files are checked before Glue is called; a replacing import can export the existing labels first."""

import time

import pytest

from tests.component.aws_errors import AwsError
from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import BUCKET, TRANSFORM, get_run, rest_sample, sample
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


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (AwsError("InvalidObjectState", 403), "restore it"),
        (AwsError("AccessDenied", 403), "s3:GetObject"),
        (AwsError("KMS.DisabledException", 400), "enable the key"),
        (AwsError("InvalidRequest", 400), "SSE-C"),
        (AwsError("PermanentRedirect", 301), "another region"),
    ],
    ids=lambda value: value.code if isinstance(value, AwsError) else "",
)
def test_label_file_that_s3_refuses_for_good_returns_422_with_the_remedy(
    harness: HandlerHarness, error: AwsError, remedy: str
) -> None:
    harness.aws_errors.by_operation["GetObject"] = error
    response = harness.rest(rest_sample(IMPORT, body=FILE))
    assert (response.status, response.body["title"]) == (422, "Label file not readable")
    (problem,) = response.body["errors"]
    assert problem["pointer"] == "#/inputS3Path"
    assert remedy in problem["detail"]
    assert error.code in problem["detail"]
    run = harness.rest(get_run(harness.only_item()["id"])).body
    assert (run["status"], run["error"]["code"]) == ("REFUSED", error.code)
    assert harness.nothing_was_started()
    harness.deliver_stream()
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunRefused"]
    del harness.aws_errors.by_operation["GetObject"]
    assert harness.rest(rest_sample(IMPORT, body=FILE)).body["status"] == "STARTING", (
        "the cause removed, the same key starts it"
    )


@pytest.mark.parametrize(
    "error",
    [AwsError("SlowDown", 503), AwsError("RequestTimeout", 400), AwsError("ExpiredToken", 400), AwsError("InternalError", 500)],
    ids=lambda error: error.code,
)
def test_label_file_that_s3_cannot_serve_now_returns_503(harness: HandlerHarness, error: AwsError) -> None:
    harness.aws_errors.by_operation["GetObject"] = error
    response = harness.rest(rest_sample(IMPORT, body=FILE))
    assert response.status == 503
    assert response.headers["retry-after"]
    assert harness.items() == []


def test_missing_right_to_the_transform_returns_422_and_names_the_right(harness: HandlerHarness) -> None:
    harness.aws_errors.by_operation["GetMLTransform"] = AwsError("AccessDeniedException", 400)
    response = harness.rest(rest_sample(IMPORT, body=FILE))
    assert (response.status, response.body["title"]) == (422, "Refused by Glue")
    assert "glue:GetMLTransform" in response.body["detail"]
    assert harness.only_item()["status"] == "REFUSED"


def test_command_whose_file_s3_refuses_is_not_retried(harness: HandlerHarness) -> None:
    harness.aws_errors.by_operation["GetObject"] = AwsError("InvalidObjectState", 403)
    harness.command(sample("bus-start-import"))
    assert harness.only_item()["status"] == "REFUSED"


def test_refused_file_at_the_head_of_the_queue_lets_the_next_one_go_on(harness: HandlerHarness) -> None:
    for number in range(2):
        harness.rest(rest_sample(IMPORT, key=f"key-{number}", body=FILE))
    harness.aws_errors.by_operation["HeadObject"] = AwsError("403", 403)
    harness.aws_errors.by_operation["GetObject"] = AwsError("AccessDenied", 403)
    harness.run_glue_until("FAILED", "REFUSED")  # the samples' table has no rows that could be labeled
    assert harness.items_by_request_time()[1]["errorCode"] == "AccessDenied"


def test_file_that_cannot_be_read_now_waits_and_says_so(harness: HandlerHarness) -> None:
    _, run = (harness.rest(rest_sample(IMPORT, key=f"key-{number}", body=FILE)).body for number in range(2))
    harness.aws_errors.by_operation["HeadObject"] = AwsError("503", 503)
    harness.aws_errors.by_operation["GetObject"] = AwsError("SlowDown", 503)
    harness.run_glue_until("FAILED", "QUEUED")
    harness.reconcile()
    assert harness.rest(get_run(run["id"])).body["waitingFor"]["reason"] == "FILE_UNREADABLE"
    harness.aws_errors.by_operation.clear()
    harness.run_glue_until("FAILED", "FAILED")


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
