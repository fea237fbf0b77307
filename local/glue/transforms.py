"""Glue's rules for transforms beyond its API model, and the members that Glue fills in itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.glue.aws import Catalog, TableRef, Unavailable
from local.glue.errors import invalid_input
from local.glue.tables.schema import UnsupportedTable, check_supported, column_types

MAX_COLUMNS = 100
DEFAULT_TIMEOUT_MINUTES = 2880
NOT_READY, READY = "NOT_READY", "READY"
UNSUPPORTED_TYPES = ("array", "map", "struct", "uniontype", "binary")
DPU_PER_WORKER = {"Standard": 1.0, "G.025X": 0.25, "G.1X": 1.0, "G.2X": 2.0, "G.4X": 4.0, "G.8X": 8.0, "Z.2X": 2.0}


def new_transform_document(transform_id: str, request: Mapping[str, Any], catalog: Catalog, now: float) -> dict[str, Any]:
    """The MLTransform of a CreateMLTransform request, with its schema from the catalog. Raises GlueError."""
    _check_name(request["Name"])
    check_parameters(request["Parameters"])
    check_capacity(request)
    table = input_table(request["InputRecordTables"])
    primary_key = request["Parameters"]["FindMatchesParameters"]["PrimaryKeyColumnName"]
    members = {name: value for name, value in request.items() if name != "Tags"}
    document = {
        "Description": "",
        "GlueVersion": "0.9",
        "Timeout": DEFAULT_TIMEOUT_MINUTES,
        "MaxRetries": 0,
        **members,
        "TransformId": transform_id,
        "Status": NOT_READY,
        "CreatedOn": now,
        "LastModifiedOn": now,
        "Schema": read_schema(catalog, table, primary_key),
    }
    return {**document, **filled_capacity(document)}


def changed_members(stored: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """The members that an UpdateMLTransform request changes; None removes one. Raises GlueError."""
    changes = {name: value for name, value in request.items() if name != "TransformId"}
    if "Name" in changes:
        _check_name(changes["Name"])
    if "Parameters" in changes:
        check_parameters(changes["Parameters"])
        check_primary_key(stored["Schema"], changes["Parameters"]["FindMatchesParameters"]["PrimaryKeyColumnName"])
    check_capacity(changes)
    if "MaxCapacity" in changes:
        changes |= {"WorkerType": None, "NumberOfWorkers": None}
    elif "WorkerType" in changes:
        changes["MaxCapacity"] = None
        changes |= filled_capacity(changes)
    return changes


def input_table(tables: Sequence[Mapping[str, Any]]) -> TableRef:
    """The one table of a transform. Raises GlueError for more or none (the API model allows up to 10), or a blank name."""
    if len(tables) != 1:
        raise invalid_input("Exactly one input record table must be provided.")
    table = tables[0]
    if not table["DatabaseName"].strip():
        raise invalid_input("Should specify database name.")
    if not table["TableName"].strip():
        raise invalid_input("Should specify table name.")
    return TableRef(table["DatabaseName"], table["TableName"], table.get("CatalogId"))


def check_parameters(parameters: Mapping[str, Any]) -> None:
    find_matches = parameters.get("FindMatchesParameters")
    if find_matches is None:
        raise invalid_input("Find Matches parameters have not been set.")
    if not find_matches.get("PrimaryKeyColumnName", "").strip():
        raise invalid_input("A primary key must be specified in Find Matches parameters.")


def check_capacity(request: Mapping[str, Any]) -> None:
    workers = "WorkerType" in request, "NumberOfWorkers" in request
    if "MaxCapacity" in request and any(workers):
        raise invalid_input("Cannot set Max Capacity and Worker Num/Type at the same time.")
    if any(workers) and not all(workers):
        raise invalid_input("Both WorkerType and NumberOfWorkers should be set.")
    if request.get("MaxCapacity", 1) < 1:
        raise invalid_input("MaxCapacity should be >= 1.")
    if request.get("NumberOfWorkers", 1) < 1:
        raise invalid_input("NumberOfWorkers should be >= 1.")
    if request.get("MaxRetries", 0) < 0:
        raise invalid_input("Max retries should be non-negative.")


def filled_capacity(request: Mapping[str, Any]) -> dict[str, float]:
    """MaxCapacity as Glue sets it: the DPUs of the workers, or 10 by default."""
    if "WorkerType" in request:
        return {"MaxCapacity": DPU_PER_WORKER[request["WorkerType"]] * request["NumberOfWorkers"]}
    return {"MaxCapacity": request.get("MaxCapacity", 10.0)}


def read_schema(catalog: Catalog, table: TableRef, primary_key: str) -> list[dict[str, str]]:
    try:
        description = catalog.table(table)
    except Unavailable as error:
        raise invalid_input(f"Problem fetching the data catalog schema: {error}.") from error
    try:
        check_supported(description)
        types = column_types(description)
    except UnsupportedTable as error:
        raise invalid_input(str(error)) from error
    if not types:
        raise invalid_input("Schema is not defined on the transform.")
    if len(types) > MAX_COLUMNS:
        raise invalid_input(f"The table has {len(types)} columns; a transform can have at most {MAX_COLUMNS}.")
    for name, kind in types.items():
        if kind.lower().startswith(UNSUPPORTED_TYPES):
            raise invalid_input(f"Input source column {name} has an invalid data type defined in the catalog.")
    schema = [{"Name": name, "DataType": kind} for name, kind in types.items()]
    check_primary_key(schema, primary_key)
    return schema


def check_primary_key(schema: Sequence[Mapping[str, str]], primary_key: str) -> None:
    if primary_key not in [column["Name"] for column in schema]:
        raise invalid_input(f"Schema should contain given primary key: {primary_key}.")


def _check_name(name: str) -> None:
    if not name.strip():
        raise invalid_input("Transform name cannot be blank.")
