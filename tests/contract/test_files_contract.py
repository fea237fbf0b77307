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


FINAL = [
    ("AccessDenied", 403),
    ("403", 403),
    ("NoSuchBucket", 404),
    ("InvalidObjectState", 403),
    ("InvalidRequest", 400),
    ("KMS.DisabledException", 400),
    ("KMS.NotFoundException", 400),
    ("PermanentRedirect", 301),
    ("SomethingNew", 400),
]
PASSING = [
    ("SlowDown", 503),
    ("InternalError", 500),
    ("SomethingNew", 500),
    ("RequestTimeout", 400),
    ("RequestTimeTooSkewed", 403),
    ("ExpiredToken", 400),
    ("InvalidAccessKeyId", 403),
    ("KMS.ThrottlingException", 400),
    ("TemporaryRedirect", 307),
]


@pytest.fixture
def s3() -> Iterator[Any]:
    client: Any = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}), **CREDENTIALS)
    yield client
    client.close()


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [(*answer, FileNotReadable) for answer in FINAL] + [(*answer, S3Unavailable) for answer in PASSING],
)
def test_s3_errors_are_final_or_pass(s3: Any, code: str, status: int, error: type[Exception]) -> None:  # noqa: ANN401  boto3's
    with Stubber(s3) as stub:
        stub.add_client_error("get_object", service_error_code=code, http_status_code=status)
        with pytest.raises(error) as raised:
            S3LabelFiles(s3).open(PATH)
    assert isinstance(raised.value.__cause__, ClientError)
    assert getattr(raised.value, "code", code) == code


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", FileNotReadable),
        (400, "InvalidRequest", FileNotReadable),
        (400, "ExpiredToken", S3Unavailable),
        (503, "SlowDown", S3Unavailable),
    ],
)
def test_error_of_a_head_request_without_a_code_is_read_by_get(
    s3: Any,  # noqa: ANN401  boto3's
    status: int,
    code: str,
    error: type[Exception],
) -> None:
    with Stubber(s3) as stub:
        stub.add_client_error("head_object", service_error_code=str(status), http_status_code=status)
        stub.add_client_error("get_object", service_error_code=code, http_status_code=status)
        with pytest.raises(error, match=code):
            S3LabelFiles(s3).current_version(PATH)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AccessDenied", "s3:GetObject"),
        ("AccessDenied", "kms:Decrypt"),
        ("InvalidObjectState", "restore it"),
        ("InvalidRequest", "SSE-C"),
        ("KMS.DisabledException", "enable the key"),
        ("PermanentRedirect", "another region"),
    ],
)
def test_final_error_names_the_remedy(s3: Any, code: str, remedy: str) -> None:  # noqa: ANN401  boto3's
    with Stubber(s3) as stub:
        stub.add_client_error("get_object", service_error_code=code, service_message="S3's own text")
        with pytest.raises(FileNotReadable, match=remedy) as raised:
            S3LabelFiles(s3).open(PATH)
    assert "S3's own text" in str(raised.value)
