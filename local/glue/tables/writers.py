"""Writing tables as CSV, JSON lines and Parquet."""

import csv
import io
import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from local.glue.tables.csv_reader import Cell

# A score is written as a number where the format has numbers.
OutputCell = Cell | float


def write_csv(names: Sequence[str], rows: Iterator[Sequence[OutputCell]]) -> bytes:
    """UTF-8 without BOM, with a header; nulls are empty fields."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue().encode()


def write_json_lines(names: Sequence[str], rows: Iterator[Sequence[OutputCell]]) -> bytes:
    lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def write_parquet(names: Sequence[str], rows: Iterator[Sequence[OutputCell]]) -> bytes:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    are_numbers = [any(isinstance(cell, float) for cell in column) for column in columns]
    types = [pa.float64() if is_number else pa.string() for is_number in are_numbers]
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    table = pa.table(arrays, names=list(names))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()
