"""The file formats of tables: CSV as Hive's serdes read it, JSON lines and Parquet. All cells are text."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Cell = str | None
MAX_FIELD_CHARS = 2**31 - 1


@dataclass(frozen=True)
class CsvDialect:
    """`null`: the text that stands for a null, besides the empty field."""

    separator: str = ","
    quote: str = '"'
    escape: str | None = None
    null: str | None = None


def read_csv(text: str, dialect: CsvDialect) -> Iterator[list[Cell]]:
    """Rows of fields. Raises ValueError with the line for what is not CSV.

    Quotes are honored for LazySimpleSerDe tables too, as Glue's own CSV reader does. A doubled quote is a quote, also
    where the serde has an escape character.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.separator,
        quotechar=dialect.quote,
        escapechar=dialect.escape or None,
        doublequote=True,
        strict=False,
    )
    try:
        for row in reader:
            if row:
                yield [None if cell in ("", dialect.null) else cell for cell in row]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error


def read_json_lines(text: str, names: Sequence[str]) -> Iterator[list[Cell]]:
    """One object per line, its members matched to columns whatever their case; numbers keep their digits as written."""
    lower_names = [name.lower() for name in names]
    for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, parse_float=str, parse_int=str)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        if not isinstance(record, dict):
            raise ValueError(f"line {number}: not a JSON object")  # noqa: TRY004 - the file is at fault, not a type
        members = {key.lower(): _json_text(value, line, key) for key, value in record.items()}
        yield [members.get(name) for name in lower_names]


def read_parquet(file: BinaryIO, names: Sequence[str]) -> dict[str, Sequence[Cell]]:
    """Columns by name, whatever their case; a column that the file lacks is all null. Raises ValueError."""
    table = pq.read_table(file)
    stored = {name.lower(): name for name in table.column_names}
    nulls: list[Cell] = [None] * table.num_rows
    return {name: _arrow_text(table.column(stored[name.lower()])) if name.lower() in stored else nulls for name in names}


def write_csv(names: Sequence[str], rows: Iterator[Sequence[Cell]]) -> bytes:
    """UTF-8 without BOM, a header, nulls as empty fields."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue().encode()


def write_json_lines(names: Sequence[str], rows: Iterator[Sequence[Cell]]) -> bytes:
    lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def write_parquet(names: Sequence[str], rows: Iterator[Sequence[Cell]]) -> bytes:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = pa.table([pa.array(column, pa.string()) for column in columns], names=list(names))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _json_text(value: object, line: str, key: str) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    # Read again, so that numbers inside stay numbers.
    return json.dumps(json.loads(line)[key], ensure_ascii=False)


def _arrow_text(column: pa.ChunkedArray) -> list[Cell]:
    try:
        texts: list[Cell] = pc.cast(column, pa.string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        texts = [None if value is None else str(value) for value in column.to_pylist()]
    return texts
