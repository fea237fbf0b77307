"""A person with a link labels a set in the local cloud, without credentials, and starts the import."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from label_loop.api import ApiClient, Response
from local.cloud.stack import Stack
from tests.local.helpers import EventLog, assert_problem, eventually, task_run_if


class Labeler:
    """What a browser with a link does."""

    def __init__(self, stack: Stack, set_id: str, url: str) -> None:
        self.base = urlsplit(url)._replace(fragment="").geturl()
        assert self.base == f"{stack.outputs['LabelUrl']}/label"
        (self.token,) = parse_qs(urlsplit(url).fragment)["t"]
        self.set = f"{stack.outputs['LabelUrl']}/v1/labeling-sets/{set_id}"

    def call(self, method: str, tail: str = "", body: object = None, **headers: str) -> Response:
        data = body if isinstance(body, bytes | None) else json.dumps(body)
        content_type = {} if body is None else {"Content-Type": "text/csv" if isinstance(body, bytes) else "application/json"}
        sent = {"Authorization": f"Bearer {self.token}", **content_type, **headers}
        return send(method, self.set + tail, data, sent)

    def etag(self) -> str:
        return self.call("GET").headers["etag"]


def send(method: str, url: str, data: str | bytes | None = None, headers: Mapping[str, str] | None = None) -> Response:
    request = AWSRequest(method=method, url=url, data=data, headers=dict(headers or {}))
    response = URLLib3Session().send(request.prepare())
    received = {name.lower(): value for name, value in response.headers.items()}
    is_json = "json" in received.get("content-type", "")
    return Response(response.status_code, received, json.loads(response.text) if is_json else response.text)


@pytest.fixture(scope="module")
def set_id(stack: Stack, api: ApiClient, transform_id: str) -> str:
    accepted = api.start_labeling_set_run("to-be-labeled", transform_id, f"s3://{stack.bucket}/labeling-sets/")
    run_id: str = accepted.body["id"]
    eventually(lambda: task_run_if(api, run_id, "SUCCEEDED"))
    return run_id


def new_link(stack: Stack, api: ApiClient, set_id: str, labeler: str, **options: object) -> Labeler:
    response = api.create_link(set_id, labeler, **options)
    assert response.status == 201, response
    return Labeler(stack, set_id, response.body["url"])


def test_page_is_served_to_anyone_with_a_strict_policy(stack: Stack) -> None:
    page = send("GET", f"{stack.outputs['LabelUrl']}/label")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.body.startswith("<!doctype html>")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


def test_requests_without_a_token_are_refused(stack: Stack, set_id: str) -> None:
    assert_problem(send("GET", f"{stack.outputs['LabelUrl']}/v1/labeling-sets/{set_id}"), 401)


def test_signed_api_still_refuses_unsigned_requests(stack: Stack, set_id: str) -> None:
    assert send("GET", f"{stack.api_url}/v1/labeling-sets/{set_id}").status == 403


def test_a_link_labels_a_set_and_imports_it_once(stack: Stack, api: ApiClient, set_id: str, event_log: EventLog) -> None:
    assert api.get_labeling_set(set_id).body["status"] == "READY"
    ann = new_link(stack, api, set_id, "ann")
    opened = ann.call("GET")
    rows = opened.body["rows"]
    answers = {str(index): 1 if index % 2 else "alone" for index in range(len(rows))}
    saved = ann.call("PUT", "/answers", {"answers": answers}, **{"If-Match": opened.headers["etag"]})
    assert (saved.status, saved.body["answered"]) == (200, len(rows))
    assert ann.call("GET", "/check").body["ok"] is True
    assert api.get_labeling_set(set_id).body["status"] == "LABELING"

    submitted = [ann.call("POST", "/submission", {}, **{"If-Match": ann.etag()}) for _ in range(3)]
    assert [each.status for each in submitted] == [202] * 3
    (run_id,) = {each.body["submission"]["taskRunId"] for each in submitted}
    imported = eventually(lambda: task_run_if(api, run_id, "SUCCEEDED"))
    assert (imported["labelingSetId"], imported["labeledBy"]) == (set_id, "ann")
    assert ann.call("GET", "/submission").body["submission"]["status"] == "SUCCEEDED"
    assert api.get_labeling_set(set_id).body["status"] == "IMPORTED"
    eventually(lambda: event_log.with_run_fields(importRunId=run_id, labeledBy="ann") or None)
    assert len(event_log.with_run_fields(importRunId=run_id)) == 1

    bucket, _, key = imported["inputS3Path"].removeprefix("s3://").partition("/")
    body: bytes = stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert body.decode() == ann.call("GET", "/labels.csv").body


def test_a_revoked_link_opens_nothing_from_the_next_request_on(stack: Stack, api: ApiClient, set_id: str) -> None:
    ben = new_link(stack, api, set_id, "ben")
    assert ben.call("GET").status == 200
    assert api.revoke_link(set_id, ben.token.partition(".")[0]).status == 204
    refused = ben.call("GET")
    assert (refused.status, refused.body["code"]) == (401, "LINK_REVOKED")


def test_labels_from_a_spreadsheet_in_its_own_encoding(stack: Stack, api: ApiClient, transform_id: str) -> None:
    accepted = api.start_labeling_set_run("spreadsheet", transform_id, f"s3://{stack.bucket}/labeling-sets/")
    run_id: str = accepted.body["id"]
    eventually(lambda: task_run_if(api, run_id, "SUCCEEDED"))
    carl = new_link(stack, api, run_id, "carl")
    copy = carl.call("GET", "/labels.csv?for=spreadsheet").body.removeprefix("\ufeff")
    header, *lines = copy.splitlines()
    filled = [f"{line.partition(',')[0]},é,{line.split(',', 2)[2]}" for line in reversed(lines)]
    damaged = "\r\n".join([header, *filled]).replace(",", ";").encode("cp1252")
    taken = carl.call("PUT", "/labels.csv", damaged, **{"If-Match": carl.etag()})
    assert (taken.status, taken.body["taken"]) == (200, len(lines)), taken
    assert set(carl.call("GET").body["answers"].values()) == {1}


def test_the_label_function_may_write_submissions_and_start_imports_only(stack: Stack) -> None:
    s3, glue = (function_client(stack, service) for service in ("s3", "glue"))
    folder = f"x/{'a' * 32}"
    s3.put_object(Bucket=stack.bucket, Key=f"{folder}/submitted/1.csv", Body=b"")
    denied_calls: list[Callable[[], object]] = [
        lambda: s3.put_object(Bucket=stack.bucket, Key=f"{folder}/1.csv", Body=b""),
        lambda: s3.put_object(Bucket=stack.bucket, Key="labels/tfm-1/1.csv", Body=b""),
        lambda: s3.list_objects_v2(Bucket=stack.bucket, Prefix=f"{folder}/"),
        lambda: s3.delete_object(Bucket=stack.bucket, Key=f"{folder}/submitted/1.csv"),
        lambda: glue.start_ml_evaluation_task_run(TransformId="tfm-1"),
        lambda: glue.cancel_ml_task_run(TransformId="tfm-1", TaskRunId="tsk-1"),
    ]
    for denied in denied_calls:
        with pytest.raises(ClientError, match="AccessDenied"):
            denied()


def function_client(stack: Stack, service: str) -> Any:  # noqa: ANN401 - boto3's clients exist at run time only
    """A client with the rights of the label function's role."""
    role = next(role for role in stack.client("iam").list_roles()["Roles"] if "LabelRole" in role["RoleName"])
    assumed = stack.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.env["AWS_REGION"],
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
