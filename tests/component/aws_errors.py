"""Errors that AWS would answer, in place of moto's or the Glue emulator's answers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from botocore.awsrequest import AWSPreparedRequest, AWSResponse


class AwsError(NamedTuple):
    """What AWS answers: its code and message, and the HTTP status."""

    code: str
    status: int
    message: str = "AWS's own text"


class AwsErrors:
    """A botocore handler of `before-send`. `by_operation` has the errors of operations, by their names."""

    def __init__(self) -> None:
        self.by_operation: dict[str, AwsError] = {}

    def __call__(self, request: AWSPreparedRequest, event_name: str, **_: object) -> Any:  # noqa: ANN401  the stubs know no answer
        service, operation = event_name.split(".")[1:]
        error = self.by_operation.get(operation)
        if error is None:
            return None
        if service == "s3":
            xml = f"<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
            return _response(request, error.status, "" if request.method == "HEAD" else xml)
        return _response(request, error.status, json.dumps({"__type": error.code, "message": error.message}))


def _response(request: AWSPreparedRequest, status: int, body: str) -> AWSResponse:
    headers: Any = {}
    return AWSResponse(str(request.url), status, headers, _RawResponse(headers, body.encode()))


class _RawResponse:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, headers: Mapping[str, str], body: bytes) -> None:
        self.headers = headers
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: object, **__: object) -> bytes:
        body, self._body = self._body, b""
        return body
