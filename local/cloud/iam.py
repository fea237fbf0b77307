"""IAM checks for the Glue ML operations. MiniStack checks the calls that it answers itself, but these never reach it."""

import json
from collections.abc import Mapping

from ministack.core.iam_evaluator import AuthError, enforce
from ministack.core.router import extract_access_key_id, extract_region

from local.glue.protocol import ml_operation
from local.glue.server import App, Message, Receive, Scope, Send
from local.glue.service import ACCOUNT_ID


class IamAuthorizer:
    """ASGI middleware: answers AccessDeniedException to ML operations that the caller may not call, passes on the rest."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
        operation = ml_operation(headers.get("x-amz-target")) if scope["type"] == "http" else None
        if operation is None:
            await self._app(scope, receive, send)
            return
        messages = await _read_request(receive)
        body = b"".join(message.get("body", b"") for message in messages)
        if refusal := _refusal(operation, body, headers):
            await _send_access_denied(refusal, send)
            return
        await self._app(scope, _replay(messages, receive), send)


def _refusal(operation: str, body: bytes, headers: Mapping[str, str]) -> str | None:
    """The error message, or None if the caller is authorized."""
    region = extract_region(headers)
    denial = enforce(extract_access_key_id(headers), f"glue:{operation}", "glue", region, _resource_arn(body, region))
    if denial is None:
        return None
    if isinstance(denial, AuthError):
        return str(denial.message)
    return f"User: {denial.principal_arn} is not authorized to perform: glue:{operation}"


def _resource_arn(body: bytes, region: str) -> str:
    """The transform's ARN; operations without a transform (create, list) are authorized on "*".

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html
    """
    try:
        transform_id = json.loads(body or b"{}").get("TransformId")
    except (ValueError, AttributeError):
        transform_id = None
    return f"arn:aws:glue:{region}:{ACCOUNT_ID}:mlTransform/{transform_id}" if isinstance(transform_id, str) else "*"


async def _read_request(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _replay(messages: list[Message], receive: Receive) -> Receive:
    """A `receive` that returns the messages already read, then goes on with the original."""
    remaining = list(messages)

    async def next_message() -> Message:
        return remaining.pop(0) if remaining else await receive()

    return next_message


async def _send_access_denied(message: str, send: Send) -> None:
    body = json.dumps({"__type": "AccessDeniedException", "Message": message}).encode()
    headers = [(b"content-type", b"application/x-amz-json-1.1"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
