"""S3's objects and the event bus, at the level of boto3."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.processes import current_process
from tests.simulation.table import failure

GOOD = b"labeling_set_id,label,id,name\na,1,1,Ann\na,1,2,Anne\n"
OTHER_GOOD = b"labeling_set_id,label,id,name\nb,1,1,Ann\nb,2,2,Anne\n"
BAD = b"no label file"
ERROR_CODES = ("NoSuchKey", "AccessDenied", "InvalidObjectState", "KMS.DisabledException")  # stay until somebody mends them
PASSING_ERROR = "SlowDown"
_STATUS_CODES = {PASSING_ERROR: 503, "NoSuchKey": 404, "KMS.DisabledException": 400}


class SimulatedS3:
    """Every key has a valid label file, until something else is put there: other content, or the code of an error."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes | str] = {}

    def get_object(self, *, Bucket: str, Key: str, **version: str) -> dict[str, Any]:  # noqa: N803  botocore's own parameters
        body = self._body(f"s3://{Bucket}/{Key}", version)
        chunks = [body[:10], body[10:]]
        return {"ETag": etag(body), "ContentLength": len(body), "Body": SimpleNamespace(iter_chunks=lambda _size: iter(chunks))}

    def head_object(self, *, Bucket: str, Key: str, **version: str) -> dict[str, Any]:  # noqa: N803
        try:
            body = self._body(f"s3://{Bucket}/{Key}", version)
        except ClientError as error:  # a response to HEAD has no body: botocore puts the status in place of S3's code
            error.response["Error"]["Code"] = str(error.response["ResponseMetadata"]["HTTPStatusCode"])
            raise
        return {"ETag": etag(body), "ContentLength": len(body)}

    def content(self, path: str) -> bytes | str:
        return self.contents.get(path, GOOD)

    def _body(self, path: str, condition: dict[str, str]) -> bytes:
        body = self.content(path)
        current_process().checked_file = (path, etag(body) if isinstance(body, bytes) else None)
        if isinstance(body, str):
            raise failure(ClientError, body, ResponseMetadata={"HTTPStatusCode": _STATUS_CODES.get(body, 403)})
        if condition.get("IfMatch", etag(body)) != etag(body):
            raise failure(ClientError, "PreconditionFailed", ResponseMetadata={"HTTPStatusCode": 412})
        return body


def etag(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:32]}"'


class SimulatedEvents:
    """EventBridge: keeps the events that it accepts. `is_down` rejects all; `on_event` is told each one as it is accepted."""

    def __init__(self, on_event: Callable[[str, dict[str, Any]], None]) -> None:
        self.is_down = False
        self._on_event = on_event

    def put_events(self, *, Entries: Sequence[dict[str, Any]], reject_some: bool = False) -> dict[str, Any]:  # noqa: N803
        results: list[dict[str, str]] = []
        for number, entry in enumerate(Entries):
            if self.is_down or (reject_some and number % 3 == 0):
                results.append({"ErrorCode": "InternalFailure"})
            elif reject_some and number % 3 == 1:
                results.append({"ErrorCode": "MalformedDetail"})  # what EventBridge says of an event that it never takes
            else:
                self._on_event(entry["DetailType"], json.loads(entry["Detail"]))
                results.append({"EventId": str(number)})
        return {"Entries": results, "FailedEntryCount": sum("ErrorCode" in result for result in results)}
