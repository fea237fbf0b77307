"""What OpenAPI says beyond what the routes' types say."""

from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn

from handlers.problems import CONTENT_TYPE, ProblemDetails

_STATES = """
A labeling set is written under a prefix of the run's own: `{outputS3Path}/{id}/`. The run's status is one of
RESERVED, QUEUED, UNCONFIRMED (accepted), STARTING, RUNNING, STOPPING (in Glue), SUCCEEDED, FAILED, STOPPED, TIMEOUT (ended
in Glue), REFUSED, START_FAILED, CANCELLED (never started; the same key may be sent again), LOST.
"""


def _problem(description: str, *headers: str) -> dict[str, Any]:
    described = {name: {"description": f"See {name}.", "schema": {"type": "string"}} for name in headers}
    return {"description": description, "content": {CONTENT_TYPE: {"model": ProblemDetails}}, "headers": described}


def _route(status: HTTPStatus, description: str, problems: dict[int, dict[str, Any]], *headers: str) -> dict[str, Any]:
    described = {name: {"description": f"See {name}.", "schema": {"type": "string"}} for name in headers}
    ok = {"description": description, "headers": described}
    return {"responses": {int(status): ok} | problems, "status_code": int(status), "tags": ["task runs"]}


_INTERNAL = {500: _problem("An internal fault.")}
_LATER = {503: _problem("A passing fault, nothing was started; the same key may be sent again.", "Retry-After")}
_UNKNOWN_RUN = {404: _problem("No such task run.")}

START: dict[str, Any] = _route(
    HTTPStatus.ACCEPTED,
    "Accepted: the task run, started or on its way. A replay shows it as it stands now.",
    {
        400: _problem("The Idempotency-Key is missing or malformed, or the body is not JSON."),
        404: _problem("Glue knows no such transform; the run is recorded as REFUSED."),
        409: _problem("The first request with this key is still in flight.", "Retry-After"),
        415: _problem("The body is not application/json."),
        422: _problem("Invalid fields, a path that is not allowed, a key reused with another payload, or Glue's no."),
        429: _problem("Glue is at its limit and the transform's queue is full.", "Retry-After"),
    }
    | _LATER
    | _INTERNAL,
    "Location",
    "Retry-After",
    "Idempotency-Replayed",
)
GET: dict[str, Any] = _route(HTTPStatus.OK, "The task run.", _UNKNOWN_RUN | _LATER | _INTERNAL)
LIST: dict[str, Any] = _route(
    HTTPStatus.OK,
    "One page of task runs; it may be short although there is a next one.",
    {400: _problem("A cursor of another listing."), 422: _problem("Invalid parameters.")} | _LATER | _INTERNAL,
)
CANCEL: dict[str, Any] = _route(
    HTTPStatus.ACCEPTED,
    "The task run, cancelled or about to be.",
    _UNKNOWN_RUN | {409: _problem("The task run is already over.")} | _LATER | _INTERNAL,
)


@cache
def openapi_json(app: APIGatewayRestResolver) -> str:
    """The API's OpenAPI 3.1 document."""
    signed = APIKey(name="Authorization", in_=APIKeyIn.header, description="AWS Signature Version 4, service execute-api")
    return app.get_openapi_json_schema(
        title="Glue Label Loop",
        version="1",
        openapi_version="3.1.0",
        description="Starts AWS Glue FindMatches task runs exactly as often as they are asked for." + _STATES,
        security_schemes={"sigv4": signed},
        security=[{"sigv4": []}],
    )
