"""A labeling-set run with boto3, one table and a short handler's checks."""

import json
import os
import re
from hashlib import sha256
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")
glue = boto3.client("glue")
events = boto3.client("events")
TABLE = os.environ["LEDGER_TABLE"]


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    key = next((value for name, value in event["headers"].items() if name.lower() == "idempotency-key"), None)
    try:
        body = json.loads(event["body"])
        transform_id, path = str(body["transformId"]), str(body["outputS3Path"])
    except (ValueError, KeyError, TypeError):
        return _answer(400, {"message": "transformId and outputS3Path are required"})
    if not key or not re.fullmatch(r"tfm-\w+", transform_id) or not path.startswith("s3://"):
        return _answer(422, {"message": "invalid request"})
    caller = event["requestContext"]["identity"]["userArn"]
    run = {"id": sha256(f"{caller}\0{key}".encode()).hexdigest(), "transformId": transform_id, "outputS3Path": path}
    return _start(run)


def _start(run: dict[str, str]) -> dict[str, Any]:
    item: Any = {name: {"S": value} for name, value in run.items()}
    try:
        dynamodb.put_item(
            TableName=TABLE,
            Item=item | {"status": {"S": "IN_PROGRESS"}},
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as failed:
        existing: Any = failed.response
        return _answer(202, {name: value["S"] for name, value in existing["Item"].items()})
    started = glue.start_ml_labeling_set_generation_task_run(TransformId=run["transformId"], OutputS3Path=run["outputS3Path"])
    run |= {"status": "STARTED", "taskRunId": started["TaskRunId"]}
    dynamodb.put_item(TableName=TABLE, Item={name: {"S": value} for name, value in run.items()})
    entry: Any = {"Source": "peer", "DetailType": "TaskRunStarted", "Detail": json.dumps(run)}
    events.put_events(Entries=[entry | {"EventBusName": os.environ["EVENT_BUS_NAME"]}])
    return _answer(202, run)


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body), "isBase64Encoded": False}
