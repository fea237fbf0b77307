"""Faults of AWS calls, and the injector that causes them in the process that makes the call."""

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

_NEVER_RETRIED = (
    "StartMLLabelingSetGenerationTaskRun",
    "StartImportLabelsTaskRun",
    "StartExportLabelsTaskRun",
    "StartMLEvaluationTaskRun",
)
_START_TIMEOUT_SECONDS, _TIMEOUT_SECONDS = 15, 5  # as handlers.wiring sets them
_SERVER_ERROR_CODES = ("InternalServerError", "InternalServiceException", "InternalException")


class Kind(StrEnum):
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    REQUEST_LOST = "request lost"
    RESPONSE_LOST = "carried out, response lost"
    RESPONSE_LATE = "carried out, response after the timeout"
    SERVER_ERROR = "500, not carried out"
    SERVER_ERROR_AFTER = "500, carried out"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    MODELED = "modeled error"


_CARRIED_OUT = (Kind.KILLED_AFTER, Kind.RESPONSE_LOST, Kind.RESPONSE_LATE, Kind.SERVER_ERROR_AFTER)


@dataclass(frozen=True)
class Fault:
    """A fault of the `call`-th AWS call (from 1), and if `lasting`, of all later calls of the same operation.

    `code` is the error's name if `kind` is MODELED; `all_calls` applies it to every call of any operation.
    """

    call: int
    operation: str
    kind: Kind
    code: str = ""
    lasting: bool = False
    all_calls: bool = False

    def __str__(self) -> str:
        name = self.code or self.kind
        return f"call {self.call} {self.operation}: {name}{', from then on' if self.lasting else ''}"

    @property
    def kills(self) -> bool:
        return self.kind in (Kind.KILLED_BEFORE, Kind.KILLED_AFTER)

    def applies_to(self, number: int, operation: str) -> bool:
        later = self.lasting and number > self.call and self.operation.endswith(f".{operation}")
        return number == self.call or later or self.all_calls


def faults_of(calls: tuple[str, ...]) -> Iterator[Fault]:
    """Every fault at every one of `calls` ("service.Operation", in the order in which a handler makes them)."""
    for number, call in enumerate(calls, start=1):
        service, _, operation = call.partition(".")
        kinds: list[tuple[Kind, str]] = [(kind, "") for kind in Kind if kind is not Kind.MODELED]
        kinds += [(Kind.MODELED, error.name) for error in _operation(service, operation).error_shapes]
        for kind, code in kinds:
            once = Fault(number, call, kind, code)
            yield once
            if operation not in _NEVER_RETRIED and not once.kills:
                yield Fault(number, call, kind, code, lasting=True)


class Injector:
    """Called before every HTTP request of a process. Writes each call to the file descriptor `trace`.

    `seconds_lost`: how long injected timeouts would have kept the process waiting.
    """

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
        if fault is None or not fault.applies_to(number, operation):
            return None
        os.write(self._trace, b"hit\n")
        return self._inject(fault, request, service, operation)

    def _inject(self, fault: Fault, request: AWSPreparedRequest, service: str, operation: str) -> AWSResponse | None:
        url = str(request.url)
        if fault.kind in _CARRIED_OUT:
            URLLib3Session(timeout=30).send(request)  # carried out for real; only the response is hidden
        match fault.kind:
            case Kind.KILLED_BEFORE | Kind.KILLED_AFTER:
                os.kill(os.getpid(), signal.SIGKILL)
            case Kind.REQUEST_LOST | Kind.RESPONSE_LOST:
                raise ConnectionClosedError(endpoint_url=url)
            case Kind.RESPONSE_LATE:
                self.seconds_lost += _START_TIMEOUT_SECONDS if operation in _NEVER_RETRIED else _TIMEOUT_SECONDS
                raise ReadTimeoutError(endpoint_url=url)
            case Kind.UNREACHABLE:
                raise EndpointConnectionError(endpoint_url=url)
            case Kind.SERVER_ERROR | Kind.SERVER_ERROR_AFTER:
                return _error_response(request, service, 500, "InternalFailure")
            case Kind.THROTTLED:
                return _error_response(request, service, 400, "ThrottlingException")
            case Kind.MODELED:
                return _error_response(request, service, _status(service, operation, fault.code), fault.code)
        return None


def _error_response(request: AWSPreparedRequest, service: str, status: int, code: str) -> AWSResponse:
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
    return AWSResponse(str(request.url), status, headers, _RawResponse(body))


class _RawResponse:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: object, **__: object) -> bytes:
        body, self._body = self._body, b""
        return body


def _status(service: str, operation: str, code: str) -> int:
    shape = next(shape for shape in _operation(service, operation).error_shapes if shape.name == code)
    error: Mapping[str, Any] = shape.metadata.get("error", {})
    return int(error.get("httpStatusCode", 500 if code in _SERVER_ERROR_CODES else 400))


@cache
def _models() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def _operation(service: str, operation: str) -> OperationModel:
    return _models().get_service_model(service).operation_model(operation)
