"""The API's OpenAPI document, made from its routes."""

import json
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, Server, ServerVariable, Tag

from handlers.rest.documentation import INTERNAL_FAULT
from handlers.rest.examples import examples

_ABOUT = """Starts AWS Glue FindMatches task runs exactly as often as they are asked for.

A labeling set is written under a prefix of the run's own: `{outputS3Path}/{id}/`. The run's status is one of
RESERVED, QUEUED, UNCONFIRMED (accepted), STARTING, RUNNING, STOPPING (in Glue), SUCCEEDED, FAILED, STOPPED, TIMEOUT (ended
in Glue), REFUSED, START_FAILED, CANCELLED (never started; the same key may be sent again), LOST.

Errors are RFC 9457 problems; so are a path that there is not (404), a method that a path does not take (405, with `Allow`),
and what API Gateway itself refuses, such as a request without a valid signature (403)."""
# What Powertools documents of itself, but never answers here.
_NOT_OURS = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


@cache
def openapi_json(app: APIGatewayRestResolver) -> str:
    """The API's OpenAPI 3.1 document."""
    signed = APIKey(name="Authorization", in_=APIKeyIn.header, description="AWS Signature Version 4, service execute-api")
    known = {"apiId": "abcde12345", "region": "us-east-1", "stage": "live"}
    address = Server(
        url="https://{apiId}.execute-api.{region}.amazonaws.com/{stage}",
        variables={name: ServerVariable(default=value) for name, value in known.items()},
    )
    document = app.get_openapi_json_schema(
        title="Glue Label Loop",
        version="1",
        openapi_version="3.1.0",
        description=_ABOUT,
        servers=[address],
        tags=[Tag(name="task runs", description="Start, follow and cancel."), Tag(name="about", description="This API.")],
        security_schemes={"sigv4": signed},
        security=[{"sigv4": []}],
    )
    return json.dumps(_as_it_is(json.loads(document)), ensure_ascii=False)


def _as_it_is(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what Powertools says of itself, and with examples."""
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    for operation in operations:
        answers = operation["responses"] | {"500": INTERNAL_FAULT}
        operation["responses"] = {status: answers[status] for status in sorted(answers) if _is_ours(answers[status])}
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "idempotency-key":
                parameter["name"] = "Idempotency-Key"
    schemas = {name: one for name, one in document["components"]["schemas"].items() if name not in _NOT_OURS}
    for name, example in examples().items():
        schemas[name]["examples"] = [example.model_dump(mode="json", by_alias=True)]
    document["components"]["schemas"] = schemas
    return document


def _is_ours(answer: dict[str, Any]) -> bool:
    return not any(f"/{name}" in json.dumps(answer) for name in _NOT_OURS)
