"""What a label file has to look like before Glue is asked to import it; read once, as a stream.

The form: docs.aws.amazon.com/glue/latest/dg/machine-learning-labeling.html. CSV in UTF-8, the columns `labeling_set_id,label`
and then the table's; no blank label; sets of 2 to 50 rows.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import count
from typing import Any

MAX_BYTES = 10 * 1024 * 1024  # Glue's quota
SHOWN = 20
SET_ROWS = range(2, 51)
_LABEL_COLUMNS = ("labeling_set_id", "label")


def validate_label_file(chunks: Iterable[bytes], columns: Sequence[str], escape: str | None = None) -> list[str]:
    """What is wrong with the file: the first 20 findings, by line, and how many more there are. Nothing, if it is fine.

    `columns` are the transform's; none given, their names are not looked at. Lines count from 1, the header's. `escape` is
    the character that stands before a quote within quotes; without one, the quote is doubled.
    """
    csv.field_size_limit(MAX_BYTES)
    numbered = count()
    first = [finding for finding, _ in nsmallest(SHOWN, zip(_read(chunks, columns, escape), numbered, strict=False))]
    more = next(numbered) - len(first)
    return [f"line {line}: {what}" for line, what in first] + ([f"and {more} more"] if more else [])


def _read(chunks: Iterable[bytes], columns: Sequence[str], escape: str | None) -> Iterator[tuple[int, str]]:
    reader = csv.reader(_decoded(io.BufferedReader(_Stream(chunks))), strict=True, escapechar=escape)
    try:
        header = next(reader, [])
        wrong = list(_header_findings(header, columns))
        yield from ((1, what) for what in wrong)
        if not wrong:
            yield from _row_findings(reader, len(header))
    except UnicodeDecodeError:
        yield (reader.line_num + 1, "is not UTF-8; save the file as UTF-8")
    except csv.Error as error:
        yield (reader.line_num, f"is not CSV: {error}")


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """Line by line, so that a fault is found in its own line."""
    return (line.decode("utf-8") for line in lines)


def _header_findings(header: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    if header and header[0].startswith("\ufeff"):
        yield "begins with a byte order mark; save the file as UTF-8 without one"
        return
    if tuple(header[:2]) != _LABEL_COLUMNS:
        yield "the header must begin with labeling_set_id,label"
        return
    given = header[2:]
    if columns:
        yield from (f"the transform's column {name!r} is missing" for name in columns if name not in given)
        yield from (f"the transform has no column {name!r}" for name in given if name not in columns)
    yield from (f"the column {name!r} is there twice" for name in sorted({one for one in given if given.count(one) > 1}))


def _row_findings(reader: Any, width: int) -> Iterator[tuple[int, str]]:  # noqa: ANN401  csv gives its type no name
    first_lines: dict[str, int] = {}
    rows: dict[str, int] = {}
    line: int = reader.line_num
    for row in reader:
        begins, line = line + 1, reader.line_num
        if not row:
            continue
        if len(row) != width:
            yield begins, f"has {len(row)} cells, the header has {width}"
            continue
        set_id, label = row[0].strip(), row[1].strip()
        if not set_id:
            yield begins, "labeling_set_id is blank"
            continue
        if not label:
            yield begins, "label is blank; a row that matches nothing gets a label of its own"
        first_lines.setdefault(set_id, begins)
        rows[set_id] = rows.get(set_id, 0) + 1
    if not rows:
        yield line + 1, "there are no labeled rows"
    for set_id, size in rows.items():
        if size not in SET_ROWS:
            yield first_lines[set_id], f"the labeling set {set_id[:50]!r} has {size} rows; 2 to 50 are allowed"


class _Stream(io.RawIOBase):
    """Chunks of bytes as a file, so that the whole is never in memory."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # what BufferedReader gives
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
