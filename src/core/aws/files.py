"""Label files in S3."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import FileNotReadable, S3Unavailable
from core.ports import OpenFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 64 * 1024  # bytes
_NOT_THERE = {"NoSuchKey", "NoSuchBucket", "NotFound", "404"}
_FORBIDDEN = {"AccessDenied", "Forbidden", "403"}


class S3LabelFiles:
    """core.ports.LabelFiles; an object's pin is its version id, or its ETag in a bucket without versions."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def open(self, path: str) -> OpenFile:
        try:
            answer = self._client.get_object(**_place(path))
        except (ClientError, BotoCoreError) as error:
            _raise(path, error)
        return OpenFile(_pin(answer), answer["ContentLength"], _chunks(answer["Body"]))

    def current_version(self, path: str) -> str:
        try:
            return _pin(self._client.head_object(**_place(path)))
        except (ClientError, BotoCoreError) as error:
            _raise(path, error)


def _place(path: str) -> dict[str, Any]:
    bucket, _, key = path.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def _pin(answer: Any) -> str:  # noqa: ANN401  two operations answer with the same fields under two types
    version = answer.get("VersionId")
    return str(answer["ETag"] if version in (None, "null") else version)


def _chunks(body: Any) -> Iterator[bytes]:  # noqa: ANN401  botocore's StreamingBody
    try:
        yield from body.iter_chunks(_CHUNK)
    except BotoCoreError as error:
        raise S3Unavailable(str(error)) from error


def _raise(path: str, error: ClientError | BotoCoreError) -> Never:
    code = error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""
    if code in _NOT_THERE:
        raise FileNotReadable(f"there is no object {path}") from error
    if code in _FORBIDDEN:
        raise FileNotReadable(f"the object {path} may not be read, or is not there") from error
    raise S3Unavailable(str(error)) from error
