"""The LabelFiles port: the fake, and the adapter on moto's S3."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from core.aws.files import S3LabelFiles
from core.errors import FileNotReadable, S3Unavailable
from core.ports import LabelFiles
from tests.contract.credentials import CREDENTIALS
from tests.fakes.files import MemoryFiles

PATH = "s3://bucket/labels/tfm-1/set 1, äöü.csv"
BODY = b"labeling_set_id,label,id\n" + b"a,1,1\n" * 50_000


@dataclass(frozen=True)
class Backend:
    files: LabelFiles
    put: Callable[[bytes | None], None]


def fake_backend() -> Backend:
    files = MemoryFiles()
    return Backend(files, lambda body: files.contents.update({PATH: body}))


@contextmanager
def moto_backend(*, versioned: bool) -> Iterator[Backend]:
    with mock_aws():
        client: Any = boto3.client("s3", **CREDENTIALS)
        client.create_bucket(Bucket="bucket")
        if versioned:
            client.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        target = {"Bucket": "bucket", "Key": PATH.removeprefix("s3://bucket/")}

        def put(body: bytes | None) -> None:
            if body is None:
                client.delete_object(**target)
            else:
                client.put_object(**target, Body=body)

        yield Backend(S3LabelFiles(client), put)
        client.close()


@pytest.fixture(params=["memory", "moto", "moto with versions"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "memory":
        yield fake_backend()
    else:
        with moto_backend(versioned=request.param.endswith("versions")) as backend:
            yield backend


def test_file_is_read_with_its_size_and_version(backend: Backend) -> None:
    backend.put(BODY)
    file = backend.files.open(PATH)
    assert file.size == len(BODY)
    assert b"".join(file.chunks) == BODY
    assert file.version == backend.files.current_version(PATH)


def test_changed_content_is_a_new_version(backend: Backend) -> None:
    backend.put(BODY)
    before = backend.files.current_version(PATH)
    assert backend.files.current_version(PATH) == before
    backend.put(BODY + b"b,1,2\n")
    assert backend.files.current_version(PATH) != before


def test_missing_object_raises_no_such_file(backend: Backend) -> None:
    backend.put(BODY)
    backend.put(None)
    for read in (backend.files.open, backend.files.current_version):
        with pytest.raises(FileNotReadable, match="there is no object s3://bucket/labels/tfm-1/set 1"):
            read(PATH)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDenied", 403, FileNotReadable),
        ("403", 403, FileNotReadable),
        ("NoSuchBucket", 404, FileNotReadable),
        ("SlowDown", 503, S3Unavailable),
        ("InternalError", 500, S3Unavailable),
    ],
)
def test_s3_errors_map_to_our_exceptions(code: str, status: int, error: type[Exception]) -> None:
    client: Any = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}), **CREDENTIALS)
    for operation in ("get_object", "head_object"):
        with Stubber(client) as stub:
            stub.add_client_error(operation, service_error_code=code, http_status_code=status)
            files = S3LabelFiles(client)
            with pytest.raises(error) as raised:
                (files.open if operation == "get_object" else files.current_version)(PATH)
        assert isinstance(raised.value.__cause__, ClientError)
    client.close()
