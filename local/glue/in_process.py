"""The same service without sockets: it answers a botocore client from inside, before the request would be sent."""

from collections.abc import Callable
from typing import Any, Protocol, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from local.glue.protocol import Reply, Service, answer, ml_operation

EVENT = "before-send.glue"


class Events(Protocol):
    def register(self, event_name: str, handler: Callable[..., Any]) -> None: ...


class RawBody:
    """What botocore reads a body from when nothing came over a socket."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> list[bytes]:
        return [self._body]


def answer_in_process(events: Events, service: Service) -> None:
    """Makes a client (`client.meta.events`) or a session (`session.events`) take its Glue ML answers from the service.

    Other Glue operations go on as before. A lost connection raises ConnectionClosedError and a late reply
    ReadTimeoutError, at once, where the client would have seen them; so the client's own retries happen too.
    """

    def before_send(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        target: str | bytes | None = request.headers.get("X-Amz-Target")
        operation = ml_operation(target.decode() if isinstance(target, bytes) else target)
        if operation is None:
            return None
        body = cast("str | bytes", request.body or b"")
        reply = answer(service, operation, body.encode() if isinstance(body, str) else bytes(body))
        return _carried(request.url, reply)

    events.register(EVENT, before_send)


def _carried(url: str, reply: Reply) -> AWSResponse:
    if reply.carried == "aborted":
        raise ConnectionClosedError(endpoint_url=url)
    if reply.delay_seconds > 0:
        raise ReadTimeoutError(endpoint_url=url)
    return AWSResponse(url, reply.status, HTTPHeaders.from_dict(dict(reply.headers)), RawBody(reply.body))
