"""How a table's files are written, from the serde and the parameters of its catalog entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.glue.tables.csv_reader import CsvDialect
from local.glue.tables.schema import UnsupportedTable

HIVE_SEPARATOR = "\x01"
MAX_BYTE = 127  # Hive parses a number as a signed byte
BACKSLASH = "\\"


@dataclass(frozen=True)
class TableFormat:
    """`kind`: csv, json or parquet; the rest is for csv only. The first `header_lines` rows of each object are skipped."""

    kind: str
    dialect: CsvDialect = field(default_factory=CsvDialect)
    header_lines: int = 0


def table_format(description: Mapping[str, Any]) -> TableFormat:
    """By the table's serde, or by its `classification`. Raises UnsupportedTable for others, and names a bad property."""
    storage = description.get("StorageDescriptor", {})
    serde = storage.get("SerdeInfo", {})
    options = {**description.get("Parameters", {}), **storage.get("Parameters", {}), **serde.get("Parameters", {})}
    library = serde.get("SerializationLibrary", "")
    classification = options.get("classification", "").lower()
    header_lines = _count(options.get("skip.header.line.count", "0"))
    match library.rsplit(".", 1)[-1].lower():
        case "opencsvserde":
            return TableFormat("csv", _open_csv(options), header_lines)
        case "lazysimpleserde":
            return TableFormat("csv", _lazy_simple(options, classification), header_lines)
        case "" if classification == "csv":
            return TableFormat("csv", _lazy_simple(options, classification), header_lines)
        case name if "json" in name or (not name and classification == "json"):
            return TableFormat("json")
        case name if "parquet" in name or (not name and classification == "parquet"):
            return TableFormat("parquet")
    raise UnsupportedTable(
        f"Tables of serde {library or 'none'} and classification {classification or 'none'} are not read; "
        "OpenCSVSerde, LazySimpleSerDe, and the serdes of JSON and Parquet are."
    )


def _open_csv(options: Mapping[str, str]) -> CsvDialect:
    """Hive's OpenCSVSerde: each property is one character."""
    return CsvDialect(
        separator=_character(options, "separatorChar") or ",",
        quote=_character(options, "quoteChar") or '"',
        escape=_character(options, "escapeChar") or BACKSLASH,
    )


def _lazy_simple(options: Mapping[str, str], classification: str) -> CsvDialect:
    """Hive's LazySimpleSerDe, and Glue's own reader of tables that have a classification and no serde.

    `serialization.format` is the separator where `field.delim` is missing; either is a character or a byte's number. Its
    default, "1" (Hive's own separator), says nothing about a table that is classified as csv.
    """
    line_end = _byte(options, "line.delim")
    if line_end not in (None, "\n"):
        raise UnsupportedTable(f"The property line.delim is {line_end!r}; only line breaks separate rows.")
    is_csv = classification == "csv"
    serialization_format = _byte(options, "serialization.format")
    separator = (
        _byte(options, "field.delim")
        or _character(options, "separatorChar")
        or _byte(options, "delimiter")
        or (None if is_csv and serialization_format == HIVE_SEPARATOR else serialization_format)
        or ("," if is_csv else HIVE_SEPARATOR)
    )
    null = options.get("serialization.null.format", r"\N")
    return CsvDialect(separator=separator, escape=_byte(options, "escape.delim"), null=null)


def _byte(options: Mapping[str, str], name: str) -> str | None:
    """A property that Hive reads as a character, or as a byte's number: "9" is a tab."""
    value = options.get(name, "")
    if value.isdecimal() and int(value) <= MAX_BYTE:
        return chr(int(value))
    return _character(options, name)


def _character(options: Mapping[str, str], name: str) -> str | None:
    value = options.get(name, "")
    if len(value) > 1:
        hint = " For a tab, set the tab character itself." if value == r"\t" else ""
        raise UnsupportedTable(f"The property {name} is {value!r}; it must be one character.{hint}")
    if value and value in "\r\n":
        raise UnsupportedTable(f"The property {name} is a line break.")
    return value or None


def _count(text: str) -> int:
    return int(text) if text.isdecimal() else 0
