"""Request bodies, before Powertools reads them: it would also read a form, and it trips over some of what is no JSON."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from handlers.rest.headers import CONTENT_TYPE, header, with_headers_read
from handlers.rest.problems import problem

JSON = "application/json"
# The largest start, every field at its limit and every character escaped, stays below 26 kB. The gateway's own 10 MB is fixed.
MAX_BYTES = 32_768


def unreadable(event: dict[str, Any]) -> Response[str] | None:
    """The problem with the body, if there is one: 413 if it is too long, 415 if it is said to be no JSON, 400 if it is none."""
    if not event.get("body"):
        return None
    if _size(event) > MAX_BYTES:
        detail = f"a body may have {MAX_BYTES} bytes"
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request too large", detail)
    media_type = (header(event, CONTENT_TYPE) or JSON).partition(";")[0].strip().lower()
    if media_type != JSON:
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", f"send {JSON}, not {media_type[:100]}")
    try:
        _ = APIGatewayProxyEvent(event).json_body
    except (ValueError, RecursionError):  # no base64, no UTF-8, no JSON, or nested without end
        return problem(HTTPStatus.BAD_REQUEST, "Malformed JSON", "the body is not JSON")
    return None


def _size(event: dict[str, Any]) -> int:
    """Bytes as they came; base64 counts as what it stands for, at most."""
    length = len(event["body"].encode())
    return length * 3 // 4 if event.get("isBase64Encoded") else length


def as_json(event: dict[str, Any]) -> dict[str, Any]:
    """The event with a content type that Powertools, which minds its case, takes for JSON; and no headers that nobody reads."""
    read = with_headers_read(event)
    headers = {name: value for name, value in read["headers"].items() if name.lower() != CONTENT_TYPE.lower()}
    return read | {"headers": headers | {CONTENT_TYPE: JSON}}
