"""A labeling-set run as a web service in Lambda: FastAPI behind Mangum; one table, as in the peer without a framework."""

import json
import os
from hashlib import sha256
from typing import Annotated, Any

import boto3
from fastapi import FastAPI, Header, Request  # type: ignore[import-not-found]  # only in its own package
from mangum import Mangum  # type: ignore[import-not-found]  # only in its own package
from pydantic import BaseModel, Field

app = FastAPI()
dynamodb = boto3.client("dynamodb")
glue = boto3.client("glue")
events = boto3.client("events")
TABLE = os.environ["LEDGER_TABLE"]


class LabelingSetRequest(BaseModel):
    transform_id: Annotated[str, Field(alias="transformId", pattern=r"^tfm-\w+$")]
    output_s3_path: Annotated[str, Field(alias="outputS3Path", pattern=r"^s3://.+")]


@app.post("/v1/labeling-set-runs", status_code=202)  # type: ignore[untyped-decorator]  # see above
def start_labeling_set_run(
    body: LabelingSetRequest, key: Annotated[str, Header(alias="Idempotency-Key")], request: Request
) -> dict[str, str]:
    caller = request.scope["aws.event"]["requestContext"]["identity"]["userArn"]
    run = {"id": sha256(f"{caller}\0{key}".encode()).hexdigest()} | body.model_dump(by_alias=True)
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
        return {name: value["S"] for name, value in existing["Item"].items()}
    started = glue.start_ml_labeling_set_generation_task_run(TransformId=body.transform_id, OutputS3Path=body.output_s3_path)
    run |= {"status": "STARTED", "taskRunId": started["TaskRunId"]}
    dynamodb.put_item(TableName=TABLE, Item={name: {"S": value} for name, value in run.items()})
    entry: Any = {"Source": "fastapi", "DetailType": "TaskRunStarted", "Detail": json.dumps(run)}
    events.put_events(Entries=[entry | {"EventBusName": os.environ["EVENT_BUS_NAME"]}])
    return run


handler = Mangum(app, lifespan="off")
