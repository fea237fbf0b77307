"""The Glue emulator under test, on a small table of people, reached by a plain boto3 client."""

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from local.glue.admin import FaultsBody
from local.glue.aws import Aws, BotoObjects, MemoryCatalog
from local.glue.in_process import answer_in_process
from local.glue.service import GlueService, build_service
from local.glue.settings import Settings
from tests.glue_emulator.people import COLUMNS, LABELS_OF_HALF, PERSON_OF, ROWS, csv_text, table_input

ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
FINAL_STATUSES = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
FAST = Settings(starting_seconds=0.01, running_seconds=0.01)


def make_client(service: str, **options: Any) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
    return boto3.client(service, **CREDENTIALS, **options)  # type: ignore[call-overload]


@dataclass
class Emulator:
    """The clients of an emulator, and the steps that tests repeat.

    `glue` makes one attempt per call. `create_table` puts a table into the catalog. `set_faults` takes the JSON of
    /_glue/faults.
    """

    glue: Any
    s3: Any
    create_table: Callable[[dict[str, Any]], None]
    set_faults: Callable[[Mapping[str, Any]], None]
    new_client: Callable[[Config], Any]
    new_client_at: Callable[[str], Any] | None = None
    bucket: str = field(default_factory=lambda: f"bucket-{uuid4().hex[:12]}")
    database: str = "people"
    table: str = "people"

    def put_object(self, key: str, body: bytes) -> str:
        """The object's S3 path."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def list_keys(self, prefix: str) -> list[str]:
        page = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in page.get("Contents", [])]

    def get_object(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def create_transform(self, **changes: Any) -> str:  # noqa: ANN401 - CreateMLTransform's parameters
        request = {
            "Name": f"transform-{uuid4().hex[:12]}",
            "Role": "arn:aws:iam::000000000000:role/glue",
            "InputRecordTables": [{"DatabaseName": self.database, "TableName": self.table}],
            "Parameters": {
                "TransformType": "FIND_MATCHES",
                "FindMatchesParameters": {"PrimaryKeyColumnName": "id"},
            },
            **changes,
        }
        return str(self.glue.create_ml_transform(**request)["TransformId"])

    def create_trained_transform(self, **changes: Any) -> str:  # noqa: ANN401 - CreateMLTransform's parameters
        """A READY transform with labels for the first half of the people."""
        transform = self.create_transform(**changes)
        self.wait_for_success(transform, self.start_import(transform, LABELS_OF_HALF))
        return transform

    def start_labeling(self, transform: str, prefix: str = "out/") -> str:
        path = f"s3://{self.bucket}/{prefix}"
        return str(self.glue.start_ml_labeling_set_generation_task_run(TransformId=transform, OutputS3Path=path)["TaskRunId"])

    def start_import(self, transform: str, body: bytes, **options: Any) -> str:  # noqa: ANN401 - ReplaceAllLabels
        path = self.put_object(f"labels/{uuid4()}.csv", body)
        response = self.glue.start_import_labels_task_run(TransformId=transform, InputS3Path=path, **options)
        return str(response["TaskRunId"])

    def get_run(self, transform: str, run: str) -> dict[str, Any]:
        response = self.glue.get_ml_task_run(TransformId=transform, TaskRunId=run)
        response.pop("ResponseMetadata")
        return dict(response)

    def wait_until_ended(self, transform: str, run: str, seconds: float = 180) -> dict[str, Any]:
        return self.wait_for_status(transform, run, FINAL_STATUSES, seconds)

    def wait_for_status(self, transform: str, run: str, statuses: Sequence[str], seconds: float = 180) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (task_run := self.get_run(transform, run))["Status"] not in statuses:
            assert time.monotonic() < deadline, f"still {task_run['Status']} after {seconds} s: {task_run}"
            time.sleep(0.02)
        return task_run

    def wait_for_success(self, transform: str, run: str) -> dict[str, Any]:
        task_run = self.wait_until_ended(transform, run)
        assert task_run["Status"] == "SUCCEEDED", task_run.get("ErrorString")
        return task_run

    def answer_labeling_set(self, prefix: str) -> bytes:
        """The labeling file under a prefix, with the right labels filled in."""
        (key,) = self.list_keys(prefix)
        header, *rows = csv.reader(io.StringIO(self.get_object(key).decode()))
        return csv_text([[row[0], PERSON_OF[row[2]], *row[2:]] for row in rows], header)


@dataclass
class EmulatorFactory:
    """Emulators in this process, on one S3 and catalog.

    `start` may be called again for the same folder once the first service is closed.
    """

    s3: Any
    tables: dict[tuple[str, str], Mapping[str, Any]]
    services: list[GlueService] = field(default_factory=list)
    clients: list[Any] = field(default_factory=list)

    def start(self, folder: Path, settings: Settings | None = None) -> tuple[Emulator, GlueService]:
        aws = Aws(MemoryCatalog(self.tables), BotoObjects(self.s3))
        service = build_service(folder, aws, settings=settings or FAST)
        self.services.append(service)

        def new_client(config: Config) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
            client = make_client("glue", config=config)
            answer_in_process(client.meta.events, service)
            self.clients.append(client)
            return client

        emulator = Emulator(
            new_client(ONE_ATTEMPT),
            self.s3,
            create_table=lambda table: self.tables.update({("people", table["Name"]): table}),
            set_faults=lambda faults: service.faults.apply(FaultsBody.model_validate(faults).plan()),
            new_client=new_client,
        )
        create_people_table(emulator)
        return emulator, service


def create_people_table(emulator: Emulator) -> None:
    emulator.s3.create_bucket(Bucket=emulator.bucket)
    emulator.put_object("people/part-0.csv", csv_text(ROWS, COLUMNS))
    emulator.create_table(table_input("people", f"s3://{emulator.bucket}/people/"))
