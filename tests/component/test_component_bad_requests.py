"""Requests that are no good: a clear answer that names the field and the remedy, and nothing started."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from core.errors import QueueBlocked
from core.ports import Dependencies
from handlers import wiring
from handlers.rest.bodies import MAX_BYTES
from tests.component.handler_harness import Answer, HandlerHarness
from tests.component.samples import BUCKET, TRANSFORM, rest_sample, sample, set_header

SET, IMPORT, GET, LIST = "api-start-labeling-set", "api-start-import", "api-get-task-run", "api-list-task-runs"
GOOD_SET = {"transformId": TRANSFORM, "outputS3Path": f"s3://{BUCKET}/labeling-sets/"}
GOOD_IMPORT = {"transformId": TRANSFORM, "inputS3Path": f"s3://{BUCKET}/labels/{TRANSFORM}/round-1.csv"}


def refused(harness: HandlerHarness, event: dict[str, Any], status: int) -> Answer:
    """The problem that `event` is answered with; nothing is on record and Glue was never asked."""
    answer = harness.rest(event)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.body["status"] == status
    assert answer.body["title"]
    assert harness.items() == []
    assert harness.nothing_was_started()
    return answer


@pytest.mark.parametrize("body", ['{"transformId": ', "transformId=1", "{'transformId': 1}", "[" * 30_000])
def test_what_is_no_json_is_a_400(harness: HandlerHarness, body: str) -> None:
    assert refused(harness, rest_sample(SET, body=body), 400).body["title"] == "Malformed JSON"


def test_base64_of_what_is_no_text_is_a_400(harness: HandlerHarness) -> None:
    event = rest_sample(SET, body=base64.b64encode(b"\xff\xfe{}").decode()) | {"isBase64Encoded": True}
    assert refused(harness, event, 400).body["title"] == "Malformed JSON"


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"]
)
def test_another_content_type_is_a_415_that_says_what_to_send(harness: HandlerHarness, media_type: str) -> None:
    event = sample(SET)
    event["path"] += "/"  # with or without: the samples have it without
    set_header(event, "content-type", media_type)
    assert "application/json" in refused(harness, event, 415).body["detail"]


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON", "application/json; charset=utf-8", None])
def test_json_is_taken_however_it_is_announced(harness: HandlerHarness, media_type: str | None) -> None:
    event = sample(SET)
    set_header(event, "CONTENT-TYPE", media_type)
    assert harness.rest(event).status == 202


@pytest.mark.parametrize(
    ("name", "body", "pointer", "says"),
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
def test_a_bad_field_is_a_422_that_points_at_it(
    harness: HandlerHarness, name: str, body: object, pointer: str, says: str
) -> None:
    event = rest_sample(name, body=body if isinstance(body, str) else json.dumps(body))
    answer = refused(harness, event, 422)
    told = {one["pointer"]: one["detail"] for one in answer.body["errors"]}
    assert says in told[pointer]


def test_without_a_body_it_is_a_422(harness: HandlerHarness) -> None:
    event = sample(SET) | {"body": None}
    assert refused(harness, event, 422).body["errors"] == [{"detail": "is required", "pointer": "#"}]


def test_without_allowed_prefixes_every_path_is_refused(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_S3_PREFIXES", "")
    assert "allowed: none" in refused(harness, sample(SET), 422).body["errors"][0]["detail"]


@pytest.mark.parametrize(("folder", "status"), [("mine", 202), ("mine/deeper", 202), ("mine-too", 422), ("others", 422)])
def test_an_allowed_prefix_ends_at_its_slash(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch, folder: str, status: int
) -> None:
    monkeypatch.setenv("ALLOWED_S3_PREFIXES", f"s3://somewhere-else/, s3://{BUCKET}/mine")
    assert harness.rest(rest_sample(SET, body=GOOD_SET | {"outputS3Path": f"s3://{BUCKET}/{folder}"})).status == status


def test_a_caller_cannot_have_the_service_reach_what_is_another_s(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = sample(SET)["requestContext"]["identity"]["userArn"]
    role = "arn:aws:iam::{}:role/{}".format(caller.split(":")[4], caller.split("/")[1])
    own = {role: [f"s3://{BUCKET}/labeling-sets/mine/"], "*": [f"s3://{BUCKET}/labeling-sets/theirs/"]}
    monkeypatch.setenv("CALLER_S3_PREFIXES", json.dumps(own))
    theirs = rest_sample(SET, body=GOOD_SET | {"outputS3Path": f"s3://{BUCKET}/labeling-sets/theirs/"})
    assert f"allowed: s3://{BUCKET}/labeling-sets/mine/" in refused(harness, theirs, 422).body["errors"][0]["detail"]
    mine = rest_sample(SET, body=GOOD_SET | {"outputS3Path": f"s3://{BUCKET}/labeling-sets/mine/"})
    assert harness.rest(mine).status == 202


@pytest.mark.parametrize("name", [SET, IMPORT, "api-cancel-task-run"])
def test_what_is_longer_than_any_valid_request_is_a_413_unread(harness: HandlerHarness, name: str) -> None:
    event = sample(name) | {"body": "[" * (MAX_BYTES + 1)}
    assert str(MAX_BYTES) in refused(harness, event, 413).body["detail"]
    packed = base64.b64encode(b"[" * (MAX_BYTES + 3)).decode()
    refused(harness, sample(name) | {"body": packed, "isBase64Encoded": True}, 413)


def test_the_longest_valid_request_is_short_enough(harness: HandlerHarness) -> None:
    long = f"s3://{BUCKET}/labels/" + "\U0001f600" * 900 + ".csv"
    body = GOOD_IMPORT | {"inputS3Path": long, "replaceAllLabels": True, "exportTo": long[:900]}
    assert len(json.dumps(body)) < MAX_BYTES
    assert harness.rest(rest_sample(IMPORT, body=body)).status not in (400, 413, 415)


def test_null_headers_as_the_console_sends_them_miss_the_key(harness: HandlerHarness) -> None:
    answer = refused(harness, sample(SET) | {"headers": None, "multiValueHeaders": None}, 400)
    assert answer.body["errors"] == [{"detail": "is required", "parameter": "Idempotency-Key"}]


@pytest.mark.parametrize("id_", ["line%23tfm", "äöü", "x" * 3000, "line#tfm-1", 'a"b', "0123456789ABCDEF0123456789ABCDEF"])
@pytest.mark.parametrize("name", [GET, "api-cancel-task-run"])
def test_what_can_be_no_id_is_a_404(harness: HandlerHarness, name: str, id_: str) -> None:
    path = sample(name)["path"].replace(sample(GET)["pathParameters"]["id"], id_)
    refused(harness, rest_sample(name, path=path), 404)
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
def test_a_wrong_method_is_a_405_that_says_the_right_one(harness: HandlerHarness, method: str, path: str, allowed: str) -> None:
    answer = refused(harness, rest_sample("api-wrong-method", path=path) | {"httpMethod": method}, 405)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("query", "parameter", "status"),
    [
        ({"limit": "0"}, "limit", 422),
        ({"limit": "101"}, "limit", 422),
        ({"limit": "many"}, "limit", 422),
        ({"status": "DONE"}, "status", 422),
        ({"taskType": "EVALUATION"}, "taskType", 422),
        ({"transformId": ""}, "transformId", 422),
        ({"transformId": "x" * 3000}, "transformId", 422),
        ({"cursor": "e30"}, "cursor", 400),
        ({"cursor": "ü"}, "cursor", 400),
    ],
)
def test_a_bad_filter_is_named(harness: HandlerHarness, query: dict[str, str], parameter: str, status: int) -> None:
    (error,) = refused(harness, rest_sample(LIST, query=query), status).body["errors"]
    assert error["parameter"] == parameter


class Broken:
    """A ledger that fails at whatever it is asked."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any method there is
        raise self._fault


@pytest.mark.parametrize("fault", [RuntimeError("the password is 1234"), QueueBlocked("the password is 1234")])
@pytest.mark.parametrize("name", [SET, GET, LIST, "api-cancel-task-run"])
def test_an_internal_fault_is_a_500_without_its_text(harness: HandlerHarness, name: str, fault: Exception) -> None:
    broken: Dependencies = replace(wiring.dependencies(), ledger=Broken(fault))
    answer = harness.rest(sample(name), deps=broken)
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.body["title"] == "Internal fault"
    assert "1234" not in json.dumps(answer.body)
    assert harness.nothing_was_started()


def test_a_missing_setting_is_a_500_that_tells_nothing(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_TABLE")
    answer = refused(harness, sample(SET), 500)
    assert "LEDGER_TABLE" not in json.dumps(answer.body)


@pytest.mark.parametrize("name", [SET, GET, LIST, "api-cancel-task-run"])
def test_a_ledger_out_of_reach_is_a_503_in_our_own_words(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LEDGER_TABLE", "no-such-table")
    answer = refused(harness, sample(name), 503)
    assert int(answer.headers["retry-after"]) > 0
    assert "ResourceNotFound" not in json.dumps(answer.body)
