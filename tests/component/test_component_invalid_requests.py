"""Invalid requests: the problem names the field and the remedy, and nothing is started."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from core.errors import QueueBlocked
from core.ports import Dependencies
from handlers import wiring
from handlers.rest.bodies import MAX_BYTES
from tests.component.handler_harness import HandlerHarness, Response
from tests.component.sample_events import ACCOUNT, BUCKET, TRANSFORM, rest_sample, sample, set_header

SET, IMPORT, GET, LIST = "api-start-labeling-set", "api-start-import", "api-get-task-run", "api-list-task-runs"
GOOD_SET = {"transformId": TRANSFORM, "outputS3Path": f"s3://{BUCKET}/labeling-sets/"}
GOOD_IMPORT = {"transformId": TRANSFORM, "inputS3Path": f"s3://{BUCKET}/labels/{TRANSFORM}/round-1.csv"}


def rejected(harness: HandlerHarness, event: dict[str, Any], status: int) -> Response:
    """The problem in the response to `event`. Checks that nothing was recorded or started."""
    response = harness.rest(event)
    assert (response.status, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.body["status"] == status
    assert response.body["title"]
    assert harness.items() == []
    assert harness.nothing_was_started()
    return response


@pytest.mark.parametrize("body", ['{"transformId": ', "transformId=1", "{'transformId': 1}", "[" * 30_000])
def test_malformed_json_returns_400(harness: HandlerHarness, body: str) -> None:
    assert rejected(harness, rest_sample(SET, body=body), 400).body["title"] == "Malformed JSON"


def test_base64_of_invalid_utf8_returns_400(harness: HandlerHarness) -> None:
    event = rest_sample(SET, body=base64.b64encode(b"\xff\xfe{}").decode()) | {"isBase64Encoded": True}
    assert rejected(harness, event, 400).body["title"] == "Malformed JSON"


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"]
)
def test_other_content_type_returns_415_and_names_the_right_one(harness: HandlerHarness, media_type: str) -> None:
    event = sample(SET)
    event["path"] += "/"  # the samples have no trailing slash
    set_header(event, "content-type", media_type)
    assert "application/json" in rejected(harness, event, 415).body["detail"]


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON", "application/json; charset=utf-8", None])
def test_json_content_type_matches_in_any_spelling(harness: HandlerHarness, media_type: str | None) -> None:
    event = sample(SET)
    set_header(event, "CONTENT-TYPE", media_type)
    assert harness.rest(event).status == 202


@pytest.mark.parametrize(
    ("name", "body", "pointer", "message"),
    [
        (SET, [], "#", "must be a JSON object"),
        (SET, "null", "#", "is required"),
        (SET, {"transformId": TRANSFORM}, "#/outputS3Path", "is required"),
        (SET, GOOD_SET | {"transformId": 7}, "#/transformId", "string"),
        (SET, GOOD_SET | {"transformId": "no/id"}, "#/transformId", "pattern"),
        (SET, GOOD_SET | {"transformId": ""}, "#/transformId", "pattern"),
        (SET, GOOD_SET | {"a/b~c": 1}, "#/a~1b~0c", "is not a field of this request"),
        (SET, GOOD_SET | {"outputS3Path": "/data/x"}, "#/outputS3Path", "must be of the form s3://bucket/key"),
        (SET, GOOD_SET | {"outputS3Path": "S3://BUCKET/x"}, "#/outputS3Path", "must be of the form s3://bucket/key"),
        (SET, GOOD_SET | {"outputS3Path": f"s3://{BUCKET}/a/../b"}, "#/outputS3Path", "must not have empty, '.' or '..'"),
        (SET, GOOD_SET | {"outputS3Path": f"s3://{BUCKET}/" + "x" * 1000}, "#/outputS3Path", "too long"),
        (SET, GOOD_SET | {"outputS3Path": f"s3://{BUCKET}-of-another/x"}, "#/outputS3Path", "is not allowed here"),
        (IMPORT, GOOD_IMPORT | {"inputS3Path": "s3://somebody-elses/x.csv"}, "#/inputS3Path", "is not allowed here"),
        (IMPORT, GOOD_IMPORT | {"inputS3Path": f"s3://{BUCKET}/labels/"}, "#/inputS3Path", "must name one S3 object"),
        (IMPORT, GOOD_IMPORT | {"replaceAllLabels": "true"}, "#/replaceAllLabels", "boolean"),
        (IMPORT, GOOD_IMPORT | {"replaceAllLabels": None}, "#/replaceAllLabels", "boolean"),
        (IMPORT, GOOD_SET, "#/inputS3Path", "is required"),
    ],
)
def test_invalid_field_returns_422_with_a_pointer_to_it(
    harness: HandlerHarness, name: str, body: object, pointer: str, message: str
) -> None:
    event = rest_sample(name, body=body if isinstance(body, str) else json.dumps(body))
    response = rejected(harness, event, 422)
    details = {error["pointer"]: error["detail"] for error in response.body["errors"]}
    assert message in details[pointer]


def test_missing_body_returns_422(harness: HandlerHarness) -> None:
    event = sample(SET) | {"body": None}
    assert rejected(harness, event, 422).body["errors"] == [{"detail": "is required", "pointer": "#"}]


def test_every_path_is_rejected_when_no_prefix_is_allowed(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_S3_PREFIXES", "")
    assert "allowed: none" in rejected(harness, sample(SET), 422).body["errors"][0]["detail"]


@pytest.mark.parametrize(("folder", "status"), [("mine", 202), ("mine/deeper", 202), ("mine-too", 422), ("others", 422)])
def test_allowed_prefix_matches_whole_folders_only(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch, folder: str, status: int
) -> None:
    monkeypatch.setenv("ALLOWED_S3_PREFIXES", f"s3://somewhere-else/, s3://{BUCKET}/mine")
    assert harness.rest(rest_sample(SET, body=GOOD_SET | {"outputS3Path": f"s3://{BUCKET}/{folder}"})).status == status


def test_caller_may_use_only_its_own_prefixes(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = sample(SET)["requestContext"]["identity"]["userArn"]
    role = "arn:aws:iam::{}:role/{}".format(caller.split(":")[4], caller.split("/")[1])
    own = {role: [f"s3://{BUCKET}/labeling-sets/mine/"], "*": [f"s3://{BUCKET}/labeling-sets/theirs/"]}
    monkeypatch.setenv("CALLER_S3_PREFIXES", json.dumps(own))
    theirs = rest_sample(SET, body=GOOD_SET | {"outputS3Path": f"s3://{BUCKET}/labeling-sets/theirs/"})
    assert f"allowed: s3://{BUCKET}/labeling-sets/mine/" in rejected(harness, theirs, 422).body["errors"][0]["detail"]
    mine = rest_sample(SET, body=GOOD_SET | {"outputS3Path": f"s3://{BUCKET}/labeling-sets/mine/"})
    assert harness.rest(mine).status == 202


def test_caller_may_name_only_its_own_transforms(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/teams/team-a"
    monkeypatch.setenv("CALLER_TRANSFORMS", json.dumps({role: [f"{TRANSFORM[:8]}*"], "*": ["tfm-shared"]}))
    for name, body in {SET: GOOD_SET, IMPORT: GOOD_IMPORT | {"replaceAllLabels": True}}.items():
        response = rejected(harness, rest_sample(name, body=body, role="team-b"), 422)
        assert response.body["errors"] == [
            {"detail": "is not allowed for this caller; allowed: tfm-shared", "pointer": "#/transformId"}
        ]
    assert harness.items() == []
    assert harness.rest(rest_sample(SET, role="team-a")).status == 202


@pytest.mark.parametrize("name", [SET, IMPORT, "api-cancel-task-run"])
def test_oversized_body_returns_413_without_being_parsed(harness: HandlerHarness, name: str) -> None:
    event = sample(name) | {"body": "[" * (MAX_BYTES + 1)}
    assert str(MAX_BYTES) in rejected(harness, event, 413).body["detail"]
    encoded = base64.b64encode(b"[" * (MAX_BYTES + 3)).decode()
    rejected(harness, sample(name) | {"body": encoded, "isBase64Encoded": True}, 413)


def test_longest_valid_request_is_within_the_size_limit(harness: HandlerHarness) -> None:
    long = f"s3://{BUCKET}/labels/" + "\U0001f600" * 900 + ".csv"
    body = GOOD_IMPORT | {"inputS3Path": long, "replaceAllLabels": True, "exportTo": long[:900]}
    assert len(json.dumps(body)) < MAX_BYTES
    assert harness.rest(rest_sample(IMPORT, body=body)).status not in (400, 413, 415)


def test_null_headers_from_the_console_return_400_for_the_missing_key(harness: HandlerHarness) -> None:
    response = rejected(harness, sample(SET) | {"headers": None, "multiValueHeaders": None}, 400)
    assert response.body["errors"] == [{"detail": "is required", "parameter": "Idempotency-Key"}]


@pytest.mark.parametrize("id_", ["line%23tfm", "äöü", "x" * 3000, "line#tfm-1", 'a"b', "0123456789ABCDEF0123456789ABCDEF"])
@pytest.mark.parametrize("name", [GET, "api-cancel-task-run"])
def test_malformed_run_id_returns_404_without_an_aws_call(harness: HandlerHarness, name: str, id_: str) -> None:
    path = sample(name)["path"].replace(sample(GET)["pathParameters"]["id"], id_)
    rejected(harness, rest_sample(name, path=path), 404)
    assert harness.calls == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/labeling-set-runs", "POST"),
        ("PUT", "/v1/label-import-runs", "POST"),
        ("POST", "/v1/task-runs", "GET"),
        ("DELETE", "/v1/task-runs/0123456789abcdef0123456789abcdef", "GET"),
        ("GET", "/v1/task-runs/0123456789abcdef0123456789abcdef/cancellation", "POST"),
        ("POST", "/v1/openapi.json", "GET"),
        ("HEAD", "/v1/openapi.json", "GET"),
        ("OPTIONS", "/v1/task-runs/", "GET"),
    ],
)
def test_wrong_method_returns_405_with_allow(harness: HandlerHarness, method: str, path: str, allowed: str) -> None:
    response = rejected(harness, rest_sample("api-wrong-method", path=path) | {"httpMethod": method}, 405)
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("query", "parameter", "status"),
    [
        ({"limit": "0"}, "limit", 422),
        ({"limit": "101"}, "limit", 422),
        ({"limit": "many"}, "limit", 422),
        ({"status": "DONE"}, "status", 422),
        ({"taskType": "COUNTING"}, "taskType", 422),
        ({"transformId": ""}, "transformId", 422),
        ({"transformId": "x" * 3000}, "transformId", 422),
        ({"cursor": "e30"}, "cursor", 400),
        ({"cursor": "ü"}, "cursor", 400),
    ],
)
def test_invalid_filter_is_named_in_the_error(
    harness: HandlerHarness, query: dict[str, str], parameter: str, status: int
) -> None:
    (error,) = rejected(harness, rest_sample(LIST, query=query), status).body["errors"]
    assert error["parameter"] == parameter


class BrokenLedger:
    """A ledger whose every method fails."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any method
        raise self._fault


