"""Request headers: names in any case, and the few that anything here reads."""

from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "Content-Type"
CORRELATION_ID = "X-Correlation-Id"
IDEMPOTENCY_KEY = "Idempotency-Key"
_READ = {name.lower() for name in (CONTENT_TYPE, CORRELATION_ID, IDEMPOTENCY_KEY)}


def header(event: Mapping[str, Any], name: str) -> str | None:
    """The value of the header `name`, if it was sent."""
    wanted = name.lower()
    return next((value for sent, value in (event.get("headers") or {}).items() if sent.lower() == wanted), None)


def with_headers_read(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with no other headers than those: Powertools copies them all some eight times a request."""
    kept = ("headers", "multiValueHeaders")
    return {**event, **{kind: _of_those_read(event.get(kind)) for kind in kept}}


def _of_those_read(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (headers or {}).items() if name.lower() in _READ}
