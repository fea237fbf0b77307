"""Read the table that `make match` is given, whatever its format."""

from pathlib import Path

from local.workbench.csv_file import read_csv
from local.workbench.other_files import read_excel, read_json_lines, read_parquet
from local.workbench.source import Overrides, Source, UnusableFile, checked

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"


def read_source(path: Path, overrides: Overrides | None = None) -> Source:
    """The table in a file: its first bytes decide the format, then its name. Raises UnusableFile."""
    overrides = overrides or Overrides()
    if not path.is_file():
        raise UnusableFile(f"There is no file {path}." if not path.exists() else f"{path} is a folder, not a file.")
    try:
        with path.open("rb") as file:
            start = file.read(4096)
        return checked(_read(path, start, overrides))
    except PermissionError as error:
        raise UnusableFile(f"{path} cannot be read: permission denied.") from error


def _read(path: Path, start: bytes, overrides: Overrides) -> Source:
    if not start:
        raise UnusableFile(f"{path} is empty.")
    if start.startswith(_OLD_EXCEL):
        raise UnusableFile(
            f"{path} is a workbook of Excel 97 to 2003 (.xls), or encrypted. Save it as .xlsx without a password."
        )
    if start.startswith(_ZIP):
        return read_excel(path, overrides)
    if start.startswith(_PARQUET):
        return read_parquet(path, overrides)
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json") or start.lstrip().startswith(b"{"):
        return read_json_lines(path, overrides)
    return read_csv(path, overrides)