@pytest.mark.parametrize("fault", [RuntimeError("the password is 1234"), QueueBlocked("the password is 1234")])
@pytest.mark.parametrize("name", [SET, GET, LIST, "api-cancel-task-run"])
def test_internal_fault_returns_500_without_the_exception_text(harness: HandlerHarness, name: str, fault: Exception) -> None:
    broken: Dependencies = replace(wiring.dependencies(), ledger=BrokenLedger(fault))
    response = harness.rest(sample(name), deps=broken)
    assert (response.status, response.headers["content-type"]) == (500, "application/problem+json")
    assert response.body["title"] == "Internal fault"
    assert "1234" not in json.dumps(response.body)
    assert harness.nothing_was_started()


def test_missing_setting_returns_500_without_naming_it(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_TABLE")
    response = rejected(harness, sample(SET), 500)
    assert "LEDGER_TABLE" not in json.dumps(response.body)


@pytest.mark.parametrize("name", [SET, GET, LIST, "api-cancel-task-run"])
def test_unavailable_ledger_returns_503_without_aws_error_text(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LEDGER_TABLE", "no-such-table")
    response = rejected(harness, sample(name), 503)
    assert int(response.headers["retry-after"]) > 0
    assert "ResourceNotFound" not in json.dumps(response.body)
