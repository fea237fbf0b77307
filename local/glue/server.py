"""The emulator as ASGI middleware: requests that are not its own go to the wrapped application."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.glue.admin import ADMIN_PREFIX, answer_admin
from local.glue.errors import unknown_operation
from local.glue.protocol import HttpResponse, error_response, handle_call, ml_operation
from local.glue.service import GlueService

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Own threads: an operation that reads the catalog may call the same server, whose default threads must then be free.
MAX_THREADS = 16


class GlueMiddleware:
    """Answers Glue's 13 ML operations and /_glue/…; passes every other request to `app` unchanged.

    The caller closes the service. Aborted connections need hypercorn (see `abort_connection`).
    """

    def __init__(self, app: App, service: GlueService) -> None:
        self._app = app
        self._service = service
        self._threads = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="glue")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        operation = ml_operation(_header(scope, b"x-amz-target"))
        if operation is not None and scope["method"] == "POST":
            body = await _read_body(receive)
            response = await self._in_thread(lambda: handle_call(self._service, operation, body))
            await _send_response(response, send)
        elif scope["path"].startswith(ADMIN_PREFIX):
            body = await _read_body(receive)
            method, path = scope["method"], scope["path"]
            await _send_response(await self._in_thread(lambda: answer_admin(self._service, method, path, body)), send)
        else:
            await self._app(scope, receive, send)

    async def _in_thread(self, work: Callable[[], HttpResponse]) -> HttpResponse:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


async def unknown_operation_app(scope: Scope, receive: Receive, send: Send) -> None:
    """The wrapped application of a server of its own: refuses every request."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    await _read_body(receive)
    await _send_response(error_response(unknown_operation(_header(scope, b"x-amz-target") or scope["path"])), send)


async def abort_connection(send: Send) -> None:
    """Close the connection without a response. ASGI has no message for that, so this uses hypercorn's own."""
    from hypercorn.protocol.events import StreamClosed  # noqa: PLC0415 - only this fault needs hypercorn

    stream: Any = getattr(send, "__self__", None)
    if not hasattr(stream, "stream_id"):
        raise RuntimeError("Connections can be aborted under hypercorn only.")
    stream.closed = True
    await stream.send(StreamClosed(stream_id=stream.stream_id))


async def _send_response(response: HttpResponse, send: Send) -> None:
    if response.delivery == "aborted":
        await abort_connection(send)
        return
    await asyncio.sleep(response.delay_seconds)
    headers = [(name.encode(), value.encode()) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": False})


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _header(scope: Mapping[str, Any], name: bytes) -> str | None:
    values = [value for key, value in scope["headers"] if key.lower() == name]
    return values[0].decode("latin-1") if values else None
