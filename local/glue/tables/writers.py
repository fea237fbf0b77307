"""Writing tables as CSV, JSON lines and Parquet."""

import csv
import io
import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from local.glue.tables.csv_reader import Cell


def write_csv(names: Sequence[str], rows: Iterator[Sequence[Cell]]) -> bytes:
    """UTF-8 without BOM, with a header; nulls are empty fields."""
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
