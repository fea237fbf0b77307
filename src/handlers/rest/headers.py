"""The headers that this API reads and sends; names of request headers match in any case."""

from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "Content-Type"
CORRELATION_ID = "X-Correlation-Id"
ETAG = "ETag"
IDEMPOTENCY_KEY = "Idempotency-Key"
IDEMPOTENCY_REPLAYED = "Idempotency-Replayed"
IF_MATCH = "If-Match"
LOCATION = "Location"
RETRY_AFTER = "Retry-After"
_READ = {name.lower() for name in (CONTENT_TYPE, CORRELATION_ID, IDEMPOTENCY_KEY)}


def header(event: Mapping[str, Any], name: str) -> str | None:
    """The value of the header `name`, or None if it was not sent."""
    lower = name.lower()
    return next((value for sent, value in (event.get("headers") or {}).items() if sent.lower() == lower), None)


def with_headers_read(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event without the headers that this API does not read: Powertools copies all headers about eight times a request."""
    return {**event, **{field: _only_read(event.get(field)) for field in ("headers", "multiValueHeaders")}}


def _only_read(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (headers or {}).items() if name.lower() in _READ}
