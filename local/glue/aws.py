"""The two parts of AWS the service leans on: the Data Catalog and S3."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.glue.settings import AwsEndpoint


class Unavailable(Exception):
    """AWS did not hand over what was asked for; the message says what and why."""


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

    def under(self, name: str) -> "S3Path":
        prefix = self.key if not self.key or self.key.endswith("/") else f"{self.key}/"
        return S3Path(self.bucket, prefix + name)


def parse_s3_path(path: str) -> S3Path:
    """Raises ValueError for what is not s3://bucket or s3://bucket/key (s3a and s3n, which Spark writes, are the same)."""
    scheme, separator, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme not in ("s3", "s3a", "s3n") or not separator or not bucket or any(c.isspace() for c in bucket):
        raise ValueError(f"{path} is not an S3 path (s3://bucket/prefix).")
    return S3Path(bucket, key)


class Catalog(Protocol):
    def table(self, ref: TableRef) -> Mapping[str, Any]:
        """The table as GetTable's `Table` describes it. Raises Unavailable."""


class Objects(Protocol):
    """S3 objects. Every method raises Unavailable."""

    def keys(self, prefix: S3Path) -> list[S3Path]:
        """All objects that hold data at or under the prefix, in the order of their keys."""

    def size(self, path: S3Path) -> int: ...
    def read(self, path: S3Path) -> bytes: ...
    def write(self, path: S3Path, body: bytes) -> None: ...


@dataclass(frozen=True)
class BotoCatalog:
    client: BaseClient

    def table(self, ref: TableRef) -> Mapping[str, Any]:
        catalog = {"CatalogId": ref.catalog_id} if ref.catalog_id else {}
        with _said_plainly(f"table {ref.database}.{ref.table}"):
            found: Mapping[str, Any] = self.client.get_table(DatabaseName=ref.database, Name=ref.table, **catalog)  # type: ignore[attr-defined]
        return found["Table"]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class MemoryCatalog:
    """Tables by (database, table), for tests without a Data Catalog."""

    tables: Mapping[tuple[str, str], Mapping[str, Any]]

    def table(self, ref: TableRef) -> Mapping[str, Any]:
        try:
            return self.tables[ref.database, ref.table]
        except KeyError:
            raise Unavailable(f"Entity Not Found: table {ref.database}.{ref.table}") from None


@dataclass(frozen=True)
class BotoObjects:
    client: Any  # boto3's S3 client: its methods exist at run time only

    def keys(self, prefix: S3Path) -> list[S3Path]:
        with _said_plainly(str(prefix)):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
            found = [item for page in pages for item in page.get("Contents", [])]
        inside = prefix.key if prefix.key.endswith("/") or not prefix.key else f"{prefix.key}/"
        return [
            S3Path(prefix.bucket, item["Key"])
            for item in sorted(found, key=lambda item: str(item["Key"]))
            if (item["Key"] == prefix.key or item["Key"].startswith(inside))
            and item["Size"] > 0
            and not item["Key"].rsplit("/", 1)[-1].startswith(("_", "."))
        ]

    def size(self, path: S3Path) -> int:
        with _said_plainly(str(path)):
            return int(self.client.head_object(Bucket=path.bucket, Key=path.key)["ContentLength"])

    def read(self, path: S3Path) -> bytes:
        with _said_plainly(str(path)):
            return bytes(self.client.get_object(Bucket=path.bucket, Key=path.key)["Body"].read())

    def write(self, path: S3Path, body: bytes) -> None:
        with _said_plainly(str(path)):
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
    """Clients of the endpoint's own session: a worker shares nothing with the process that started it."""
    session = boto3.session.Session(
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        region_name=endpoint.region,
    )
    config = Config(connect_timeout=5, read_timeout=60, s3={"addressing_style": "path"} if endpoint.url else None)
    make = {"endpoint_url": endpoint.url, "config": config}
    return Aws(BotoCatalog(session.client("glue", **make)), BotoObjects(session.client("s3", **make)))  # type: ignore[call-overload]


@contextlib.contextmanager
def _said_plainly(what: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        raise Unavailable(f"{said.get('Code')}: {said.get('Message')} ({what})") from error
    except BotoCoreError as error:
        raise Unavailable(f"{error} ({what})") from error
