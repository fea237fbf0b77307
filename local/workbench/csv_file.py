"""Separated text: CSV with any separator and quotes, TSV, and Excel's `sep=` line."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import clevercsv

from local.workbench.source import Overrides, Source, UnusableFile, name_lines
from local.workbench.text_encoding import decode

_SEPARATORS = [",", ";", "\t", "|"]
_SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
_SAMPLE_CHARACTERS = 100_000
_MAX_CELL_CHARACTERS = 10_000_000
_EXCEL_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class CsvFormat:
    """How a file separates and quotes its cells."""

    encoding: str
    separator: str
    quote: str
    escape: str | None
    line_end: str

    @property
    def options(self) -> dict[str, object]:
        """Keyword arguments of csv.reader and csv.writer."""
        return {
            "delimiter": self.separator,
            "quotechar": self.quote or '"',
            "escapechar": self.escape,
            "doublequote": self.escape is None,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
        }

    def write(self, path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        with path.open("w", encoding=self.encoding, newline="") as file:
            writer = csv.writer(file, lineterminator=self.line_end, **self.options)  # type: ignore[arg-type]
            writer.writerow(columns)
            writer.writerows(rows)


def read_csv(path: Path, overrides: Overrides) -> Source:
    """Raises UnusableFile, naming the line."""
    text, encoding = decode(path.read_bytes(), path, overrides.encoding)
    excel_line = _EXCEL_LINE.match(text)
    body = text[excel_line.end() :] if excel_line else text
    if not body.strip():
        raise UnusableFile(f"{path} is empty.")
    separator = overrides.separator or (excel_line[1] if excel_line else None)
    file_format = _detect(body, encoding, separator, path)
    records, lines = _parse(body, file_format, path, first_line=2 if excel_line else 1)
    columns = _header(records[0], path)
    rows, notes = _rows(records[1:], lines[1:], len(columns), path)
    name = _SEPARATOR_NAMES.get(file_format.separator, repr(file_format.separator))
    description = f"separated text: {name}, {encoding.removesuffix('-sig')}"
    return Source(path, columns, rows, lines[1:], description, file_format.write, notes)


def _detect(text: str, encoding: str, separator: str | None, path: Path) -> CsvFormat:
    sample = text[:_SAMPLE_CHARACTERS]
    sample = sample[: sample.rfind("\n") + 1] or sample
    line_end = "\r\n" if "\r\n" in sample else "\r" if "\r" in sample and "\n" not in sample else "\n"
    if separator is None and path.suffix.lower() in (".tsv", ".tab"):
        separator = "\t"
    try:
        dialect = clevercsv.Sniffer().sniff(sample, delimiters=[separator] if separator else _SEPARATORS)
    except clevercsv.Error:
        dialect = None
    if dialect is None or not dialect.delimiter:
        return CsvFormat(encoding, separator or ",", '"', None, line_end)  # a single column has no separator
    return CsvFormat(encoding, separator or dialect.delimiter, dialect.quotechar or '"', dialect.escapechar or None, line_end)


def _parse(text: str, file_format: CsvFormat, path: Path, first_line: int) -> tuple[list[list[str]], list[int]]:
    """The records that are not blank, and the line where each begins."""
    csv.field_size_limit(_MAX_CELL_CHARACTERS)
    text_lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    reader = csv.reader(text_lines, strict=True, **file_format.options)  # type: ignore[arg-type]
    records, lines, line = [], [], first_line
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                records.append(record)
                lines.append(line)
            line = first_line + reader.line_num
    except csv.Error as error:
        raise UnusableFile(
            f"{path} cannot be read from line {line} on: a quote opens there and is not closed as it should be ({error})."
            " Correct that line, or double the quotes within its cells."
        ) from error
    return records, lines


def _header(cells: Sequence[str], path: Path) -> tuple[str, ...]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]  # a separator at the end of each line
    if all(_is_number(cell) for cell in cells):
        raise UnusableFile(f"{path} has no header: line 1 holds numbers. Add a first line that names the columns.")
    return tuple(cell.strip() or f"column_{place}" for place, cell in enumerate(cells, start=1))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*[-+]?[\d.,]*\d[\d.,]*\s*", text) is not None


def _rows(
    records: Sequence[Sequence[str]], lines: Sequence[int], width: int, path: Path
) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    too_long = [line for record, line in zip(records, lines, strict=True) if any(cell.strip() for cell in record[width:])]
    if too_long:
        raise UnusableFile(
            f"{path} has more cells than column names in {name_lines(too_long)}."
            " Quote the cells that hold a separator, or give the right SEPARATOR."
        )
    too_short = [line for record, line in zip(records, lines, strict=True) if len(record) < width]
    rows = [tuple([*record, *[""] * (width - len(record))][:width]) for record in records]
    verb = "has" if len(too_short) == 1 else "have"
    notes = (
        (f"{name_lines(too_short)} {verb} fewer cells than there are columns; the missing ones count as empty",)
        if too_short
        else ()
    )
    return rows, notes
