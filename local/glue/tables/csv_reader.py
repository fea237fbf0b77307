"""CSV as Hive's serdes and Glue read it."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Cell = str | None
MAX_FIELD_CHARS = 2**31 - 1  # csv's own limit is 131,072
END_MARK = "\x00end"


@dataclass(frozen=True)
class CsvDialect:
    """`null`: the text that stands for a null, besides the empty field."""

    separator: str = ","
    quote: str = '"'
    escape: str | None = None
    null: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of csv.reader."""
        return {"delimiter": self.separator, "quotechar": self.quote, "escapechar": self.escape, "doublequote": True}


class _RecordLines:
    """The lines of a text, and those of the record that is being read."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.record: list[str] = []
        self.count = 0

    def __iter__(self) -> "_RecordLines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.record.append(line)
        self.count += 1
        return line

    @property
    def first_line(self) -> int:
        return self.count - len(self.record) + 1


def read_csv(text: str, dialect: CsvDialect) -> Iterator[list[Cell]]:
    """Rows of fields. Raises ValueError with the line where a quote opens that is not closed.

    Quotes are honored for LazySimpleSerDe tables too, as Glue's own CSV reader does. A doubled quote is a quote, also
    where the serde has an escape character. Text after a closing quote belongs to the field, but only within one line:
    across lines it is the sign of an unclosed quote, which would swallow rows.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    lines = _RecordLines(text)
    reader = csv.reader(lines, strict=True, **dialect.options)
    while True:
        lines.record.clear()
        try:
            row = next(reader, None)
        except csv.Error as error:
            row = _single_line(lines, dialect, error)
        if row is None:
            return
        if row:
            yield [None if cell in ("", dialect.null) else cell for cell in row]


def _single_line(lines: _RecordLines, dialect: CsvDialect, error: csv.Error) -> list[str]:
    """A record that strict CSV refuses, read leniently if it is one line whose quotes are closed."""
    if len(lines.record) == 1:
        rows = list(csv.reader([*lines.record, END_MARK], **dialect.options))
        if rows[-1] == [END_MARK]:
            return rows[0]
    if "end of data" in str(error):
        opening = lines.first_line + _opening_line(lines.record, dialect)
        raise ValueError(f"line {opening}: the quote that opens here is never closed") from error
    opening = lines.first_line + _opening_line(lines.record[:-1] or lines.record, dialect)
    raise ValueError(
        f"line {opening}: the quote that opens here is not closed before line {lines.count}, where text follows a quote"
    ) from error


def _opening_line(record: list[str], dialect: CsvDialect) -> int:
    """The index of the line in which the last field of an unfinished record begins: the first to have that many fields."""

    def fields_until(count: int) -> int:
        return len(next(csv.reader(record[:count], **dialect.options), []))

    fields = fields_until(len(record))
    low, high = 1, len(record)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fields_until(middle) == fields else (middle + 1, high)
    return low - 1
