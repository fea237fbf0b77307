"""The records of a label file, from its bytes."""

import csv
import io
import re
from collections.abc import Iterator

from local.glue.label_rules import LabelFileRefused, Problem
from local.glue.tables.csv_reader import MAX_FIELD_CHARS

MAX_ROW_CHARS = 1024 * 1024
NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # how `surrogateescape` decodes such bytes
SEPARATOR_LINE = re.compile(r'"?sep=."?[\r\n]', re.IGNORECASE)
OTHER_SEPARATOR = re.compile(r'"?labeling_set_id"?[ \t]*([;\t|:])', re.IGNORECASE)
SEPARATOR_NAMES = {";": "semicolons", "\t": "tabs", "|": "vertical bars", ":": "colons"}
FOREIGN_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or a zip file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "compressed with gzip",
    b"\xff\xfe": "UTF-16 with a byte order mark",
    b"\xfe\xff": "UTF-16 with a byte order mark",
    b"PAR1": "a Parquet file",
}


def decode_label_file(body: bytes) -> tuple[str, Problem | None]:
    """The text up to the first line that is not UTF-8, and that problem. Raises LabelFileRefused for other formats."""
    for magic, content in FOREIGN_FORMATS.items():
        if body.startswith(magic):
            raise LabelFileRefused([(1, f"the file is {content}; save it as CSV in UTF-8, separated by commas.")])
    if body.startswith(b"\xef\xbb\xbf"):
        raise LabelFileRefused([(1, "the file starts with a byte order mark; save it as UTF-8 without BOM (byte order mark).")])
    text = body.decode("utf-8", "surrogateescape")
    if SEPARATOR_LINE.match(text):
        raise LabelFileRefused([(1, "the file starts with Excel's line 'sep='; remove it, and separate columns by commas.")])
    separator = OTHER_SEPARATOR.match(text)
    if separator:
        raise LabelFileRefused([(1, f"the columns are separated by {SEPARATOR_NAMES[separator[1]]}, not by commas.")])
    match = NOT_UTF_8.search(text)
    if not match:
        return text, None
    lines = io.StringIO(text, newline="").readlines()
    number = next(number for number, line in enumerate(lines) if NOT_UTF_8.search(line))
    problem = f"byte {ord(match[0]) - 0xDC00:#04x} is not UTF-8; the file may be encoded with cp1252."
    return "".join(lines[:number]), (number + 1, problem)


def read_records(text: str) -> tuple[list[tuple[int, list[str]]], Problem | None]:
    """The records with the line in which each begins, empty lines as empty records, up to the first that is not CSV.

    Quotes inside quotes are doubled; from the first record on that this does not explain, they follow a backslash, as
    Spark writes them.
    """
    lines = io.StringIO(text, newline="").readlines()
    records: list[tuple[int, list[str]]] = []
    start, escape = 0, None
    while start < len(lines):
        error = ""
        for count, record, error in _parse(lines[start:], escape):
            if error:
                break
            records.append((start + 1, record))
            start += count
        if error and escape is None and not next(_parse(lines[start:], "\\"))[2]:
            escape = "\\"
        elif error:
            return records, (start + 1, error)
    return records, None


def _parse(lines: list[str], escape: str | None) -> Iterator[tuple[int, list[str], str]]:
    """Per record: its number of lines, its fields, and an error's message, "" for none. The first error is the last item."""
    csv.field_size_limit(MAX_FIELD_CHARS)
    reader = csv.reader(lines, strict=True, escapechar=escape)
    start = 0
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            yield 0, [], _describe(str(error), lines[start : reader.line_num])
            return
        if record is None:
            return
        count = reader.line_num - start
        if _is_too_long(lines[start : start + count]):
            yield 0, [], TOO_LONG
            return
        yield count, record, ""
        start += count


TOO_LONG = f"the row has more than {MAX_ROW_CHARS:,} characters; a quote may not be closed."


def _is_too_long(lines: list[str]) -> bool:
    return sum(map(len, lines)) > MAX_ROW_CHARS


def _describe(error: str, lines: list[str]) -> str:
    if _is_too_long(lines):
        return TOO_LONG
    if "end of data" in error:
        return "a quote that opens in this row is never closed."
    return "text follows a closing quote; write a quote inside a quoted field twice."
