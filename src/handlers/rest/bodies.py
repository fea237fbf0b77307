"""Request bodies are checked before Powertools reads them: it would accept forms, and raises on some malformed JSON."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from handlers.rest.headers import CONTENT_TYPE, header, with_headers_read
from handlers.rest.problems import MALFORMED_JSON, ProblemKind, problem

JSON = "application/json"
# The largest valid start, with every field at its limit and every character escaped, stays below 26 kB. API Gateway's own
# limit is 10 MB and cannot be changed.
MAX_BYTES = 32_768
TOO_LARGE = ProblemKind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request too large", f"The body has more than {MAX_BYTES} bytes.")
UNSUPPORTED_MEDIA_TYPE = ProblemKind(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", f"Send the body as {JSON}.")


def body_problem(event: dict[str, Any]) -> Response[str] | None:
    """413 for a body that is too long, 415 for another content type, 400 for malformed JSON; None if there is no problem."""
    if not event.get("body"):
        return None
    if _body_bytes(event) > MAX_BYTES:
        return problem(TOO_LARGE)
    media_type = (header(event, CONTENT_TYPE) or JSON).partition(";")[0].strip().lower()
    if media_type != JSON:
        return problem(UNSUPPORTED_MEDIA_TYPE)
    try:
        _ = APIGatewayProxyEvent(event).json_body
    except (ValueError, RecursionError):  # invalid base64, UTF-8 or JSON, or nested too deeply
        return problem(MALFORMED_JSON)
    return None


def _body_bytes(event: dict[str, Any]) -> int:
    """The length of the body as it was sent; base64 stands for at most three quarters of its own length."""
    length = len(event["body"].encode())
    return length * 3 // 4 if event.get("isBase64Encoded") else length


def with_json_content_type(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the content type spelled as Powertools compares it, and without headers that are not read."""
    read = with_headers_read(event)
    headers = {name: value for name, value in read["headers"].items() if name.lower() != CONTENT_TYPE.lower()}
    return read | {"headers": headers | {CONTENT_TYPE: JSON}}
