"""The files of labeling sets in S3: the one that Glue wrote, and those that are submitted."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from core.aws.files import bucket_and_key, error_code, raise_read_error
from core.labeling.ports import ObjectChanged, SetObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENOUGH = 2  # files, to know that there is not exactly one
_CHANGED_CODES = {"PreconditionFailed", "412"}


class S3LabelingObjects:
    """core.labeling.ports.LabelingObjects."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def csv_files(self, prefix: str) -> list[str]:
        place = bucket_and_key(prefix)
        paths: list[str] = []
        request: dict[str, Any] = {"Bucket": place["Bucket"], "Prefix": place["Key"], "Delimiter": "/"}
        while len(paths) < _ENOUGH:
            try:
                page = self._client.list_objects_v2(**request)
            except (ClientError, BotoCoreError) as error:
                raise_read_error(prefix, error)
            keys = [entry["Key"] for entry in page.get("Contents", [])]
            paths += [f"s3://{place['Bucket']}/{key}" for key in keys if key.lower().endswith(".csv")]
            if not page.get("IsTruncated"):
                break
            request["ContinuationToken"] = page["NextContinuationToken"]
        return paths[:_ENOUGH]

    def read(self, path: str, etag: str | None = None) -> SetObject:
        condition: dict[str, Any] = {} if etag is None else {"IfMatch": etag}
        try:
            response = self._client.get_object(**bucket_and_key(path), **condition)
            return SetObject(response["Body"].read(), response["ETag"])
        except (ClientError, BotoCoreError) as error:
            if error_code(error) in _CHANGED_CODES:
                raise ObjectChanged(f"{path} was changed") from error
            raise_read_error(path, error)

    def create(self, path: str, body: bytes) -> None:
        try:
            self._client.put_object(**bucket_and_key(path), Body=body, ContentType="text/csv", IfNoneMatch="*")
        except (ClientError, BotoCoreError) as error:
            if error_code(error) not in _CHANGED_CODES:
                raise_read_error(path, error)
