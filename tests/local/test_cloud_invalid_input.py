"""Invalid input at every entry point of the deployed system: a clear response, and nothing started."""

from collections.abc import Iterator

import pytest

from label_loop.api import ApiClient
from local.cloud.stack import Stack
from tests.local.helpers import EventLog, assert_problem, eventually, publish

KEY = {"Idempotency-Key": "bad-input"}
JSON = {"Content-Type": "application/json"}
SETS, IMPORTS = "/v1/labeling-set-runs", "/v1/label-import-runs"


@pytest.fixture(autouse=True)
def nothing_starts(stack: Stack, transform_id: str) -> Iterator[None]:
    glue = stack.client("glue")
    before = len(glue.get_ml_task_runs(TransformId=transform_id)["TaskRuns"])
    yield
    assert len(glue.get_ml_task_runs(TransformId=transform_id)["TaskRuns"]) == before


def start_body(stack: Stack, transform_id: str) -> dict[str, object]:
    return {"transformId": transform_id, "outputS3Path": f"s3://{stack.bucket}/sets/"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/unknown/path", 404),
        ("GET", f"{SETS}", 405),
        ("DELETE", "/v1/task-runs/0123456789abcdef0123456789abcdef", 405),
        ("GET", "/v1/task-runs/0123456789abcdef0123456789abcdef", 404),
        ("POST", "/v1/task-runs/0123456789abcdef0123456789abcdef/cancellation", 404),
        ("GET", "/v1/task-runs?cursor=nonsense", 400),
    ],
)
def test_wrong_method_or_path_is_a_problem(api: ApiClient, method: str, path: str, status: int) -> None:
    assert_problem(api.request(method, path), status)


def test_missing_idempotency_key_is_a_problem(api: ApiClient, stack: Stack, transform_id: str) -> None:
    assert_problem(api.request("POST", SETS, start_body(stack, transform_id)), 400)


def test_invalid_json_is_a_problem(api: ApiClient) -> None:
    assert_problem(api.request("POST", SETS, "{", KEY | JSON), 400)


def test_other_content_type_is_a_problem(api: ApiClient) -> None:
    assert_problem(api.request("POST", SETS, "transformId=x", KEY | {"Content-Type": "text/plain"}), 415)


def test_each_invalid_field_is_named(api: ApiClient) -> None:
    response = api.request("POST", SETS, {"transformId": 7}, KEY)
    assert_problem(response, 422)
    assert {error["pointer"] for error in response.body["errors"]} == {"#/transformId", "#/outputS3Path"}


@pytest.mark.parametrize("path", ["s3://another-bucket/x/", "/etc/passwd", "s3://label-loop-data/../x/"])
def test_a_path_outside_the_allowed_prefixes_is_named(api: ApiClient, transform_id: str, path: str) -> None:
    response = api.request("POST", SETS, {"transformId": transform_id, "outputS3Path": path}, KEY)
    assert_problem(response, 422)
    assert [error["pointer"] for error in response.body["errors"]] == ["#/outputS3Path"]


def test_an_unknown_transform_is_a_problem_and_a_refused_run(api: ApiClient, stack: Stack) -> None:
    response = api.request("POST", SETS, start_body(stack, "tfm-unknown"), {"Idempotency-Key": "unknown-transform"})
    assert_problem(response, 404)
    run = api.list_task_runs(transformId="tfm-unknown").body["items"][0]
    assert (run["status"], run["error"]["code"]) == ("REFUSED", "EntityNotFoundException")


def test_a_missing_label_file_is_a_problem(api: ApiClient, stack: Stack, transform_id: str) -> None:
    body = {"transformId": transform_id, "inputS3Path": f"s3://{stack.bucket}/labels/none.csv"}
    assert_problem(api.request("POST", IMPORTS, body, {"Idempotency-Key": "no-such-file"}), 422)


def test_unsigned_request_is_a_problem(stack: Stack) -> None:
    assert_problem(ApiClient(stack.api_url, stack.env["AWS_REGION"], None).list_task_runs(), 403)


@pytest.mark.parametrize(
    ("detail_type", "detail"),
    [
        ("StartLabelingSetRun", {"outputS3Path": "s3://label-loop-data/no-transform/"}),
        ("StartLabelingSetRun", {"transformId": "tfm-x", "outputS3Path": "s3://another-bucket/bus/"}),
        ("StartLabelImportRun", {"transformId": "tfm-x", "inputS3Path": "s3://another-bucket/bus.csv"}),
    ],
)
def test_a_refused_command_ends_in_an_event(
    stack: Stack, event_log: EventLog, detail_type: str, detail: dict[str, str]
) -> None:
    publish(stack, "tests", detail_type, detail)
    paths = {name: value for name, value in detail.items() if name.endswith("S3Path")}
    event = eventually(lambda: events[0] if (events := event_log.with_run_fields(**paths)) else None)
    assert event["detail-type"] == "TaskRunRefused"
    assert event["detail"]["data"]["error"]["message"]


def test_a_command_with_the_services_own_source_is_ignored(
    stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog
) -> None:
    before = api.list_task_runs(transformId=transform_id).body["items"]
    publish(stack, "glue-label-loop", "StartLabelingSetRun", start_body(stack, transform_id))
    marker = {"outputS3Path": "s3://another-bucket/marker/", "transformId": "tfm-x"}
    publish(stack, "tests", "StartLabelingSetRun", marker)
    eventually(lambda: event_log.with_run_fields(outputS3Path=marker["outputS3Path"]) or None)
    assert api.list_task_runs(transformId=transform_id).body["items"] == before


def test_an_upload_for_an_unknown_transform_is_refused(stack: Stack, event_log: EventLog) -> None:
    stack.client("s3").put_object(Bucket=stack.bucket, Key="labels/tfm-unknown-upload/x.csv", Body=b"labeling_set_id,label\n")
    path = f"s3://{stack.bucket}/labels/tfm-unknown-upload/x.csv"
    event = eventually(lambda: events[0] if (events := event_log.with_run_fields(inputS3Path=path)) else None)
    assert event["detail-type"] == "TaskRunRefused"
