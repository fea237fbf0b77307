"""Our template on the local cloud, through its real doors: REST, the bus, S3, the schedule, the ledger's stream."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.credentials import Credentials

from label_loop.api import ApiClient, Response
from local.cloud.stack import Stack
from local.demo.event_listener import count_dead_letters
from local.demo.labeler import label_from_truth
from tests.local.helpers import EventLog, eventually, people, run_with_status

STARTED_AND_SUCCEEDED = ["TaskRunStarted", "TaskRunSucceeded"]


def folder(stack: Stack) -> str:
    return f"s3://{stack.bucket}/sets/"


def glue_runs(stack: Stack, transform_id: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = stack.client("glue").get_ml_task_runs(TransformId=transform_id)["TaskRuns"]
    return listed


def test_twice_at_once_and_once_more_is_one_run(stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog) -> None:
    def send(_: int) -> Response:
        return api.start_labeling_set_run("once", transform_id, folder(stack))

    before = len(glue_runs(stack, transform_id))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert {answer.status for answer in answers} <= {202, 409}
    accepted = [answer for answer in answers if answer.status == 202]
    assert accepted[0].headers["location"] == f"/v1/task-runs/{accepted[0].body['id']}"
    again = eventually(lambda: answer if (answer := send(0)).status == 202 else None)
    assert again.headers["idempotency-replayed"] == "true"
    assert {answer.body["id"] for answer in (*accepted, again)} == {again.body["id"]}
    assert len(glue_runs(stack, transform_id)) == before + 1

    run = eventually(lambda: run_with_status(api, again.body["id"], "SUCCEEDED"))
    assert run["outputS3Path"] == f"{folder(stack)}{run['id']}/"
    assert eventually(lambda: kinds if len(kinds := event_log.types_of(run["id"])) > 1 else None) == STARTED_AND_SUCCEEDED


def test_an_upload_starts_its_import(stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog) -> None:
    run = eventually(lambda: run_with_status(api, started(api, stack, transform_id, "for-upload"), "SUCCEEDED"))
    s3 = stack.client("s3")
    prefix = run["outputS3Path"].removeprefix(f"s3://{stack.bucket}/")
    key = s3.list_objects_v2(Bucket=stack.bucket, Prefix=prefix)["Contents"][0]["Key"]
    labeling_set = s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read().decode()
    truth = people(40).truth or {}
    s3.put_object(
        Bucket=stack.bucket,
        Key=f"any/labels/{transform_id}/answers.csv",
        Body=label_from_truth(labeling_set, "pk", truth).encode(),
    )
    path = f"s3://{stack.bucket}/any/labels/{transform_id}/answers.csv"
    events = eventually(lambda: said if len(said := event_log.with_run_fields(inputS3Path=path)) > 1 else None)
    assert [event["detail-type"] for event in events] == STARTED_AND_SUCCEEDED
    transform = stack.client("glue").get_ml_transform(TransformId=transform_id)
    assert transform["Status"] == "READY"
    assert transform["LabelCount"] == len(labeling_set.splitlines()) - 1


def test_a_command_on_the_bus_starts_one_run_however_often_it_is_sent(
    stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog
) -> None:
    before = len(glue_runs(stack, transform_id))
    detail = {"transformId": transform_id, "outputS3Path": folder(stack), "idempotencyKey": "by-bus"}
    send(stack, "StartLabelingSetRun", detail)
    send(stack, "StartLabelingSetRun", detail)

    def ours() -> str | None:
        said = [event for event in event_log.with_run_fields(transformId=transform_id) if "events:" in requester(event)]
        return said[0]["detail"]["data"]["id"] if said else None

    run_id = eventually(ours)
    eventually(lambda: run_with_status(api, run_id, "SUCCEEDED"))
    assert len(glue_runs(stack, transform_id)) == before + 1


def test_the_same_key_of_another_caller_is_another_run(stack: Stack, api: ApiClient, transform_id: str) -> None:
    other = caller_who_may(stack, "POST/v1/labeling-set-runs", "GET/v1/task-runs/*")
    theirs = other.start_labeling_set_run("shared-key", transform_id, folder(stack))
    ours = api.start_labeling_set_run("shared-key", transform_id, folder(stack))
    assert (theirs.status, ours.status) == (202, 202)
    assert theirs.body["id"] != ours.body["id"]
    assert theirs.body["requestedBy"] == "arn:aws:iam::000000000000:user/tester"


def test_the_right_to_label_is_not_the_right_to_import(stack: Stack, transform_id: str) -> None:
    other = caller_who_may(stack, "POST/v1/labeling-set-runs")
    refused = other.start_label_import_run("key", transform_id, f"s3://{stack.bucket}/x.csv", replace_all_labels=True)
    assert refused.status == 403


def test_no_event_is_lost_while_the_bus_refuses(stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog) -> None:
    iam = stack.client("iam")
    role = next(role["RoleName"] for role in iam.list_roles()["Roles"] if "AnnounceRole" in role["RoleName"])
    rights = iam.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName="own")
    try:
        run_id = started(api, stack, transform_id, "while-refused")
        eventually(lambda: run_with_status(api, run_id, "SUCCEEDED"))
        assert event_log.types_of(run_id) == []
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(rights))
    assert eventually(lambda: kinds if len(kinds := event_log.types_of(run_id)) > 1 else None) == STARTED_AND_SUCCEEDED


def test_an_event_that_a_function_cannot_take_ends_on_its_queue_after_three_attempts(stack: Stack) -> None:
    events, functions = stack.client("events"), stack.client("lambda")
    arn = functions.get_function_configuration(FunctionName=stack.outputs["BusFunctionName"])["FunctionArn"]
    bus = stack.env["EVENT_BUS_NAME"]
    events.put_rule(Name="garbage", EventBusName=bus, EventPattern=json.dumps({"detail-type": ["Garbage"]}))
    events.put_targets(Rule="garbage", EventBusName=bus, Targets=[{"Id": "function", "Arn": arn}])
    send(stack, "Garbage", {})
    eventually(lambda: count_dead_letters(stack)["FailedCommands"] or None)
    queue = stack.outputs["FailedCommandsUrl"]
    message = stack.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]
    assert json.loads(message["Body"])["requestContext"]["approximateInvokeCount"] == 3


def send(stack: Stack, kind: str, detail: object) -> None:
    entry = {"Source": "tests", "DetailType": kind, "Detail": json.dumps(detail), "EventBusName": stack.env["EVENT_BUS_NAME"]}
    assert stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def started(api: ApiClient, stack: Stack, transform_id: str, key: str) -> str:
    answer = api.start_labeling_set_run(key, transform_id, folder(stack))
    assert answer.status == 202, answer
    return str(answer.body["id"])


def requester(event: Mapping[str, Any]) -> str:
    return str(event["detail"]["data"]["requestedBy"])


def caller_who_may(stack: Stack, *calls: str) -> ApiClient:
    """A new key of a user who has the right to these calls, and to nothing else."""
    iam = stack.client("iam")
    if not [user for user in iam.list_users()["Users"] if user["UserName"] == "tester"]:
        iam.create_user(UserName="tester")
    resources = [f"arn:aws:execute-api:*:*:*/live/{call}" for call in calls]
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(UserName="tester", PolicyName="calls", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="tester")["AccessKey"]
    return ApiClient(stack.api_url, stack.env["AWS_REGION"], Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
