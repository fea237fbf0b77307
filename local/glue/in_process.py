"""The service without sockets: answers a botocore client before it would send the request."""

from collections.abc import Callable
from typing import Any, Protocol, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from local.glue.protocol import HttpResponse, Service, handle_call, ml_operation

EVENT = "before-send.glue"


class Events(Protocol):
    def register(self, event_name: str, handler: Callable[..., Any]) -> None: ...


class RawBody:
    """A response body for botocore that comes from memory instead of a socket."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> list[bytes]:
        return [self._body]


def answer_in_process(events: Events, service: Service) -> None:
    """Let the service answer the Glue ML calls of a client (`client.meta.events`) or of a session (`session.events`).

    Other Glue operations are sent as before. A lost connection raises ConnectionClosedError and a late reply raises
    ReadTimeoutError at once, inside the client, so that the client's own retries apply.
    """

    def before_send(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        target: str | bytes | None = request.headers.get("X-Amz-Target")
        operation = ml_operation(target.decode() if isinstance(target, bytes) else target)
        if operation is None:
            return None
        body = cast("str | bytes", request.body or b"")
        response = handle_call(service, operation, body.encode() if isinstance(body, str) else bytes(body))
        return _deliver(request.url, response)

    events.register(EVENT, before_send)


def _deliver(url: str, response: HttpResponse) -> AWSResponse:
    if response.delivery == "aborted":
        raise ConnectionClosedError(endpoint_url=url)
    if response.delay_seconds > 0:
        raise ReadTimeoutError(endpoint_url=url)
    return AWSResponse(url, response.status, HTTPHeaders.from_dict(dict(response.headers)), RawBody(response.body))
