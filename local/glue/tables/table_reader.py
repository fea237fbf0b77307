"""A transform's input table: described by the Data Catalog, read from S3, with all cells as text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from findmatches import Table
from local.glue.aws import Aws, TableRef, Unavailable, parse_s3_path
from local.glue.tables.csv_reader import Cell
from local.glue.tables.objects import data_objects, read_objects, relative_name
from local.glue.tables.schema import (
    UnsupportedTable,
    check_no_lake_folders,
    check_supported,
    column_types,
    data_columns,
    partition_keys,
)
from local.glue.tables.serde import table_format

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
MAX_EXACT_FLOAT = 2**53


def read_table(aws: Aws, ref: TableRef, primary_key: str) -> Table:
    """The whole table: columns in the catalog's order, then partition keys; cells as text or None.

    An empty CSV field counts as null, since CSV cannot tell the two apart. Raises Unavailable, with the object's name,
    for what cannot be read, and when the primary key has a null, a blank or a duplicate.
    """
    description = aws.catalog.table(ref)
    try:
        check_supported(description)
        types = column_types(description)
        columns = _read_partitions(aws, ref, description) if partition_keys(description) else _read_whole(aws, description)
    except UnsupportedTable as error:
        raise Unavailable(f"Table {ref.database}.{ref.table} is not read. {error}") from error
    if primary_key not in columns:
        raise Unavailable(f"Schema should contain given primary key: {primary_key}.")
    _check_keys(columns[primary_key], primary_key, types[primary_key])
    return Table(columns={name: columns[name] for name in types}, primary_key=primary_key)


def _read_whole(aws: Aws, description: Mapping[str, Any]) -> dict[str, list[Cell]]:
    storage = description.get("StorageDescriptor", {})
    return _read_location(aws, storage.get("Location", ""), description, must_exist=True)


def _read_partitions(aws: Aws, ref: TableRef, description: Mapping[str, Any]) -> dict[str, list[Cell]]:
    """All partitions that the catalog lists, each from its own location and by its own serde, its values as columns."""
    keys = partition_keys(description)
    partitions = aws.catalog.partitions(ref)
    if not partitions:
        raise Unavailable(
            f"Table {ref.database}.{ref.table} is partitioned by {', '.join(keys)}, and the catalog lists no partitions. "
            "Add them, with a crawler, MSCK REPAIR TABLE or CreatePartition."
        )
    names = [column["Name"] for column in data_columns(description)]
    columns: dict[str, list[Cell]] = {name: [] for name in (*names, *keys)}
    for partition in partitions:
        values = partition["Values"]
        if len(values) != len(keys):
            raise Unavailable(f"A partition of table {ref.database}.{ref.table} has {len(values)} values for {len(keys)} keys.")
        merged = _partition_description(description, partition)
        cells_by_name = _read_location(aws, merged["StorageDescriptor"]["Location"], merged)
        rows = max((len(cells) for cells in cells_by_name.values()), default=0)
        for name in names:
            columns[name].extend(cells_by_name.get(name) or [None] * rows)
        for key, value in zip(keys, values, strict=True):
            columns[key].extend([None if value == HIVE_NULL else value] * rows)
    if not columns[keys[0]]:
        raise Unavailable(f"There is no data in the {len(partitions)} partitions of table {ref.database}.{ref.table}.")
    return columns


def _partition_description(table: Mapping[str, Any], partition: Mapping[str, Any]) -> dict[str, Any]:
    """The table's description with what the partition says otherwise. Its default location is Hive's, key=value/."""
    table_storage = table.get("StorageDescriptor", {})
    storage = {**table_storage, **{name: value for name, value in partition.get("StorageDescriptor", {}).items() if value}}
    if not partition.get("StorageDescriptor", {}).get("Location"):
        folders = [f"{key}={quote(value)}" for key, value in zip(partition_keys(table), partition["Values"], strict=True)]
        storage["Location"] = "/".join([table_storage.get("Location", "").rstrip("/"), *folders, ""])
    parameters = {**table.get("Parameters", {}), **partition.get("Parameters", {})}
    return {"Parameters": parameters, "StorageDescriptor": storage}


def _read_location(
    aws: Aws, location: str, description: Mapping[str, Any], *, must_exist: bool = False
) -> dict[str, list[Cell]]:
    """The data columns of every object at or under an S3 location, in the order of the objects' keys."""
    form = table_format(description)
    try:
        root = parse_s3_path(location)
    except ValueError as error:
        raise Unavailable(str(error)) from error
    stored = aws.objects.keys(root)
    check_no_lake_folders(location, [relative_name(path, root) for path in stored])
    paths = data_objects(stored, root)
    if not paths and must_exist:
        raise Unavailable(f"There is no data at {location}.")
    return read_objects(aws, paths, form, [column["Name"] for column in data_columns(description)])


def _check_keys(keys: Sequence[Cell], primary_key: str, column_type: str) -> None:
    for row, key in enumerate(keys, start=1):
        if key is None or not key.strip():
            raise Unavailable(f"Primary key column {primary_key} has no value in row {row}.")
    if len(set(keys)) < len(keys):
        key, times = Counter(keys).most_common(1)[0]
        message = f"Primary key column {primary_key} is not unique: {key!r} stands in {times} rows."
        if column_type.lower() in ("double", "float") and float(key or 0) >= MAX_EXACT_FLOAT:
            message += f" Its type {column_type} cannot hold numbers of this size exactly; store keys as text."
        raise Unavailable(message)
