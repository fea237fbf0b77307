"""Label files in S3."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from core.errors import FileNotReadable, S3Unavailable
from core.ports import OpenFile
from core.refusals import FILE_REMEDIES, MISSING_FILE_CODES, is_passing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 64 * 1024


class S3LabelFiles:
    """core.ports.LabelFiles. The version of an object is its version id, or its ETag in a bucket without versions."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def open(self, path: str) -> OpenFile:
        try:
            response = self._client.get_object(**bucket_and_key(path))
        except (ClientError, BotoCoreError) as error:
            raise_read_error(path, error)
        return OpenFile(_version(response), response["ContentLength"], _read_chunks(response["Body"]))

    def current_version(self, path: str) -> str:
        try:
            return _version(self._client.head_object(**bucket_and_key(path)))
        except (ClientError, BotoCoreError) as error:
            if error_code(error) in MISSING_FILE_CODES or not error_code(error).isdigit():
                raise_read_error(path, error)
            # A response to HEAD has no body, so its code is only the HTTP status. GET's has S3's own.
            return self.open(path).version


def bucket_and_key(path: str) -> dict[str, Any]:
    """The parameters of S3's operations that name the object at `path`."""
    bucket, _, key = path.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def _version(response: Any) -> str:  # noqa: ANN401  GetObject's or HeadObject's, which have the same fields
    version = response.get("VersionId")
    return str(response["ETag"] if version in (None, "null") else version)


def _read_chunks(body: Any) -> Iterator[bytes]:  # noqa: ANN401  botocore's StreamingBody
    try:
        yield from body.iter_chunks(_CHUNK_BYTES)
    except BotoCoreError as error:
        raise S3Unavailable(str(error)) from error


def raise_read_error(path: str, error: ClientError | BotoCoreError) -> Never:
    """Raises FileNotReadable or S3Unavailable."""
    code = error_code(error)
    if code in MISSING_FILE_CODES:
        raise FileNotReadable(code, f"there is no object {path}") from error
    if isinstance(error, ParamValidationError):
        raise FileNotReadable("InvalidArgument", f"there can be no object {path}: {error}") from error
    if not isinstance(error, ClientError) or is_passing(code, error.response["ResponseMetadata"]["HTTPStatusCode"]):
        raise S3Unavailable(str(error)) from error
    remedy = FILE_REMEDIES.get(code, "remove the cause, or upload it again")
    message = error.response["Error"].get("Message", "").rstrip(".")
    raise FileNotReadable(code, f"the object {path} cannot be read: {remedy} (S3 says {code}: {message})") from error


def error_code(error: ClientError | BotoCoreError) -> str:
    """S3's code; empty for errors of the client."""
    return error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""
