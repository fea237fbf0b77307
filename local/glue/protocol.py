"""One call of Glue's wire protocol (AWS JSON 1.1), from the body's bytes to the answer's, whatever carries them."""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from local.glue.errors import GlueError, internal, malformed, throttled
from local.glue.faults import CallFault, Faults
from local.glue.model import ML_OPERATIONS, TARGET_PREFIX, check_output, operation_model, parse_input

logger = logging.getLogger(__name__)

Operation = Callable[[dict[str, Any]], Mapping[str, Any]]


class Service(Protocol):
    """What answers: an operation per name, and the faults it is told to have."""

    @property
    def faults(self) -> Faults: ...
    @property
    def operations(self) -> Mapping[str, Operation]: ...


@dataclass(frozen=True)
class Reply:
    """`carried`: "sent" after `delay_seconds`, or "aborted": the connection ends without a byte of answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    carried: Literal["sent", "aborted"] = "sent"
    delay_seconds: float = 0.0


def ml_operation(target: str | None) -> str | None:
    """The ML operation that an X-Amz-Target names; None for everything that is not ours to answer."""
    if target is None or not target.startswith(TARGET_PREFIX):
        return None
    operation = target.removeprefix(TARGET_PREFIX)
    return operation if operation in ML_OPERATIONS else None


def check_operations(operations: Mapping[str, Operation]) -> None:
    """Raises at start-up if an operation is missing, or is not one of the model's."""
    for name in operations:
        operation_model(name)
    if set(operations) != set(ML_OPERATIONS):
        raise ValueError(f"Operations differ from Glue's ML part: {sorted(set(operations) ^ set(ML_OPERATIONS))}")


def answer(service: Service, operation: str, body: bytes) -> Reply:
    """Does what the call asks, unless a fault is on; never raises."""
    fault = service.faults.next_of(operation)
    early = _before_the_work(fault)
    if early is not None:
        return early
    reply = _work(service, operation, body)
    return reply if fault is None else _after_the_work(fault, reply)


def refusal(error: GlueError) -> Reply:
    return _reply(error.status, {"__type": error.code, "Message": error.message})


def _work(service: Service, operation: str, body: bytes) -> Reply:
    try:
        handler = service.operations[operation]
        output = check_output(operation, handler(parse_input(operation, _document(body))))
    except GlueError as error:
        return refusal(error)
    except Exception:
        logger.exception("GLUE_FAULT operation=%s", operation)
        return refusal(internal())
    return _reply(200, output)


def _document(body: bytes) -> object:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise malformed("The request's body is not valid JSON.") from error


def _before_the_work(fault: CallFault | None) -> Reply | None:
    match fault.kind if fault else None:
        case "throttling":
            return refusal(throttled())
        case "internal-error":
            return refusal(internal())
        case "lost-request":
            return Reply(0, (), b"", carried="aborted")
        case _:
            return None


def _after_the_work(fault: CallFault, reply: Reply) -> Reply:
    match fault.kind:
        case "lost-reply":
            return Reply(0, (), b"", carried="aborted")
        case "late-reply":
            return Reply(reply.status, reply.headers, reply.body, delay_seconds=fault.seconds)
        case "internal-error-after":
            return refusal(internal())
        case _:
            return reply


def _reply(status: int, document: Mapping[str, Any]) -> Reply:
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = (
        ("content-type", "application/x-amz-json-1.1"),
        ("content-length", str(len(body))),
        ("x-amzn-requestid", str(uuid.uuid4())),
    )
    return Reply(status, headers, body)
