"""Glue's wire protocol (AWS JSON 1.1): from a request body to a response, independent of the transport."""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from local.glue.api_model import ML_OPERATIONS, TARGET_PREFIX, check_output, operation_model, parse_input
from local.glue.errors import GlueError, internal, malformed, throttled
from local.glue.faults import CallFault, Faults

logger = logging.getLogger(__name__)

Operation = Callable[[dict[str, Any]], Mapping[str, Any]]


class Service(Protocol):
    """The operations by name, and the faults that are switched on."""

    @property
    def faults(self) -> Faults: ...
    @property
    def operations(self) -> Mapping[str, Operation]: ...


@dataclass(frozen=True)
class HttpResponse:
    """`delivery`: "sent" after `delay_seconds`, or "aborted": the connection is closed without a response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    delivery: Literal["sent", "aborted"] = "sent"
    delay_seconds: float = 0.0


def ml_operation(target: str | None) -> str | None:
    """The ML operation that an X-Amz-Target names; None for any other target."""
    if target is None or not target.startswith(TARGET_PREFIX):
        return None
    operation = target.removeprefix(TARGET_PREFIX)
    return operation if operation in ML_OPERATIONS else None


def check_operations(operations: Mapping[str, Operation]) -> None:
    """Raises ValueError if an operation is missing, and botocore's error if the model does not have it."""
    for name in operations:
        operation_model(name)
    if set(operations) != set(ML_OPERATIONS):
        raise ValueError(f"Operations differ from Glue's ML operations: {sorted(set(operations) ^ set(ML_OPERATIONS))}")


def handle_call(service: Service, operation: str, body: bytes) -> HttpResponse:
    """Handle one call, with the faults that are on. Never raises."""
    fault = service.faults.take(operation)
    fault_response = _fault_before_handling(fault)
    if fault_response is not None:
        return fault_response
    reply = _handle(service, operation, body)
    return reply if fault is None else _fault_after_handling(fault, reply)


def error_response(error: GlueError) -> HttpResponse:
    return _reply(error.status, {"__type": error.code, "Message": error.message})


def _handle(service: Service, operation: str, body: bytes) -> HttpResponse:
    try:
        handler = service.operations[operation]
        output = check_output(operation, handler(parse_input(operation, _document(body))))
    except GlueError as error:
        return error_response(error)
    except Exception:
        logger.exception("GLUE_FAULT operation=%s", operation)
        return error_response(internal())
    return _reply(200, output)


def _document(body: bytes) -> object:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise malformed("The request's body is not valid JSON.") from error


def _fault_before_handling(fault: CallFault | None) -> HttpResponse | None:
    match fault.kind if fault else None:
        case "throttling":
            return error_response(throttled())
        case "internal-error":
            return error_response(internal())
        case "lost-request":
            return HttpResponse(0, (), b"", delivery="aborted")
        case _:
            return None


def _fault_after_handling(fault: CallFault, reply: HttpResponse) -> HttpResponse:
    match fault.kind:
        case "lost-reply":
            return HttpResponse(0, (), b"", delivery="aborted")
        case "late-reply":
            return HttpResponse(reply.status, reply.headers, reply.body, delay_seconds=fault.seconds)
        case "internal-error-after":
            return error_response(internal())
        case _:
            return reply


def _reply(status: int, document: Mapping[str, Any]) -> HttpResponse:
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = (
        ("content-type", "application/x-amz-json-1.1"),
        ("content-length", str(len(body))),
        ("x-amzn-requestid", str(uuid.uuid4())),
    )
    return HttpResponse(status, headers, body)
