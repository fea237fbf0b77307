"""The columns of a catalog table, and the kinds of tables that are not read."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

# The columns that a matching adds.
MATCH_ID = "match_id"
MATCH_CONFIDENCE = "match_confidence_score"
LAKE_FORMATS = {"iceberg": "Apache Iceberg", "delta": "Delta Lake", "hudi": "Apache Hudi"}
# Folders and files that a lake format keeps beside its data.
LAKE_FOLDERS = {"_delta_log/": "delta", ".hoodie/": "hudi"}
ICEBERG_METADATA = ".metadata.json"


class UnsupportedTable(ValueError):
    """The table's description rules out reading it; the message says why."""


def column_types(description: Mapping[str, Any]) -> dict[str, str]:
    """Column names and Hive types in the catalog's order, partition keys last, as Glue shows a partitioned table.

    Raises UnsupportedTable for names that are equal or differ only in case: Hive and Spark cannot tell them apart.
    """
    columns = [*data_columns(description), *description.get("PartitionKeys", [])]
    first_spelling: dict[str, str] = {}
    for column in columns:
        name = column["Name"]
        if name.lower() in first_spelling:
            raise UnsupportedTable(duplicate_names(first_spelling[name.lower()], name))
        first_spelling[name.lower()] = name
    return {column["Name"]: column.get("Type", "string") for column in columns}


def duplicate_names(first: str, second: str) -> str:
    if first == second:
        return f"Two columns have the name {first}; rename one of them."
    return f"The columns {first} and {second} differ only in case; rename one of them."


def data_columns(description: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The columns that the table's files hold: all but the partition keys."""
    columns: Sequence[Mapping[str, Any]] = description.get("StorageDescriptor", {}).get("Columns", [])
    return columns


def partition_keys(description: Mapping[str, Any]) -> list[str]:
    return [key["Name"] for key in description.get("PartitionKeys", [])]


def check_no_match_output(names_in_file: Collection[str | None], names: Collection[str]) -> None:
    """Raises ValueError for an output of a matching that lies among the table's files."""
    if MATCH_ID in names_in_file and MATCH_ID not in names:
        raise ValueError(
            f"it has a column {MATCH_ID}, as the output of a matching; move it out of the table's folder, or add the column "
            "to the table"
        )


def check_supported(description: Mapping[str, Any]) -> None:
    """Raises UnsupportedTable for lake tables and views, whose files alone are not the table."""
    lake_format = _declared_lake_format(description)
    if lake_format:
        raise UnsupportedTable(unsupported_lake(lake_format))
    if description.get("TableType", "").upper() == "VIRTUAL_VIEW":
        raise UnsupportedTable("The table is a view; only tables of CSV, JSON or Parquet files are read.")


def check_no_lake_folders(location: str, names: Sequence[str]) -> None:
    """`names`: the objects under the location, relative to it. Raises UnsupportedTable, as `check_supported` does."""
    for name in names:
        for folder, lake_format in LAKE_FOLDERS.items():
            if name.startswith(folder):
                raise UnsupportedTable(unsupported_lake(lake_format, f" (it has {location.rstrip('/')}/{folder})"))
        if name.startswith("metadata/") and name.endswith(ICEBERG_METADATA):
            raise UnsupportedTable(unsupported_lake("iceberg", f" (it has {location.rstrip('/')}/{name})"))


def unsupported_lake(lake_format: str, evidence: str = "") -> str:
    return (
        f"The table is a table of {LAKE_FORMATS[lake_format]}{evidence}; only tables of CSV, JSON or Parquet files are read. "
        "Export it to such files, and define a table on them."
    )


def _declared_lake_format(description: Mapping[str, Any]) -> str | None:
    storage = description.get("StorageDescriptor", {})
    parameters = {name.lower(): value.lower() for name, value in description.get("Parameters", {}).items()}
    declared = [parameters.get(name, "") for name in ("table_type", "classification", "spark.sql.sources.provider")]
    declared += [storage.get("InputFormat", "").lower(), storage.get("SerdeInfo", {}).get("SerializationLibrary", "").lower()]
    if "metadata_location" in parameters:
        declared.append("iceberg")
    return next((name for name in LAKE_FORMATS for value in declared if _names(name, value)), None)


def _names(lake_format: str, value: str) -> bool:
    """Whether a parameter or a Java class (org.apache.hudi..., io.delta...) names the format."""
    return lake_format in value.split(".") or value == lake_format
