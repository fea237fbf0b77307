"""The API's OpenAPI document: paths and schemas from the routes' types, texts and responses from `documentation`."""

import json
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, License, Server, ServerVariable, Tag

from handlers.rest import labeling_documentation
from handlers.rest.documentation import IDEMPOTENCY_KEY_DESCRIPTION, IDEMPOTENCY_KEY_SCHEMA, OPERATIONS
from handlers.rest.examples import examples
from handlers.rest.headers import IDEMPOTENCY_KEY
from handlers.rest.labeling_examples import labeling_examples
from handlers.rest.problems import ProblemDetails
from handlers.rest.routes import METHODS

_DESCRIPTION = """Starts AWS Glue FindMatches task runs exactly once per request.

Every request is signed with AWS Signature Version 4 for the service `execute-api`.

A start request carries an `Idempotency-Key`. The same key with the same payload returns the same run, whatever was lost on
the way. A run that ended as `REFUSED`, `START_FAILED` or `CANCELLED` was never started: the same key may be sent again and
makes a new attempt.

A run is accepted as `RESERVED`, `QUEUED` or `UNCONFIRMED`. In Glue it is `STARTING`, `RUNNING` or `STOPPING`. It ends as
`SUCCEEDED`, `FAILED`, `STOPPED`, `TIMEOUT`, `REFUSED`, `START_FAILED`, `CANCELLED` or `LOST`.

Errors are problem details (RFC 9457), those of API Gateway included. An unknown path is a 404 and a wrong method is a 405 with
`Allow`."""
_SERVER_VARIABLES = {"apiId": "abcde12345", "region": "us-east-1", "stage": "live"}
_PATHS = [route.replace("<", "{").replace(">", "}") for route in METHODS]
_REFERENCE = "#/components/schemas/{model}"


@cache
def openapi_json(app: APIGatewayRestResolver) -> str:
    """The OpenAPI 3.1 document as JSON."""
    document = app.get_openapi_json_schema(
        title="Glue Label Loop",
        version="1",
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        license_info=License(name="MIT", identifier="MIT"),
        servers=[
            Server(
                url="https://{apiId}.execute-api.{region}.amazonaws.com/{stage}",
                variables={name: ServerVariable(default=default) for name, default in _SERVER_VARIABLES.items()},
            )
        ],
        tags=[
            Tag(name="task runs", description="Start, follow and cancel task runs."),
            Tag(name="labeling sets", description="Have people label a set: links to its page, answers, agreement."),
            Tag(name="about", description="This API."),
        ],
        security_schemes={
            "sigv4": APIKey(
                name="Authorization", in_=APIKeyIn.header, description="AWS Signature Version 4 for the service execute-api."
            )
        },
        security=[{"sigv4": []}],
    )
    return json.dumps(_documented(json.loads(document)), ensure_ascii=False)


def _documented(document: dict[str, Any]) -> dict[str, Any]:
    """`document`, as Powertools derives it from the routes, with the responses, descriptions and examples of this API."""
    paths = {
        path: {method: _operation(operation) for method, operation in operations.items()}
        for path, operations in sorted(document["paths"].items(), key=lambda item: _PATHS.index(item[0]))
    }
    document["components"]["securitySchemes"]["sigv4"]["x-amazon-apigateway-authtype"] = "awsSigv4"
    derived = {name: schema for name, schema in document["components"]["schemas"].items() if "ValidationError" not in name}
    document["components"]["schemas"] = dict(sorted((_schemas(derived) | _problem_schemas()).items()))
    return document | {"paths": paths}


def _operation(derived: dict[str, Any]) -> dict[str, Any]:
    documented = (OPERATIONS | labeling_documentation.OPERATIONS)[derived["operationId"]]
    responses = {str(status): _without_empty(response) for status, response in documented["responses"].items()}
    parameters = [_parameter(parameter) for parameter in derived.get("parameters", [])]
    return derived | documented | ({"parameters": parameters} if parameters else {}) | {"responses": responses}


def _parameter(derived: dict[str, Any]) -> dict[str, Any]:
    if derived["name"] == IDEMPOTENCY_KEY.lower():  # Powertools puts names of headers in lower case
        return derived | {
            "name": IDEMPOTENCY_KEY,
            "description": IDEMPOTENCY_KEY_DESCRIPTION,
            "schema": IDEMPOTENCY_KEY_SCHEMA,
        }
    schema = {name: value for name, value in derived["schema"].items() if name not in ("title", "description")}
    for choice in schema.pop("anyOf", []):  # of the type and null, which a query cannot express
        if choice != {"type": "null"}:
            schema |= choice
    return derived | {"schema": _plain(schema)}


def _schemas(derived: dict[str, Any]) -> dict[str, Any]:
    schemas = {name: _plain(schema) | {"title": name} for name, schema in derived.items()}
    for name, example in (examples() | labeling_examples()).items():
        schemas[name]["examples"] = [example.model_dump(mode="json", by_alias=True)]
    return schemas


def _problem_schemas() -> dict[str, Any]:
    schema = ProblemDetails.model_json_schema(ref_template=_REFERENCE)
    definitions = schema.pop("$defs")
    return {name: _plain(each) | {"title": name} for name, each in {**definitions, "ProblemDetails": schema}.items()}


def _plain(part: Any) -> Any:  # noqa: ANN401  any JSON
    """A schema without the titles that pydantic makes of names, and with whole numbers as integers."""
    match part:
        case dict():
            return {name: _plain(value) for name, value in part.items() if not (name == "title" and isinstance(value, str))}
        case list():
            return [_plain(each) for each in part]
        case float() if part.is_integer():
            return int(part)
        case _:
            return part


def _without_empty(response: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if value}
