"""A labeling-set run with each part as in Powertools' documentation: idempotency, validation, tracing, logging, metrics."""

import json
import os
from typing import Annotated, Any
from uuid import uuid4

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

tracer = Tracer()
logger = Logger()
metrics = Metrics(namespace="Textbook")
app = APIGatewayRestResolver(enable_validation=True)
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
idempotency = IdempotencyConfig(
    event_key_jmespath='[requestContext.identity.userArn, headers."Idempotency-Key"]',
    payload_validation_jmespath="body",
    raise_on_no_idempotency_key=True,
)
dynamodb = boto3.client("dynamodb")
glue = boto3.client("glue")
events = boto3.client("events")


class LabelingSetRequest(BaseModel):
    transform_id: Annotated[str, Field(alias="transformId", pattern=r"^tfm-\w+$")]
    output_s3_path: Annotated[str, Field(alias="outputS3Path", pattern=r"^s3://.+")]


class Run(BaseModel):
    id: str
    transform_id: Annotated[str, Field(serialization_alias="transformId")]
    output_s3_path: Annotated[str, Field(serialization_alias="outputS3Path")]
    task_run_id: Annotated[str, Field(serialization_alias="taskRunId")]
    status: str


@app.post("/v1/labeling-set-runs")
@tracer.capture_method
def start_labeling_set_run(request: LabelingSetRequest, key: Annotated[str, Header(alias="Idempotency-Key")]) -> Response[Run]:
    started = glue.start_ml_labeling_set_generation_task_run(
        TransformId=request.transform_id, OutputS3Path=request.output_s3_path
    )
    run = Run(
        id=uuid4().hex,
        transform_id=request.transform_id,
        output_s3_path=request.output_s3_path,
        task_run_id=started["TaskRunId"],
        status="STARTED",
    )
    fields = run.model_dump(by_alias=True)
    dynamodb.put_item(TableName=os.environ["LEDGER_TABLE"], Item={name: {"S": value} for name, value in fields.items()})
    entry: Any = {"Source": "textbook", "DetailType": "TaskRunStarted", "Detail": json.dumps(fields)}
    events.put_events(Entries=[entry | {"EventBusName": os.environ["EVENT_BUS_NAME"]}])
    logger.info("started", key=key, run_id=run.id)
    metrics.add_metric(name="RunsStarted", unit=MetricUnit.Count, value=1)
    return Response(202, "application/json", run)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
@idempotent(config=idempotency, persistence_store=persistence)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
