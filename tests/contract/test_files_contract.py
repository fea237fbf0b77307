"""What every LabelFiles does: the fake, and the adapter on moto's S3."""

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
from core.errors import FilesUnavailable, NoSuchFile
from core.ports import LabelFiles
from tests.contract.conftest import KEYS
from tests.fakes.files import MemoryFiles

PATH = "s3://bucket/labels/tfm-1/one, äöü.csv"
BODY = b"labeling_set_id,label,id\n" + b"a,1,1\n" * 50_000


@dataclass(frozen=True)
class Side:
    files: LabelFiles
    put: Callable[[bytes | None], None]


def fake_side() -> Side:
    files = MemoryFiles()
    return Side(files, lambda body: files.contents.update({PATH: body}))


@contextmanager
def moto_side(*, versioned: bool) -> Iterator[Side]:
    with mock_aws():
        client: Any = boto3.client("s3", **KEYS)
        client.create_bucket(Bucket="bucket")
        if versioned:
            client.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        target = {"Bucket": "bucket", "Key": PATH.removeprefix("s3://bucket/")}

        def put(body: bytes | None) -> None:
            if body is None:
                client.delete_object(**target)
            else:
                client.put_object(**target, Body=body)

        yield Side(S3LabelFiles(client), put)
        client.close()


@pytest.fixture(params=["memory", "moto", "moto with versions"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "memory":
        yield fake_side()
    else:
        with moto_side(versioned=request.param.endswith("versions")) as side:
            yield side


def test_a_file_is_read_as_it_is_with_its_size_and_version(side: Side) -> None:
    side.put(BODY)
    file = side.files.open(PATH)
    assert file.size == len(BODY)
    assert b"".join(file.chunks) == BODY
    assert file.pin == side.files.pin(PATH)


def test_another_content_is_another_version(side: Side) -> None:
    side.put(BODY)
    before = side.files.pin(PATH)
    assert side.files.pin(PATH) == before
    side.put(BODY + b"b,1,2\n")
    assert side.files.pin(PATH) != before


def test_what_is_not_there_has_a_name(side: Side) -> None:
    side.put(BODY)
    side.put(None)
    for ask in (side.files.open, side.files.pin):
        with pytest.raises(NoSuchFile, match="there is no object s3://bucket/labels/tfm-1/one"):
            ask(PATH)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDenied", 403, NoSuchFile),
        ("403", 403, NoSuchFile),
        ("NoSuchBucket", 404, NoSuchFile),
        ("SlowDown", 503, FilesUnavailable),
        ("InternalError", 500, FilesUnavailable),
    ],
)
def test_every_refusal_of_s3_has_a_name(code: str, status: int, error: type[Exception]) -> None:
    client: Any = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}), **KEYS)
    for operation in ("get_object", "head_object"):
        with Stubber(client) as stub:
            stub.add_client_error(operation, service_error_code=code, http_status_code=status)
            files = S3LabelFiles(client)
            with pytest.raises(error) as raised:
                (files.open if operation == "get_object" else files.pin)(PATH)
        assert isinstance(raised.value.__cause__, ClientError)
    client.close()
