"""What may happen to one AWS call, and how it is brought about inside the process that makes the call."""

import itertools
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.model import OperationModel

_ASKED_ONCE = ("StartMLLabelingSetGenerationTaskRun", "StartImportLabelsTaskRun", "StartExportLabelsTaskRun")
_STARTER_TIMEOUT, _TIMEOUT = 15, 5  # seconds, as handlers.wiring sets them
_SERVER_FAULTS = ("InternalServerError", "InternalServiceException", "InternalException")


class Kind(StrEnum):
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    REQUEST_LOST = "connection lost, nothing done"
    ANSWER_LOST = "done, connection lost"
    ANSWER_LATE = "done, answer after the timeout"
    SERVER_ERROR = "500, nothing done"
    SERVER_ERROR_AFTER = "500, and yet done"
    THROTTLED = "throttled"
    UNREACHABLE = "cannot be reached"
    MODELED = "modeled error"


_DONE = (Kind.KILLED_AFTER, Kind.ANSWER_LOST, Kind.ANSWER_LATE, Kind.SERVER_ERROR_AFTER)


@dataclass(frozen=True)
class Fault:
    """What happens to the `call`-th AWS call (from 1), and, if `lasting`, to all later calls of the same operation."""

    call: int
    operation: str
    kind: Kind
    code: str = ""
    lasting: bool = False
    everywhere: bool = False  # to every call of any operation

    def __str__(self) -> str:
        name = self.code or self.kind
        return f"{self.call}. call {self.operation}: {name}{', from then on' if self.lasting else ''}"

    @property
    def kills(self) -> bool:
        return self.kind in (Kind.KILLED_BEFORE, Kind.KILLED_AFTER)

    def befalls(self, number: int, operation: str) -> bool:
        later = self.lasting and number > self.call and self.operation.endswith(f".{operation}")
        return number == self.call or later or self.everywhere


def faults_of(calls: tuple[str, ...]) -> Iterator[Fault]:
    """Every fault at every one of `calls` ("service.Operation", in the order in which a handler makes them)."""
    for number, call in enumerate(calls, start=1):
        service, _, operation = call.partition(".")
        kinds: list[tuple[Kind, str]] = [(kind, "") for kind in Kind if kind is not Kind.MODELED]
        kinds += [(Kind.MODELED, error.name) for error in _operation(service, operation).error_shapes]
        for kind, code in kinds:
            once = Fault(number, call, kind, code)
            yield once
            if operation not in _ASKED_ONCE and not once.kills:
                yield Fault(number, call, kind, code, lasting=True)


class Injector:
    """Sits in front of every HTTP request of a process. `seconds_lost` is how long time-outs have kept it waiting."""

    def __init__(self, fault: Fault | None, trace: int) -> None:
        self.fault = fault
        self.seconds_lost = 0.0
        self._trace = trace
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def __call__(self, request: AWSPreparedRequest, event_name: str) -> AWSResponse | None:
        _, service, operation = event_name.split(".")
        service = {"dynamodb": "dynamodb", "eventbridge": "events"}.get(service, service)
        with self._lock:
            number = next(self._numbers)
            os.write(self._trace, f"call {service}.{operation}\n".encode())
        fault = self.fault
        if fault is None or not fault.befalls(number, operation):
            return None
        os.write(self._trace, b"hit\n")
        return self._carry_out(fault, request, service, operation)

    def _carry_out(self, fault: Fault, request: AWSPreparedRequest, service: str, operation: str) -> AWSResponse | None:
        url = str(request.url)
        if fault.kind in _DONE:
            URLLib3Session(timeout=30).send(request)  # what it asks for is really done, whatever its caller gets to see
        match fault.kind:
            case Kind.KILLED_BEFORE | Kind.KILLED_AFTER:
                os.kill(os.getpid(), signal.SIGKILL)
            case Kind.REQUEST_LOST | Kind.ANSWER_LOST:
                raise ConnectionClosedError(endpoint_url=url)
            case Kind.ANSWER_LATE:
                self.seconds_lost += _STARTER_TIMEOUT if operation in _ASKED_ONCE else _TIMEOUT
                raise ReadTimeoutError(endpoint_url=url)
            case Kind.UNREACHABLE:
                raise EndpointConnectionError(endpoint_url=url)
            case Kind.SERVER_ERROR | Kind.SERVER_ERROR_AFTER:
                return _answer(request, service, 500, "InternalFailure")
            case Kind.THROTTLED:
                return _answer(request, service, 400, "ThrottlingException")
            case Kind.MODELED:
                return _answer(request, service, _status(service, operation, fault.code), fault.code)
        return None


def _answer(request: AWSPreparedRequest, service: str, status: int, code: str) -> AWSResponse:
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>chaos</Message></Error>".encode()
        return _response(request, status, "application/xml", body)
    document: dict[str, Any] = {"__type": code, "message": "chaos"}
    if code == "TransactionCanceledException":
        document["CancellationReasons"] = [{"Code": "TransactionConflict"}, {"Code": "None"}]
    body = json.dumps(document).encode()
    return _response(request, status, "application/x-amz-json-1.1", body)


def _response(request: AWSPreparedRequest, status: int, content_type: str, body: bytes) -> AWSResponse:
    headers: Any = {"content-type": content_type}
    return AWSResponse(str(request.url), status, headers, _Raw(body))


class _Raw:
    """As much of urllib3's response as botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: object, **__: object) -> bytes:
        body, self._body = self._body, b""
        return body


def _status(service: str, operation: str, code: str) -> int:
    shape = next(error for error in _operation(service, operation).error_shapes if error.name == code)
    told: Mapping[str, Any] = shape.metadata.get("error", {})
    return int(told.get("httpStatusCode", 500 if code in _SERVER_FAULTS else 400))


@cache
def _models() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def _operation(service: str, operation: str) -> OperationModel:
    return _models().get_service_model(service).operation_model(operation)
