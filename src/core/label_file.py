"""Validate a label file in one pass, as a stream.

The format is that of https://docs.aws.amazon.com/glue/latest/dg/machine-learning-labeling.html: CSV in UTF-8 with the columns
`labeling_set_id,label` and then the table's. No label is blank, and each labeling set has 2 to 50 rows.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import count
from typing import Any

MAX_BYTES = 10 * 1024 * 1024  # Glue's quota
MAX_PROBLEMS_SHOWN = 20
ROWS_PER_SET = range(2, 51)
_LABEL_COLUMNS = ("labeling_set_id", "label")
_MAX_SET_ID_CHARACTERS_SHOWN = 50


def validate_label_file(chunks: Iterable[bytes], columns: Sequence[str], escape: str | None = None) -> list[str]:
    """Return what is wrong with the file: the first 20 problems by line, and how many more there are. Empty if it is valid.

    `columns` are the transform's; if there are none, the names in the header are not checked. Line 1 is the header. `escape` is
    the character before a quote within quotes; without one, such a quote is doubled.
    """
    csv.field_size_limit(MAX_BYTES)
    counter = count()
    # Problems of a set are found at the end of the file but belong to its first line, so the smallest are kept.
    numbered = zip(_problems(chunks, columns, escape), counter, strict=False)
    shown = [problem for problem, _ in nsmallest(MAX_PROBLEMS_SHOWN, numbered)]
    more = next(counter) - len(shown)
    return [f"line {line}: {text}" for line, text in shown] + ([f"and {more} more"] if more else [])


def _problems(chunks: Iterable[bytes], columns: Sequence[str], escape: str | None) -> Iterator[tuple[int, str]]:
    """Each problem with its line."""
    reader = csv.reader(_decode(io.BufferedReader(_ChunkReader(chunks))), strict=True, escapechar=escape)
    try:
        header = next(reader, [])
        header_problems = list(_header_problems(header, columns))
        yield from ((1, text) for text in header_problems)
        if not header_problems:
            yield from _row_problems(reader, len(header))
    except UnicodeDecodeError:
        yield (reader.line_num + 1, "is not UTF-8; save the file as UTF-8")
    except csv.Error as error:
        yield (reader.line_num, f"is not CSV: {error}")


def _decode(lines: Iterable[bytes]) -> Iterator[str]:
    """Decode line by line, so that an error is reported with its line."""
    return (line.decode("utf-8") for line in lines)


def _header_problems(header: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    if header and header[0].startswith("\ufeff"):
        yield "begins with a byte order mark; save the file as UTF-8 without one"
        return
    if tuple(header[:2]) != _LABEL_COLUMNS:
        yield "the header must begin with labeling_set_id,label"
        return
    names = header[2:]
    if columns:
        yield from (f"the transform's column {name!r} is missing" for name in columns if name not in names)
        yield from (f"the transform has no column {name!r}" for name in names if name not in columns)
    yield from (f"the column {name!r} appears more than once" for name, times in sorted(Counter(names).items()) if times > 1)


def _row_problems(reader: Any, width: int) -> Iterator[tuple[int, str]]:  # noqa: ANN401  csv gives its type no name
    """Check the rows of `reader`, which has read the header of `width` cells. A row may have several lines."""
    first_lines: dict[str, int] = {}
    row_counts: dict[str, int] = {}
    last_line: int = reader.line_num
    for row in reader:
        first_line, last_line = last_line + 1, reader.line_num
        if not row:
            continue
        if len(row) != width:
            yield first_line, f"has {len(row)} cells, the header has {width}"
            continue
        set_id, label = row[0].strip(), row[1].strip()
        if not set_id:
            yield first_line, "labeling_set_id is blank"
            continue
        if not label:
            yield first_line, "label is blank; give a row that matches no other a label of its own"
        first_lines.setdefault(set_id, first_line)
        row_counts[set_id] = row_counts.get(set_id, 0) + 1
    if not row_counts:
        yield last_line + 1, "there are no labeled rows"
    for set_id, rows in row_counts.items():
        if rows not in ROWS_PER_SET:
            shown_id = set_id[:_MAX_SET_ID_CHARACTERS_SHOWN]
            yield first_lines[set_id], f"the labeling set {shown_id!r} has {rows} rows; 2 to 50 are allowed"


class _ChunkReader(io.RawIOBase):
    """Chunks of bytes as a file, so that the file is never in memory as a whole."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # what BufferedReader passes
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
