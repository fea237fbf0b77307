"""Excel workbooks, Parquet files and JSON lines, as tables of text."""

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet
from openpyxl.utils.exceptions import InvalidFileException

from local.workbench.source import Overrides, Source, UnusableFile
from local.workbench.text_encoding import decode

_EXACT_FLOAT = 2**53  # up to here, each integer has a floating-point number of its own


def read_excel(path: Path, overrides: Overrides) -> Source:
    """The first sheet, or the one that is named; values, not formulas. Raises UnusableFile."""
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError) as error:
        raise UnusableFile(f"{path} is no Excel workbook of the form xlsx. Save it again as .xlsx or CSV.") from error
    names = workbook.sheetnames
    sheet = overrides.sheet or names[0]
    if sheet not in names:
        raise UnusableFile(f"{path} has no sheet {sheet!r}. It has: {', '.join(names)}.")
    numbered = [(line, [_text(value) for value in values]) for line, values in enumerate(workbook[sheet].values, start=1)]
    numbered = [(line, cells) for line, cells in numbered if any(cell.strip() for cell in cells)]
    if not numbered:
        raise UnusableFile(f"The sheet {sheet!r} of {path} is empty. Name another one with SHEET.")
    header = numbered[0][1]
    width = max(place for place, cell in enumerate(header, start=1) if cell.strip())
    columns = tuple(cell.strip() or f"column_{place}" for place, cell in enumerate(header[:width], start=1))
    rows = [tuple([*cells, *[""] * width][:width]) for _, cells in numbered[1:]]
    notes = (f"of {len(names)} sheets, {sheet!r} is read; SHEET names another",) if len(names) > 1 else ()
    lines = [line for line, _ in numbered[1:]]
    return Source(path, columns, rows, lines, f"Excel, sheet {sheet}", partial(_write_excel, sheet), notes)


def _write_excel(sheet: str, path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    written = workbook.create_sheet(sheet)
    written.append(list(columns))
    for row in rows:
        written.append(list(row))
    workbook.save(path)


def read_parquet(path: Path, _overrides: Overrides) -> Source:
    """Raises UnusableFile."""
    try:
        table = pyarrow.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UnusableFile(f"{path} is no Parquet file: {error}") from error
    columns = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    rows = list(zip(*columns, strict=True))
    return Source(path, tuple(table.column_names), rows, range(1, len(rows) + 1), "Parquet", _write_parquet)


def _write_parquet(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(column, pa.string()) for column in cells]
    pyarrow.parquet.write_table(pa.table(arrays, names=list(columns)), path)


def read_json_lines(path: Path, overrides: Overrides) -> Source:
    """One JSON object a line; columns in the order in which they first appear. Raises UnusableFile, naming the line."""
    text, encoding = decode(path.read_bytes(), path, overrides.encoding)
    documents, lines = [], []
    for line, content in enumerate(text.split("\n"), start=1):
        if content.strip():
            documents.append(_json_object(content, line, path))
            lines.append(line)
    columns = tuple(dict.fromkeys(name for document in documents for name in document))
    rows = [tuple(_text(document.get(name)) for name in columns) for document in documents]
    write = partial(_write_json_lines, encoding)
    return Source(path, columns, rows, lines, f"JSON lines, {encoding.removesuffix('-sig')}", write)


def _json_object(content: str, line: int, path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(content, parse_float=Decimal, parse_int=str)  # numbers keep their digits
    except json.JSONDecodeError as error:
        raise UnusableFile(f"{path}, line {line}: not JSON ({error.msg} at character {error.pos + 1}).") from error
    if not isinstance(document, dict):
        raise UnusableFile(f'{path}, line {line}: not a JSON object such as {{"name": "Anna"}}.')
    return document


def _write_json_lines(encoding: str, path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding=encoding) as file:
        for row in rows:
            file.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n")


def _text(value: object) -> str:
    """A cell as text: numbers without needless zeros, dates as ISO 8601, lists and objects as JSON."""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        return str(int(value))
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else value.hex() if isinstance(value, bytes) else str(value)
