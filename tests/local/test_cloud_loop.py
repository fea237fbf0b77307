"""The deployed template through its real entry points: REST, the bus, S3, the schedule, the ledger's stream."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

from botocore.credentials import Credentials

from label_loop.api import ApiClient, Response
from local.cloud.stack import Stack
from local.demo.event_listener import count_dead_letters
from local.demo.labeler import label_from_truth
from tests.local.helpers import EventLog, eventually, people, publish, task_run_if

STARTED_AND_SUCCEEDED = ["TaskRunStarted", "TaskRunSucceeded"]


def output_path(stack: Stack) -> str:
    return f"s3://{stack.bucket}/sets/"


def glue_runs(stack: Stack, transform_id: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = stack.client("glue").get_ml_task_runs(TransformId=transform_id)["TaskRuns"]
    return runs


def test_concurrent_and_repeated_requests_start_one_run(
    stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog
) -> None:
    def send(_: int) -> Response:
        return api.start_labeling_set_run("concurrent", transform_id, output_path(stack))

    before = len(glue_runs(stack, transform_id))
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(send, range(4)))
    assert {response.status for response in responses} <= {202, 409}
    accepted = [response for response in responses if response.status == 202]
    location = urljoin(f"{api.url}/v1/labeling-set-runs", accepted[0].headers["location"])
    assert location == f"{api.url}/v1/task-runs/{accepted[0].body['id']}"
    replay = eventually(lambda: response if (response := send(0)).status == 202 else None)
    assert replay.headers["idempotency-replayed"] == "true"
    assert {response.body["id"] for response in (*accepted, replay)} == {replay.body["id"]}
    assert len(glue_runs(stack, transform_id)) == before + 1

    run = eventually(lambda: task_run_if(api, replay.body["id"], "SUCCEEDED"))
    assert run["outputS3Path"] == f"{output_path(stack)}{run['id']}/"
    assert eventually(lambda: types if len(types := event_log.types_of(run["id"])) > 1 else None) == STARTED_AND_SUCCEEDED


def test_an_upload_starts_its_import(stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog) -> None:
    run = eventually(lambda: task_run_if(api, start_run(api, stack, transform_id, "for-upload"), "SUCCEEDED"))
    s3 = stack.client("s3")
    prefix = run["outputS3Path"].removeprefix(f"s3://{stack.bucket}/")
    key = s3.list_objects_v2(Bucket=stack.bucket, Prefix=prefix)["Contents"][0]["Key"]
    labeling_set = s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read().decode()
    truth = people(40).truth or {}
    labels_before = stack.client("glue").get_ml_transform(TransformId=transform_id)["LabelCount"]
    s3.put_object(
        Bucket=stack.bucket,
        Key=f"any/labels/{transform_id}/answers.csv",
        Body=label_from_truth(labeling_set, "pk", truth).encode(),
    )
    path = f"s3://{stack.bucket}/any/labels/{transform_id}/answers.csv"
    events = eventually(lambda: events if len(events := event_log.with_run_fields(inputS3Path=path)) > 1 else None)
    assert [event["detail-type"] for event in events] == STARTED_AND_SUCCEEDED
    transform = stack.client("glue").get_ml_transform(TransformId=transform_id)
    assert transform["Status"] == "READY"
    # Other tests of the cloud may have imported labels before.
    assert transform["LabelCount"] - labels_before == len(labeling_set.splitlines()) - 1


def test_a_repeated_command_on_the_bus_starts_one_run(
    stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog
) -> None:
    before = len(glue_runs(stack, transform_id))
    detail = {"transformId": transform_id, "outputS3Path": output_path(stack), "idempotencyKey": "from-bus"}
    publish(stack, "tests", "StartLabelingSetRun", detail)
    publish(stack, "tests", "StartLabelingSetRun", detail)

    def run_id_of_command() -> str | None:
        events = [event for event in event_log.with_run_fields(transformId=transform_id) if "events:" in requester(event)]
        return events[0]["detail"]["data"]["id"] if events else None

    run_id = eventually(run_id_of_command)
    eventually(lambda: task_run_if(api, run_id, "SUCCEEDED"))
    assert len(glue_runs(stack, transform_id)) == before + 1


def test_same_key_of_two_callers_is_two_runs(stack: Stack, api: ApiClient, transform_id: str) -> None:
    caller = caller_allowed_to(stack, "POST/v1/labeling-set-runs", "GET/v1/task-runs/*")
    first = caller.start_labeling_set_run("shared-key", transform_id, output_path(stack))
    second = api.start_labeling_set_run("shared-key", transform_id, output_path(stack))
    assert (first.status, second.status) == (202, 202)
    assert first.body["id"] != second.body["id"]
    assert first.body["requestedBy"] == "arn:aws:iam::000000000000:user/tester"


def test_only_an_operator_reads_and_cancels_the_run_of_an_event(
    stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog
) -> None:
    """As on AWS by default. Here, the root user is the operator."""
    caller = caller_allowed_to(stack, "GET/v1/task-runs/*", "GET/v1/task-runs", "POST/v1/task-runs/*/cancellation")
    source = "com.example.without-operator"
    publish(stack, source, "StartLabelingSetRun", {"transformId": transform_id, "outputS3Path": output_path(stack)})
    events = eventually(lambda: event_log.with_run_fields(requestedBy=f"events:000000000000:{source}") or None)
    run_id = events[0]["detail"]["data"]["id"]
    assert [api.get_task_run(run_id).status, caller.get_task_run(run_id).status] == [200, 404]
    assert caller.cancel_task_run(run_id).status == 404
    assert api.cancel_task_run(run_id).status in (202, 409)  # 409 if it has ended by now
    assert run_id in {run["id"] for run in api.list_task_runs().body["items"]}
    assert run_id not in {run["id"] for run in caller.list_task_runs().body["items"]}


def test_permission_to_generate_does_not_cover_imports(stack: Stack, transform_id: str) -> None:
    caller = caller_allowed_to(stack, "POST/v1/labeling-set-runs")
    refused = caller.start_label_import_run("key", transform_id, f"s3://{stack.bucket}/x.csv", replace_all_labels=True)
    assert refused.status == 403


def test_no_event_is_lost_while_the_bus_denies_access(
    stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog
) -> None:
    iam = stack.client("iam")
    role = next(role["RoleName"] for role in iam.list_roles()["Roles"] if "AnnounceRole" in role["RoleName"])
    policy = iam.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName="own")
    try:
        run_id = start_run(api, stack, transform_id, "while-bus-denied")
        eventually(lambda: task_run_if(api, run_id, "SUCCEEDED"))
        assert event_log.types_of(run_id) == []
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(policy))
    assert eventually(lambda: types if len(types := event_log.types_of(run_id)) > 1 else None) == STARTED_AND_SUCCEEDED


def test_an_unknown_event_ends_in_the_dead_letter_queue_after_three_attempts(stack: Stack) -> None:
    events, functions = stack.client("events"), stack.client("lambda")
    arn = functions.get_function_configuration(FunctionName=stack.outputs["BusFunctionName"])["FunctionArn"]
    bus = stack.env["EVENT_BUS_NAME"]
    events.put_rule(Name="garbage", EventBusName=bus, EventPattern=json.dumps({"detail-type": ["Garbage"]}))
    events.put_targets(Rule="garbage", EventBusName=bus, Targets=[{"Id": "function", "Arn": arn}])
    publish(stack, "tests", "Garbage", {})
    eventually(lambda: count_dead_letters(stack)["FailedCommands"] or None)
    queue = stack.outputs["FailedCommandsUrl"]
    message = stack.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]
    assert json.loads(message["Body"])["requestContext"]["approximateInvokeCount"] == 3


def start_run(api: ApiClient, stack: Stack, transform_id: str, key: str) -> str:
    response = api.start_labeling_set_run(key, transform_id, output_path(stack))
    assert response.status == 202, response
    return str(response.body["id"])


def requester(event: Mapping[str, Any]) -> str:
    return str(event["detail"]["data"]["requestedBy"])


def caller_allowed_to(stack: Stack, *calls: str) -> ApiClient:
    """A client with a new access key of a user who may make these calls only."""
    iam = stack.client("iam")
    if not [user for user in iam.list_users()["Users"] if user["UserName"] == "tester"]:
        iam.create_user(UserName="tester")
    resources = [f"arn:aws:execute-api:*:*:*/live/{call}" for call in calls]
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(UserName="tester", PolicyName="calls", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="tester")["AccessKey"]
    return ApiClient(stack.api_url, stack.env["AWS_REGION"], Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
