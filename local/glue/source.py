"""A transform's input table: described by the Data Catalog, read from S3, with all cells as text."""

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from findmatches import Table
from local.glue.aws import Aws, S3Path, TableRef, Unavailable, parse_s3_path
from local.glue.formats import Cell, CsvDialect, read_csv, read_json_lines, read_parquet

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class TableFormat:
    """`kind`: csv, json or parquet; the rest matters to csv only. `header_lines` are skipped in each object."""

    kind: str
    dialect: CsvDialect = field(default_factory=CsvDialect)
    header_lines: int = 0


def column_types(description: Mapping[str, Any]) -> dict[str, str]:
    """Column names and Hive types in the catalog's order."""
    columns: Sequence[Mapping[str, Any]] = description.get("StorageDescriptor", {}).get("Columns", [])
    return {column["Name"]: column.get("Type", "string") for column in columns}


def table_format(description: Mapping[str, Any]) -> TableFormat:
    """Which reader a catalog entry asks for: its serde, else its `classification`. Raises Unavailable for neither."""
    storage = description.get("StorageDescriptor", {})
    serde = storage.get("SerdeInfo", {})
    options = {**description.get("Parameters", {}), **storage.get("Parameters", {}), **serde.get("Parameters", {})}
    library = serde.get("SerializationLibrary", "").lower()
    classification = options.get("classification", "").lower()
    header_lines = _count(options.get("skip.header.line.count", "0"))
    if "opencsvserde" in library:
        dialect = CsvDialect(
            separator=options.get("separatorChar", ","),
            quote=options.get("quoteChar", '"'),
            escape=options.get("escapeChar", "\\"),
        )
        return TableFormat("csv", dialect, header_lines)
    if "lazysimpleserde" in library or (not library and classification == "csv"):
        separator = options.get("field.delim") or options.get("separatorChar") or options.get("delimiter")
        dialect = CsvDialect(
            separator=separator or ("," if classification == "csv" else "\x01"),
            escape=options.get("escape.delim"),
            null=options.get("serialization.null.format", r"\N"),
        )
        return TableFormat("csv", dialect, header_lines)
    if "json" in library or classification == "json":
        return TableFormat("json")
    if "parquet" in library or classification == "parquet":
        return TableFormat("parquet")
    raise Unavailable(f"Tables of serde {library or 'none'} and classification {classification or 'none'} are not read.")


def read_table(aws: Aws, ref: TableRef, primary_key: str) -> Table:
    """The whole table, columns in the catalog's order, cells as text or None.

    An empty CSV field counts as null, since CSV cannot tell the two apart. Raises Unavailable, with the object's name,
    for what cannot be read, and when the primary key has a null or a duplicate.
    """
    description = aws.catalog.table(ref)
    names = tuple(column_types(description))
    cells = read_location(aws, description.get("StorageDescriptor", {}).get("Location", ""), description, names)
    if primary_key not in cells:
        raise Unavailable(f"Schema should contain given primary key: {primary_key}.")
    _check_keys(cells[primary_key], primary_key)
    return Table(columns={name: cells[name] for name in names}, primary_key=primary_key)


def read_location(aws: Aws, location: str, description: Mapping[str, Any], names: Sequence[str]) -> dict[str, list[Cell]]:
    """The named columns of every object at or under an S3 location, in the order of the objects' keys."""
    form = table_format(description)
    try:
        root = parse_s3_path(location)
    except ValueError as error:
        raise Unavailable(str(error)) from error
    paths = aws.objects.keys(root)
    if not paths:
        raise Unavailable(f"There is no data at {location}.")
    return read_files(aws, paths, form, names)


def read_files(aws: Aws, paths: Sequence[S3Path], form: TableFormat, names: Sequence[str]) -> dict[str, list[Cell]]:
    """The named columns of some objects, one after another. Raises Unavailable with the object's name."""
    columns: dict[str, list[Cell]] = {name: [] for name in names}
    for path in paths:
        try:
            for name, cells in read_object(aws.objects.read(path), form, names).items():
                columns[name].extend(cells)
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise Unavailable(f"{path} cannot be read as {form.kind}: {error}") from error
    return columns


def read_object(body: bytes, form: TableFormat, names: Sequence[str]) -> Mapping[str, Sequence[Cell]]:
    """One object's columns; gzip is recognized by its magic number. Raises ValueError, OSError, EOFError, zlib.error."""
    data = gzip.decompress(body) if body.startswith(GZIP_MAGIC) else body
    if form.kind == "parquet":
        return read_parquet(io.BytesIO(data), names)
    text = data.decode("utf-8-sig")
    columns: dict[str, list[Cell]] = {name: [] for name in names}
    for row in read_json_lines(text, names) if form.kind == "json" else _csv_rows(text, form, names):
        for cells, cell in zip(columns.values(), row, strict=True):
            cells.append(cell)
    return columns


def _csv_rows(text: str, form: TableFormat, names: Sequence[str]) -> Iterator[Sequence[Cell]]:
    for number, row in enumerate(read_csv(text, form.dialect)):
        if number >= form.header_lines:
            padded = row[: len(names)] + [None] * (len(names) - len(row))
            yield padded


def _check_keys(keys: Sequence[Cell], primary_key: str) -> None:
    if None in keys:
        raise Unavailable(f"Primary key column {primary_key} has no value in row {keys.index(None) + 1}.")
    if len(set(keys)) < len(keys):
        key, times = Counter(keys).most_common(1)[0]
        raise Unavailable(f"Primary key column {primary_key} is not unique: {key!r} stands in {times} rows.")


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 0
