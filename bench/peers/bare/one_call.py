"""One boto3 Glue call and nothing else: the unit in which requests are measured."""

import json
from typing import Any

import boto3

glue = boto3.client("glue")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    body = json.loads(event["body"])
    glue.start_ml_labeling_set_generation_task_run(TransformId=body["transformId"], OutputS3Path=body["outputS3Path"])
    return {"statusCode": 202}
