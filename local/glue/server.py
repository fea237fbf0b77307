"""Glue's ML part as ASGI: in front of another application, which gets every request that is not ours."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.glue.admin import ADMIN_PREFIX, answer_admin
from local.glue.errors import unknown_operation
from local.glue.protocol import Reply, answer, ml_operation, refusal
from local.glue.service import GlueService

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# A pool of our own: operations that read the catalog may call back into the same server, whose own threads must be free.
THREADS = 16


class GlueMiddleware:
    """Answers Glue's 13 ML operations and /_glue/…; passes everything else to `app`, untouched.

    The service stays the caller's to close. Lost connections need hypercorn (see `abort`).
    """

    def __init__(self, app: App, service: GlueService) -> None:
        self._app = app
        self._service = service
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="glue")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        operation = ml_operation(_header(scope, b"x-amz-target"))
        if operation is not None and scope["method"] == "POST":
            body = await _whole_body(receive)
            reply = await self._in_thread(lambda: answer(self._service, operation, body))
            await _carry(reply, send)
        elif scope["path"].startswith(ADMIN_PREFIX):
            body = await _whole_body(receive)
            method, path = scope["method"], scope["path"]
            await _carry(await self._in_thread(lambda: answer_admin(self._service, method, path, body)), send)
        else:
            await self._app(scope, receive, send)

    async def _in_thread(self, work: Callable[[], Reply]) -> Reply:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


async def nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    """The application behind a server that stands alone: says what it does not do."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    await _whole_body(receive)
    await _carry(refusal(unknown_operation(_header(scope, b"x-amz-target") or scope["path"])), send)


async def abort(send: Send) -> None:
    """Ends the connection without a byte of answer. ASGI has no word for it; this speaks hypercorn's own."""
    from hypercorn.protocol.events import StreamClosed  # noqa: PLC0415 - only this fault needs hypercorn

    stream: Any = getattr(send, "__self__", None)
    if not hasattr(stream, "stream_id"):
        raise RuntimeError("Connections can be aborted under hypercorn only.")
    stream.closed = True
    await stream.send(StreamClosed(stream_id=stream.stream_id))


async def _carry(reply: Reply, send: Send) -> None:
    if reply.carried == "aborted":
        await abort(send)
        return
    await asyncio.sleep(reply.delay_seconds)
    headers = [(name.encode(), value.encode()) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})


async def _whole_body(receive: Receive) -> bytes:
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
    found = [value for key, value in scope["headers"] if key.lower() == name]
    return found[0].decode("latin-1") if found else None
