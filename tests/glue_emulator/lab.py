"""A lab: the Glue service on a small table of people, reached by a plain boto3 client."""

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

COLUMNS = ("id", "name", "street", "city")
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}

FIRST = [
    "Ada",
    "Berta",
    "Carla",
    "Dora",
    "Emma",
    "Frida",
    "Gerda",
    "Hanna",
    "Ida",
    "Jana",
    "Klara",
    "Lena",
    "Mona",
    "Nora",
    "Olga",
    "Paula",
    "Rosa",
    "Sara",
    "Tina",
    "Vera",
]
LAST = [
    "Abel",
    "Bauer",
    "Conrad",
    "Dietz",
    "Engel",
    "Falk",
    "Graf",
    "Hahn",
    "Igel",
    "Jung",
    "Kern",
    "Lang",
    "Maurer",
    "Nagel",
    "Otto",
    "Pohl",
    "Roth",
    "Sommer",
    "Thal",
    "Vogt",
]
STREETS = ["Ahornweg", "Bachgasse", "Clarastrasse", "Dorfplatz", "Eichenallee", "Feldweg", "Gartenstrasse", "Hauptstrasse"]
CITIES = ["Aachen", "Bonn", "Celle", "Dresden", "Erfurt"]


def people() -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """40 people, each twice, the second time as a tired clerk would type it; and who is who by primary key."""
    rows: list[tuple[str, ...]] = []
    who: dict[str, str] = {}
    for number in range(40):
        first, last = FIRST[number % 20], LAST[(number * 7) % 20]
        street, city = f"{STREETS[number % 8]} {number + 3}", CITIES[number % 5]
        rows += [
            (f"p{number:02}a", f"{first} {last}", street, city),
            (f"p{number:02}b", f"{first[:-1]} {last.upper()}", street.replace("strasse", "str."), city.lower()),
        ]
        who |= {f"p{number:02}a": str(number), f"p{number:02}b": str(number)}
    return rows, who


ROWS, WHO = people()


def csv_text(rows: Sequence[Sequence[str]], header: Sequence[str] | None = None) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows] if header else rows)
    return text.getvalue().encode()


def table_input(name: str, location: str, **storage: Any) -> dict[str, Any]:  # noqa: ANN401 - Glue's TableInput members
    columns = storage.pop("Columns", [{"Name": column, "Type": "string"} for column in COLUMNS])
    parameters = storage.pop("TableParameters", {"skip.header.line.count": "1"})
    return {
        "Name": name,
        "Parameters": parameters,
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location,
            "SerdeInfo": {"SerializationLibrary": OPEN_CSV},
            **storage,
        },
    }


def make_client(service: str, **options: Any) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
    return boto3.client(service, **CREDENTIALS, **options)  # type: ignore[call-overload]


