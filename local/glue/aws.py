"""The two AWS services that the emulator reads: the Data Catalog and S3."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.glue.settings import AwsEndpoint


class Unavailable(Exception):
    """A table or an object cannot be read; the message names it and the reason."""


@dataclass(frozen=True)
class TableRef:
    database: str
    table: str
    catalog_id: str | None = None


@dataclass(frozen=True)
class S3Path:
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def child(self, name: str) -> "S3Path":
        prefix = self.key if not self.key or self.key.endswith("/") else f"{self.key}/"
        return S3Path(self.bucket, prefix + name)


def parse_s3_path(path: str) -> S3Path:
    """Parse s3://bucket or s3://bucket/key; Spark's s3a and s3n schemes too. Raises ValueError for anything else."""
    scheme, separator, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme not in ("s3", "s3a", "s3n") or not separator or not bucket or any(c.isspace() for c in bucket):
        raise ValueError(f"{path} is not an S3 path (s3://bucket/prefix).")
    return S3Path(bucket, key)


class Catalog(Protocol):
    """The Data Catalog. Every method raises Unavailable."""

    def table(self, ref: TableRef) -> Mapping[str, Any]:
        """The `Table` of GetTable's response."""

    def partitions(self, ref: TableRef) -> Sequence[Mapping[str, Any]]:
        """The `Partitions` of all pages of GetPartitions."""


class Objects(Protocol):
    """S3 objects. Every method raises Unavailable."""

    def keys(self, prefix: S3Path) -> list[S3Path]:
        """The objects at or under the prefix, sorted by key. Empty objects, such as folder markers, are left out."""

    def size(self, path: S3Path) -> int: ...
    def read(self, path: S3Path) -> bytes: ...
    def write(self, path: S3Path, body: bytes) -> None: ...


@dataclass(frozen=True)
class BotoCatalog:
    client: Any  # boto3's Glue client: its methods exist at run time only

    def table(self, ref: TableRef) -> Mapping[str, Any]:
        with _translate_errors(f"table {ref.database}.{ref.table}"):
            response = self.client.get_table(DatabaseName=ref.database, Name=ref.table, **_catalog_id(ref))
        table: Mapping[str, Any] = response["Table"]
        return table

    def partitions(self, ref: TableRef) -> Sequence[Mapping[str, Any]]:
        with _translate_errors(f"partitions of table {ref.database}.{ref.table}"):
            paginator = self.client.get_paginator("get_partitions")
            pages = paginator.paginate(DatabaseName=ref.database, TableName=ref.table, **_catalog_id(ref))
            return [partition for page in pages for partition in page["Partitions"]]


@dataclass(frozen=True)
class MemoryCatalog:
    """Tables and their partitions by (database, table), for use without a Data Catalog."""

    tables: Mapping[tuple[str, str], Mapping[str, Any]]
    partitions_of: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def table(self, ref: TableRef) -> Mapping[str, Any]:
        try:
            return self.tables[ref.database, ref.table]
        except KeyError:
            raise Unavailable(f"Entity Not Found: table {ref.database}.{ref.table}") from None

    def partitions(self, ref: TableRef) -> Sequence[Mapping[str, Any]]:
        return self.partitions_of.get((ref.database, ref.table), [])


@dataclass(frozen=True)
class BotoObjects:
    client: Any  # boto3's S3 client: its methods exist at run time only

    def keys(self, prefix: S3Path) -> list[S3Path]:
        with _translate_errors(str(prefix)):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
            items = [item for page in pages for item in page.get("Contents", [])]
        folder = prefix.key if prefix.key.endswith("/") or not prefix.key else f"{prefix.key}/"
        return [
            S3Path(prefix.bucket, item["Key"])
            for item in sorted(items, key=lambda item: str(item["Key"]))
            if (item["Key"] == prefix.key or item["Key"].startswith(folder)) and item["Size"] > 0
        ]

    def size(self, path: S3Path) -> int:
        with _translate_errors(str(path)):
            return int(self.client.head_object(Bucket=path.bucket, Key=path.key)["ContentLength"])

    def read(self, path: S3Path) -> bytes:
        with _translate_errors(str(path)):
            return bytes(self.client.get_object(Bucket=path.bucket, Key=path.key)["Body"].read())

    def write(self, path: S3Path, body: bytes) -> None:
        with _translate_errors(str(path)):
            self.client.put_object(Bucket=path.bucket, Key=path.key, Body=body)


@dataclass(frozen=True)
class Aws:
    catalog: Catalog
    objects: Objects

    def close(self) -> None:
        for port in (self.catalog, self.objects):
            client = getattr(port, "client", None)
            if client is not None:
                client.close()


def connect(endpoint: AwsEndpoint) -> Aws:
    """Clients from a new session: a worker process shares no connection with its parent."""
    session = boto3.session.Session(
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        region_name=endpoint.region,
    )
    config = Config(connect_timeout=5, read_timeout=60, s3={"addressing_style": "path"} if endpoint.url else None)
    options = {"endpoint_url": endpoint.url, "config": config}
    return Aws(BotoCatalog(session.client("glue", **options)), BotoObjects(session.client("s3", **options)))  # type: ignore[call-overload]


def _catalog_id(ref: TableRef) -> dict[str, str]:
    return {"CatalogId": ref.catalog_id} if ref.catalog_id else {}


@contextlib.contextmanager
def _translate_errors(resource: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        raise Unavailable(f"{details.get('Code')}: {details.get('Message')} ({resource})") from error
    except BotoCoreError as error:
        raise Unavailable(f"{error} ({resource})") from error
