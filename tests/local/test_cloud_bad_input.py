"""Bad input at every door of the deployed system: a clear answer, and nothing started."""

import json
from collections.abc import Iterator

import pytest

from label_loop.api import ApiClient
from local.cloud.stack import Stack
from tests.local.helpers import EventLog, assert_problem, eventually

KEY = {"Idempotency-Key": "bad-input"}
JSON = {"Content-Type": "application/json"}
SETS, IMPORTS = "/v1/labeling-set-runs", "/v1/label-import-runs"


@pytest.fixture(autouse=True)
def nothing_starts(stack: Stack, transform_id: str) -> Iterator[None]:
    glue = stack.client("glue")
    before = len(glue.get_ml_task_runs(TransformId=transform_id)["TaskRuns"])
    yield
    assert len(glue.get_ml_task_runs(TransformId=transform_id)["TaskRuns"]) == before


def asked(stack: Stack, transform_id: str) -> dict[str, object]:
    return {"transformId": transform_id, "outputS3Path": f"s3://{stack.bucket}/sets/"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/elsewhere/altogether", 404),
        ("GET", f"{SETS}", 405),
        ("DELETE", "/v1/task-runs/0123456789abcdef0123456789abcdef", 405),
        ("GET", "/v1/task-runs/0123456789abcdef0123456789abcdef", 404),
        ("POST", "/v1/task-runs/0123456789abcdef0123456789abcdef/cancellation", 404),
        ("GET", "/v1/task-runs?cursor=nonsense", 400),
    ],
)
def test_wrong_method_or_path(api: ApiClient, method: str, path: str, status: int) -> None:
    assert_problem(api.request(method, path), status)


def test_no_key(api: ApiClient, stack: Stack, transform_id: str) -> None:
    assert_problem(api.request("POST", SETS, asked(stack, transform_id)), 400)


def test_no_json(api: ApiClient) -> None:
    assert_problem(api.request("POST", SETS, "{", KEY | JSON), 400)


def test_another_content_type(api: ApiClient) -> None:
    assert_problem(api.request("POST", SETS, "transformId=x", KEY | {"Content-Type": "text/plain"}), 415)


def test_a_body_of_the_wrong_shape_is_told_field_by_field(api: ApiClient) -> None:
    answer = api.request("POST", SETS, {"transformId": 7}, KEY)
    assert_problem(answer, 422)
    assert {error["pointer"] for error in answer.body["errors"]} == {"#/transformId", "#/outputS3Path"}


@pytest.mark.parametrize("path", ["s3://somebody-elses/x/", "/etc/passwd", "s3://label-loop-data/../x/"])
def test_a_path_that_is_not_allowed(api: ApiClient, transform_id: str, path: str) -> None:
    answer = api.request("POST", SETS, {"transformId": transform_id, "outputS3Path": path}, KEY)
    assert_problem(answer, 422)
    assert [error["pointer"] for error in answer.body["errors"]] == ["#/outputS3Path"]


def test_a_transform_that_glue_does_not_know(api: ApiClient, stack: Stack) -> None:
    answer = api.request("POST", SETS, asked(stack, "tfm-unknown"), {"Idempotency-Key": "unknown-transform"})
    assert_problem(answer, 404)
    run = api.list_task_runs(transformId="tfm-unknown").body["items"][0]
    assert (run["status"], run["error"]["code"]) == ("REFUSED", "EntityNotFoundException")


def test_a_label_file_that_does_not_exist(api: ApiClient, stack: Stack, transform_id: str) -> None:
    body = {"transformId": transform_id, "inputS3Path": f"s3://{stack.bucket}/labels/none.csv"}
    assert_problem(api.request("POST", IMPORTS, body, {"Idempotency-Key": "no-such-file"}), 422)


def test_no_signature(stack: Stack) -> None:
    assert_problem(ApiClient(stack.api_url, stack.env["AWS_REGION"], None).list_task_runs(), 403)


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("StartLabelingSetRun", {"outputS3Path": "s3://label-loop-data/no-transform/"}),
        ("StartLabelingSetRun", {"transformId": "tfm-x", "outputS3Path": "s3://somebody-elses/bus/"}),
        ("StartLabelImportRun", {"transformId": "tfm-x", "inputS3Path": "s3://somebody-elses/bus.csv"}),
    ],
)
def test_a_command_that_cannot_be_carried_out_ends_in_an_event(
    stack: Stack, event_log: EventLog, kind: str, detail: dict[str, str]
) -> None:
    _send(stack, "tests", kind, detail)
    paths = {name: value for name, value in detail.items() if name.endswith("S3Path")}
    event = eventually(lambda: said[0] if (said := event_log.with_run_fields(**paths)) else None)
    assert event["detail-type"] == "TaskRunRefused"
    assert event["detail"]["data"]["error"]["message"]


def test_a_command_that_claims_to_come_from_ourselves_is_not_heard(
    stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog
) -> None:
    before = api.list_task_runs(transformId=transform_id).body["items"]
    _send(stack, "glue-label-loop", "StartLabelingSetRun", asked(stack, transform_id))
    marker = {"outputS3Path": "s3://somebody-elses/marker/", "transformId": "tfm-x"}
    _send(stack, "tests", "StartLabelingSetRun", marker)
    eventually(lambda: event_log.with_run_fields(outputS3Path=marker["outputS3Path"]) or None)
    assert api.list_task_runs(transformId=transform_id).body["items"] == before


def test_an_upload_for_a_transform_that_glue_does_not_know_is_refused(stack: Stack, event_log: EventLog) -> None:
    stack.client("s3").put_object(Bucket=stack.bucket, Key="labels/tfm-nobodys/x.csv", Body=b"labeling_set_id,label\n")
    path = f"s3://{stack.bucket}/labels/tfm-nobodys/x.csv"
    event = eventually(lambda: said[0] if (said := event_log.with_run_fields(inputS3Path=path)) else None)
    assert event["detail-type"] == "TaskRunRefused"


def _send(stack: Stack, source: str, kind: str, detail: object) -> None:
    entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail), "EventBusName": stack.env["EVENT_BUS_NAME"]}
    assert stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