@dataclass
class Lab:
    """`glue` has one attempt per call. `define` puts a table into the catalog, `switch_faults` takes /_glue/faults' JSON."""

    glue: Any
    s3: Any
    define: Callable[[dict[str, Any]], None]
    switch_faults: Callable[[Mapping[str, Any]], None]
    new_client: Callable[[Config], Any]
    new_client_at: Callable[[str], Any] | None = None
    bucket: str = field(default_factory=lambda: f"bucket-{uuid4().hex[:12]}")
    database: str = "people"
    table: str = "people"

    def put(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def listed(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def transform(self, **changes: Any) -> str:  # noqa: ANN401 - CreateMLTransform's parameters
        asked = {
            "Name": f"transform-{uuid4().hex[:12]}",
            "Role": "arn:aws:iam::000000000000:role/glue",
            "InputRecordTables": [{"DatabaseName": self.database, "TableName": self.table}],
            "Parameters": {
                "TransformType": "FIND_MATCHES",
                "FindMatchesParameters": {"PrimaryKeyColumnName": "id"},
            },
            **changes,
        }
        return str(self.glue.create_ml_transform(**asked)["TransformId"])

    def start_labeling(self, transform: str, prefix: str = "out/") -> str:
        path = f"s3://{self.bucket}/{prefix}"
        return str(self.glue.start_ml_labeling_set_generation_task_run(TransformId=transform, OutputS3Path=path)["TaskRunId"])

    def start_import(self, transform: str, body: bytes, **asked: Any) -> str:  # noqa: ANN401 - ReplaceAllLabels
        path = self.put(f"labels/{uuid4()}.csv", body)
        started = self.glue.start_import_labels_task_run(TransformId=transform, InputS3Path=path, **asked)
        return str(started["TaskRunId"])

    def run(self, transform: str, run: str) -> dict[str, Any]:
        found = self.glue.get_ml_task_run(TransformId=transform, TaskRunId=run)
        found.pop("ResponseMetadata")
        return dict(found)

    def ended(self, transform: str, run: str, seconds: float = 180) -> dict[str, Any]:
        return self.until(transform, run, ENDED, seconds)

    def until(self, transform: str, run: str, statuses: Sequence[str], seconds: float = 180) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (found := self.run(transform, run))["Status"] not in statuses:
            assert time.monotonic() < deadline, f"still {found['Status']} after {seconds} s: {found}"
            time.sleep(0.02)
        return found

    def succeeded(self, transform: str, run: str) -> dict[str, Any]:
        found = self.ended(transform, run)
        assert found["Status"] == "SUCCEEDED", found.get("ErrorString")
        return found

    def answered(self, prefix: str) -> bytes:
        """The labeling set under a prefix, answered from truth."""
        (key,) = self.listed(prefix)
        header, *rows = csv.reader(io.StringIO(self.get(key).decode()))
        return csv_text([[row[0], WHO[row[2]], *row[2:]] for row in rows], header)

    def taught(self, **changes: Any) -> str:  # noqa: ANN401 - CreateMLTransform's parameters
        """A transform that is READY: half of the people are known to it."""
        transform = self.transform(**changes)
        self.succeeded(transform, self.start_import(transform, HALF_OF_THE_PEOPLE))
        return transform


def label_file(rows: Sequence[tuple[str, str, str]], header: Sequence[str] | None = None) -> bytes:
    """Rows of (set, label, primary key), filled up from the table."""
    cells = {row[0]: row for row in ROWS}
    filled = [(set_id, label, *cells.get(key, (key, "no one", "nowhere", "never"))) for set_id, label, key in rows]
    return csv_text(filled, header or ("labeling_set_id", "label", *COLUMNS))


TWO_SETS = label_file([("s1", "A", "p00a"), ("s1", "A", "p00b"), ("s1", "B", "p01a"), ("s2", "A", "p02a"), ("s2", "B", "p03a")])


HALF_OF_THE_PEOPLE = label_file([(f"h{number // 10}", WHO[row[0]], row[0]) for number, row in enumerate(ROWS[:40])])


@dataclass
class Bench:
    """In-process labs on one S3 and catalog; `open` may be called again for the same folder once the first is closed."""

    s3: Any
    tables: dict[tuple[str, str], Mapping[str, Any]]
    services: list[GlueService] = field(default_factory=list)
    clients: list[Any] = field(default_factory=list)

    def open(self, folder: Path, settings: Settings | None = None) -> tuple[Lab, GlueService]:
        aws = Aws(MemoryCatalog(self.tables), BotoObjects(self.s3))
        service = build_service(folder, aws, settings=settings or QUICK)
        self.services.append(service)

        def new_client(config: Config) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
            client = make_client("glue", config=config)
            answer_in_process(client.meta.events, service)
            self.clients.append(client)
            return client

        lab = Lab(
            new_client(ONE_ATTEMPT),
            self.s3,
            define=lambda table: self.tables.update({("people", table["Name"]): table}),
            switch_faults=lambda faults: service.faults.switch_to(FaultsBody.model_validate(faults).plan()),
            new_client=new_client,
        )
        furnish(lab)
        return lab, service


QUICK = Settings(starting_seconds=0.01, running_seconds=0.01)


def furnish(lab: Lab) -> None:
    lab.s3.create_bucket(Bucket=lab.bucket)
    lab.define(table_input("people", lab.put("people/part-0.csv", csv_text(ROWS, COLUMNS)).rsplit("/", 1)[0] + "/"))
