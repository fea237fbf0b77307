"""The rows of a label file, read as a stream in bounded memory."""

import csv
import io
import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence

MAX_ROW_CHARS = 1024 * 1024
_BLOCK_BYTES = 64 * 1024
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # how `surrogateescape` decodes such bytes
_LINE_ENDS = {"\n", "\r\n", "\r"}
_BACKSLASH = "\\"
_OPEN_QUOTE = "unexpected end of data"  # csv's own message
_TOO_LONG = f"the row has more than {MAX_ROW_CHARS:,} characters; perhaps a quote is not closed"

Rows = list[list[str]]


class UnreadableFile(Exception):
    """The file cannot be read on from this line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def read_rows(chunks: Iterable[bytes]) -> Iterator[tuple[Sequence[int], Rows]]:
    """Blocks of rows, and the line in which each row begins; an empty line is an empty row. Raises UnreadableFile.

    A quote inside quotes is doubled, as RFC 4180 has it. From the first row on that this does not explain, a backslash
    stands before it, as Spark writes it.
    """
    csv.field_size_limit(10 * MAX_ROW_CHARS)
    escape: str | None = None
    pending: list[str] = []
    first_line, waiting_for = 1, 0
    for lines, is_last in _lines(chunks):
        if not pending and _LINE_ENDS.issuperset(lines):  # a short cut for megabytes of empty lines
            yield range(first_line, first_line + len(lines)), []
            first_line += len(lines)
            continue
        pending += lines
        if not is_last and _chars(pending) < waiting_for:
            continue
        rows, counts, error = _parse(pending, escape)
        used = sum(counts)
        if error and escape is None and not _may_go_on(error, pending[used:], is_last=is_last):
            escaped_rows, escaped_counts, escaped_error = _parse(pending[used:], _BACKSLASH)
            if escaped_rows or _may_go_on(escaped_error, pending[used:], is_last=is_last):
                escape, error = _BACKSLASH, escaped_error
                rows, counts = rows + escaped_rows, counts + escaped_counts
                used = sum(counts)
        numbers = _numbered(counts, first_line)
        too_long = _first_too_long(pending, counts)
        yield numbers[:too_long], rows[:too_long]
        if too_long is not None:
            raise UnreadableFile(numbers[too_long], _TOO_LONG)
        first_line, pending = first_line + used, pending[used:]
        if error and not _may_go_on(error, pending, is_last=is_last):
            raise UnreadableFile(first_line, _reason(error, pending))
        # An unfinished row is parsed again only once it has doubled, so that the time is linear.
        waiting_for = min(2 * _chars(pending), MAX_ROW_CHARS + 1)


def _lines(chunks: Iterable[bytes]) -> Iterator[tuple[list[str], bool]]:
    """Blocks of whole lines, with their ends (LF, CR LF or CR), and whether the block is the last. Raises UnreadableFile."""
    decoder = getincrementaldecoder("utf-8")("surrogateescape")
    rest, line = "", 1
    for part in _parts(chunks):
        text = rest + decoder.decode(part)
        end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1  # a CR at the end may be half of a CR LF
        rest = text[end:]
        is_last = len(rest) > MAX_ROW_CHARS  # its row is refused
        lines = _split(text if is_last else text[:end])
        yield from _until_not_utf_8(lines, line, is_last=is_last)
        if is_last:
            return
        line += len(lines)
    yield from _until_not_utf_8(_split(rest + decoder.decode(b"", final=True)), line, is_last=True)


def _split(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


def _until_not_utf_8(lines: list[str], first_line: int, *, is_last: bool) -> Iterator[tuple[list[str], bool]]:
    """The lines; if one is not UTF-8, those before it, and UnreadableFile."""
    text = "".join(lines)
    if text.isascii() or not _NOT_UTF_8.search(text):
        yield lines, is_last
        return
    number = next(number for number, line in enumerate(lines) if _NOT_UTF_8.search(line))
    yield lines[:number], True
    raise UnreadableFile(first_line + number, "is not UTF-8; save the file as UTF-8")


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _BLOCK_BYTES):
            yield chunk[start : start + _BLOCK_BYTES]


def _parse(lines: list[str], escape: str | None) -> tuple[Rows, list[int], str]:
    """The rows up to the first error, the number of lines of each, and the error's message, "" for none."""
    rows: Rows = []
    error = ""
    reader = csv.reader(lines, strict=True, escapechar=escape)
    try:
        rows.extend(reader)
    except csv.Error as fault:
        error = str(fault)
    if reader.line_num == len(rows):
        return rows, [1] * len(rows), error
    return rows, [1 + _line_breaks("\0".join(row)) for row in rows], error


def _line_breaks(text: str) -> int:
    if "\r" not in text:
        return text.count("\n")
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _chars(lines: list[str]) -> int:
    return sum(map(len, lines))


def _numbered(counts: list[int], first_line: int) -> Sequence[int]:
    """The line in which each row begins, from the number of lines of each."""
    if len(counts) == sum(counts):
        return range(first_line, first_line + len(counts))
    numbers = []
    for count in counts:
        numbers.append(first_line)
        first_line += count
    return numbers


def _first_too_long(lines: list[str], counts: list[int]) -> int | None:
    """The index of the first row that is too long, from the number of lines of each."""
    if _chars(lines) <= MAX_ROW_CHARS:
        return None
    start = 0
    for index, count in enumerate(counts):
        if _chars(lines[start : start + count]) > MAX_ROW_CHARS:
            return index
        start += count
    return None


def _may_go_on(error: str, unfinished: list[str], *, is_last: bool) -> bool:
    """Whether a quote is only still open, so that the next lines may close it."""
    return error in ("", _OPEN_QUOTE) and not is_last and _chars(unfinished) <= MAX_ROW_CHARS


def _reason(error: str, row: list[str]) -> str:
    if _chars(row) > MAX_ROW_CHARS:
        return _TOO_LONG
    if error == _OPEN_QUOTE:
        return "a quote that opens in this row is never closed"
    return "text follows a closing quote; write a quote inside a quoted cell twice"
