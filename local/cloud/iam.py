"""IAM in front of the Glue ML engine: MiniStack checks the rights of every call that it answers, but never sees these."""

import json
from collections.abc import Mapping

from ministack.core.iam_evaluator import AuthError, enforce
from ministack.core.router import extract_access_key_id, extract_region

from local.glue.protocol import ml_operation
from local.glue.server import App, Message, Receive, Scope, Send
from local.glue.service import ACCOUNT_ID


class Authorized:
    """Passes everything to `app` but the ML operations that the caller has no right to, which get AccessDeniedException."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
        operation = ml_operation(headers.get("x-amz-target")) if scope["type"] == "http" else None
        if operation is None:
            await self._app(scope, receive, send)
            return
        messages = await _whole_request(receive)
        if refusal := _refusal(operation, b"".join(message.get("body", b"") for message in messages), headers):
            await _send_refusal(refusal, send)
            return
        await self._app(scope, _replayed(messages, receive), send)


def _refusal(operation: str, body: bytes, headers: Mapping[str, str]) -> str | None:
    region = extract_region(headers)
    denied = enforce(extract_access_key_id(headers), f"glue:{operation}", "glue", region, _resource(body, region))
    if denied is None:
        return None
    if isinstance(denied, AuthError):
        return str(denied.message)
    return f"User: {denied.principal_arn} is not authorized to perform: glue:{operation}"


def _resource(body: bytes, region: str) -> str:
    """The transform; what names none (create, list) is authorized on "*".

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html
    """
    try:
        transform_id = json.loads(body or b"{}").get("TransformId")
    except (ValueError, AttributeError):
        transform_id = None
    return f"arn:aws:glue:{region}:{ACCOUNT_ID}:mlTransform/{transform_id}" if isinstance(transform_id, str) else "*"


async def _whole_request(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    left = list(messages)

    async def again() -> Message:
        return left.pop(0) if left else await receive()

    return again


async def _send_refusal(message: str, send: Send) -> None:
    body = json.dumps({"__type": "AccessDeniedException", "Message": message}).encode()
    headers = [(b"content-type", b"application/x-amz-json-1.1"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
