"""Parquet files, with every value as exact text."""

import json
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from local.glue.tables.csv_reader import Cell
from local.glue.tables.schema import check_no_match_output, duplicate_names


def read_parquet(file: BinaryIO, names: Sequence[str]) -> dict[str, Sequence[Cell]]:
    """Columns by name, regardless of case; a column that the file lacks is all null. Raises ValueError."""
    table = pq.read_table(file)
    check_no_match_output(table.column_names, names)
    lower_names = {name.lower() for name in names}
    stored: dict[str, str] = {}
    for name in table.column_names:
        if name.lower() in stored and name.lower() in lower_names:
            raise ValueError(duplicate_names(stored[name.lower()], name))
        stored[name.lower()] = name
    nulls: list[Cell] = [None] * table.num_rows
    return {name: column_text(name, table.column(stored[name.lower()])) if name.lower() in stored else nulls for name in names}


def column_text(name: str, column: pa.ChunkedArray) -> list[Cell]:
    """Raises ValueError for binary values that are not UTF-8."""
    if pa.types.is_floating(column.type):
        return [_float_text(value) for value in column.to_numpy()]
    if pa.types.is_nested(column.type):
        return [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in column.to_pylist()]
    try:
        texts: list[Cell] = pc.cast(column, pa.string()).to_pylist()
    except pa.ArrowInvalid as error:
        raise ValueError(f"column {name} has bytes that are not UTF-8") from error
    except pa.ArrowNotImplementedError as error:
        raise ValueError(f"column {name} has the type {column.type}, which is not read") from error
    return texts


def _float_text(value: np.floating) -> Cell:
    """All digits of a whole number, else the shortest ones that give the same number; never an exponent.

    NaN, which stands for a missing value, is null.
    """
    if np.isnan(value):
        return None
    if np.isfinite(value) and value == np.trunc(value):
        return str(int(value))
    return np.format_float_positional(value, unique=True, trim="-")
