"""The objects of a table: which of them are data, and what is in one."""

import bz2
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence

from local.glue.aws import Aws, S3Path, Unavailable
from local.glue.tables.csv_reader import Cell, read_csv
from local.glue.tables.json_reader import read_json_lines
from local.glue.tables.parquet_reader import read_parquet
from local.glue.tables.schema import check_no_match_output
from local.glue.tables.serde import TableFormat

MAX_CELL_CHARS = 1024 * 1024
LABEL_FILE = re.compile(rb'(?:\xef\xbb\xbf)?"?labeling_set_id"?[,;\t|]"?label"?[,;\t|\r\n]')
SURROGATE = re.compile("[\ud800-\udfff]")
MIN_BYTE_ESCAPE, MAX_BYTE_ESCAPE = 0xDC80, 0xDCFF  # Python's surrogateescape
UNREAD_FILES = {
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"PK\x03\x04": "a zip file or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; gzip and bzip2 are read",
    b"\x04\x22\x4d\x18": "compressed with lz4; gzip and bzip2 are read",
    b"\xfd7zXZ": "compressed with xz; gzip and bzip2 are read",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
}


def data_objects(paths: Sequence[S3Path], root: S3Path) -> list[S3Path]:
    """The objects under a path without hidden ones.

    As in Hive and Spark, an object is hidden if its name or a folder between it and `root` begins with `_` or `.`; a
    partition folder such as `_day=1` is not.
    """
    return [path for path in paths if not any(_is_hidden(part) for part in relative_name(path, root).split("/"))]


def relative_name(path: S3Path, root: S3Path) -> str:
    return path.key.removeprefix(root.key).lstrip("/")


def _is_hidden(part: str) -> bool:
    return part.startswith(".") or (part.startswith("_") and "=" not in part)


def read_objects(aws: Aws, paths: Sequence[S3Path], form: TableFormat, names: Sequence[str]) -> dict[str, list[Cell]]:
    """The named columns of several objects, in their order. Raises Unavailable with the object's name."""
    columns: dict[str, list[Cell]] = {name: [] for name in names}
    for path in paths:
        body = aws.objects.read(path)
        try:
            cells_by_name = read_object(body, form, names)
            _check_cells(cells_by_name)
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise Unavailable(f"{path} cannot be read as {form.kind}: {error}") from error
        for name, cells in cells_by_name.items():
            columns[name].extend(cells)
    return columns


def read_object(body: bytes, form: TableFormat, names: Sequence[str]) -> Mapping[str, Sequence[Cell]]:
    """One object's columns. Raises ValueError, OSError, EOFError or zlib.error."""
    data = decompress(body)
    if LABEL_FILE.match(data) and list(names[:1]) != ["labeling_set_id"]:
        raise ValueError("it is a label file, not part of the table; move it out of the table's folder")
    if form.kind == "parquet":
        return read_parquet(io.BytesIO(data), names)
    text = decode(data)
    columns: dict[str, list[Cell]] = {name: [] for name in names}
    for row in read_json_lines(text, names) if form.kind == "json" else _csv_rows(text, form, names):
        for cells, cell in zip(columns.values(), row, strict=True):
            cells.append(cell)
    return columns


def decompress(body: bytes) -> bytes:
    """Gzip and bzip2 are recognized by their first bytes. Raises ValueError for other binary formats."""
    for magic, content in UNREAD_FILES.items():
        if body.startswith(magic):
            raise ValueError(f"it is {content}")
    if body.startswith(b"\x1f\x8b"):
        return gzip.decompress(body)
    if body.startswith(b"BZh"):
        return bz2.decompress(body)
    return body


def decode(data: bytes) -> str:
    """Bytes that are not UTF-8 become lone surrogates, which `_check_cells` reports with their row and column."""
    return data.decode("utf-8-sig", "surrogateescape")


def _csv_rows(text: str, form: TableFormat, names: Sequence[str]) -> Iterator[Sequence[Cell]]:
    for number, row in enumerate(read_csv(text, form.dialect)):
        if number >= form.header_lines:
            yield row[: len(names)] + [None] * (len(names) - len(row))
        else:
            check_no_match_output(row, names)


def _check_cells(columns: Mapping[str, Sequence[Cell]]) -> None:
    for name, cells in columns.items():
        for row, cell in enumerate(cells, start=1):
            if cell is None:
                continue
            if len(cell) > MAX_CELL_CHARS:
                raise ValueError(
                    f"row {row}, column {name}: the cell has {len(cell):,} characters; at most {MAX_CELL_CHARS:,} are read"
                )
            if not cell.isascii() and (match := SURROGATE.search(cell)):
                raise ValueError(f"row {row}, column {name}: {_describe_surrogate(ord(match[0]))} is not UTF-8")


def _describe_surrogate(code: int) -> str:
    if MIN_BYTE_ESCAPE <= code <= MAX_BYTE_ESCAPE:
        return f"byte {code - 0xDC00:#04x}"
    return f"the lone surrogate U+{code:04X}"
