"""The cells of a CSV file, and the bytes at which its rows and their second cells stand.

Both dialects of `core.label_file_reader`: a quote inside quotes is doubled, as RFC 4180 has it; from the first row on that this
does not explain, a backslash stands before it, as Spark writes it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_LABEL_CELL = 1
_LINE_END = re.compile(rb"\r\n|\r|\n|\Z")
# A quoted cell with its quotes, or a bare one. The possessive quantifiers (*+) keep every match linear.
_DOUBLED = re.compile(rb'(?P<quoted>"[^"]*+(?:""[^"]*+)*+"(?=[,\r\n]|\Z))|(?P<bare>(?!")[^,\r\n]*+)')
_ESCAPED = re.compile(
    rb'(?P<quoted>"(?:\\.|""|[^"\\])*+"(?=[,\r\n]|\Z))|(?P<bare>(?!")(?:\\.|[^,\r\n\\])*+(?=[,\r\n]|\Z))', re.DOTALL
)
_ESCAPED_CHARACTER = re.compile(r'\\(.)|""', re.DOTALL)
_BARE_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class UnreadableCsv(Exception):
    """The file cannot be read on from this line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")


class Span(NamedTuple):
    """Some bytes of the file, from `start` to before `end`."""

    start: int
    end: int


class CsvRow(NamedTuple):
    """A row: its cells, its bytes with its line end, and those of its second cell with its quotes, None if it has only one."""

    cells: tuple[str, ...]
    span: Span
    label: Span | None


def read_csv_spans(body: bytes) -> Iterator[CsvRow]:
    """All rows but the empty lines. Raises UnreadableCsv."""
    dialect, position = _DOUBLED, 0
    while position < len(body):
        line_end = _LINE_END.match(body, position)
        if line_end is not None:  # an empty line
            position = line_end.end()
            continue
        row = _read_row(body, position, dialect)
        if row is None and dialect is _DOUBLED:
            dialect = _ESCAPED
            row = _read_row(body, position, dialect)
        if row is None:
            raise UnreadableCsv(_line_of(body, position), "a quote is not closed, or text follows a closing quote")
        yield row
        position = row.span.end


def _read_row(body: bytes, start: int, dialect: re.Pattern[bytes]) -> CsvRow | None:
    cells: list[str] = []
    label: Span | None = None
    position = start
    while (cell := dialect.match(body, position)) is not None:
        if len(cells) == _LABEL_CELL:
            label = Span(*cell.span())
        cells.append(_text(body, cell, dialect))
        position = cell.end()
        end = _LINE_END.match(body, position)
        if end is not None:
            return CsvRow(tuple(cells), Span(start, end.end()), label)
        if body[position : position + 1] != b",":
            return None
        position += 1
    return None


def _text(body: bytes, cell: re.Match[bytes], dialect: re.Pattern[bytes]) -> str:
    try:
        text = cell[0].decode()
    except UnicodeDecodeError as error:
        raise UnreadableCsv(_line_of(body, cell.start()), "is not UTF-8") from error
    is_quoted = cell["quoted"] is not None
    inner = text[1:-1] if is_quoted else text
    if dialect is _DOUBLED:
        return inner.replace('""', '"') if is_quoted else inner
    return (_ESCAPED_CHARACTER if is_quoted else _BARE_ESCAPE).sub(lambda escape: escape[1] or '"', inner)


def _line_of(body: bytes, position: int) -> int:
    before = body[:position]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
