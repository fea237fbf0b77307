"""core.labeling's ports: the fakes behave as the adapters on AWS do."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from typing import Any

import boto3
import pytest
from moto import mock_aws

from core.aws.documents import DynamoDocuments
from core.aws.labeling_objects import S3LabelingObjects
from core.errors import FileNotReadable
from core.labeling.ports import Document, Documents, LabelingObjects, ObjectChanged, StaleDocument
from local.cloud.template import ledger_table
from tests.contract.conftest import cloud_dynamodb, moto_dynamodb
from tests.contract.credentials import CREDENTIALS
from tests.fakes.labeling import MemoryDocuments, MemoryObjects

EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
FOLDER = f"s3://labeling-contract/sets/{'a' * 32}/"


def documents_on(client: Any) -> DynamoDocuments:  # noqa: ANN401  boto3 makes clients at run time
    """Documents in a new table, as template.yaml defines it."""
    revisions = count(1)
    client.create_table(TableName="documents", **ledger_table())
    return DynamoDocuments(client, "documents", lambda: f"revision-{next(revisions)}")


@pytest.fixture(params=["memory", "moto", "local cloud"])
def documents(request: pytest.FixtureRequest) -> Iterator[Documents]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryDocuments()
            return
        is_moto = request.param == "moto"
        client = stack.enter_context(moto_dynamodb() if is_moto else cloud_dynamodb(request.getfixturevalue("cloud")))
        yield documents_on(client)
        client.delete_table(TableName="documents")


@pytest.fixture(params=["memory", "moto", "local cloud"])
def objects(request: pytest.FixtureRequest) -> Iterator[LabelingObjects]:
    if request.param == "memory":
        yield MemoryObjects()
        return
    with ExitStack() as stack:
        if request.param == "moto":
            stack.enter_context(mock_aws())
            endpoint = None
        else:
            endpoint = request.getfixturevalue("cloud").endpoint
        client = boto3.client("s3", endpoint_url=endpoint, **CREDENTIALS)
        client.create_bucket(Bucket="labeling-contract")
        yield S3LabelingObjects(client)
        for entry in client.list_objects_v2(Bucket="labeling-contract").get("Contents", []):
            client.delete_object(Bucket="labeling-contract", Key=entry["Key"])
        client.delete_bucket(Bucket="labeling-contract")
        client.close()


def test_a_document_is_read_as_it_was_written(documents: Documents) -> None:
    assert documents.read("set#1") is None
    revision = documents.write("set#1", '{"name": "é"}', None, EXPIRES)
    assert documents.read("set#1") == Document('{"name": "é"}', revision)


def test_every_write_has_a_revision_of_its_own(documents: Documents) -> None:
    first = documents.write("set#1", "1", None, EXPIRES)
    second = documents.write("set#1", "2", first, EXPIRES)
    assert first != second
    assert documents.read("set#1") == Document("2", second)


def test_a_write_over_a_document_that_is_there_or_has_changed_is_refused(documents: Documents) -> None:
    first = documents.write("set#1", "1", None, EXPIRES)
    second = documents.write("set#1", "2", first, EXPIRES)
    for expected in (None, first):
        with pytest.raises(StaleDocument) as stale:
            documents.write("set#1", "3", expected, EXPIRES)
        assert stale.value.current == Document("2", second)


def test_a_write_over_a_document_that_is_gone_is_refused(documents: Documents) -> None:
    with pytest.raises(StaleDocument) as stale:
        documents.write("set#1", "1", "some-revision", EXPIRES)
    assert stale.value.current is None


def test_documents_are_in_no_index() -> None:
    with moto_dynamodb() as client:
        documents_on(client).write("set#1", "1", None, EXPIRES)
        indexes = [index["IndexName"] for index in ledger_table()["GlobalSecondaryIndexes"]]
        assert [client.scan(TableName="documents", IndexName=name)["Count"] for name in indexes] == [0] * len(indexes)
        (item,) = client.scan(TableName="documents")["Items"]
        assert item["expiresAt"] == {"N": str(int(EXPIRES.timestamp()))}
        assert "kind" not in item


def test_an_object_is_created_once(objects: LabelingObjects) -> None:
    objects.create(f"{FOLDER}submitted/1.csv", b"one")
    before = objects.read(f"{FOLDER}submitted/1.csv")
    objects.create(f"{FOLDER}submitted/1.csv", b"two")
    assert objects.read(f"{FOLDER}submitted/1.csv") == before
    assert before.body == b"one"


def test_an_object_is_read_only_as_it_was_pinned(objects: LabelingObjects) -> None:
    objects.create(f"{FOLDER}a.csv", b"one")
    etag = objects.read(f"{FOLDER}a.csv").etag
    assert objects.read(f"{FOLDER}a.csv", etag).body == b"one"
    with pytest.raises(ObjectChanged):
        objects.read(f"{FOLDER}a.csv", '"0123456789abcdef0123456789abcdef"')


def test_an_object_that_is_not_there_cannot_be_read(objects: LabelingObjects) -> None:
    with pytest.raises(FileNotReadable, match="no object"):
        objects.read(f"{FOLDER}nothing.csv")


def test_only_csv_files_directly_in_the_folder_are_listed(objects: LabelingObjects) -> None:
    assert objects.csv_files(FOLDER) == []
    for name in ("a.CSV", "b.txt", "submitted/c.csv"):
        objects.create(FOLDER + name, b"x")
    assert objects.csv_files(FOLDER) == [f"{FOLDER}a.CSV"]
    for name in ("d.csv", "e.csv"):
        objects.create(FOLDER + name, b"x")
    assert len(objects.csv_files(FOLDER)) == 2
