"""Label files: CSV in UTF-8 without BOM, with the columns `labeling_set_id,label` and then exactly the table's columns.

The rules are those of the AWS Glue developer guide ("Labeling file format"): labels are case-sensitive and scoped to their
set; 2 to 30 rows per set are acceptable, over 50 may fail; a labeled row must exist in the source. Where the guide says
nothing this reader is strict, because dropping a label silently wastes a person's work.
"""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from findmatches import Table
from local.glue.tables.csv_reader import MAX_FIELD_CHARS
from local.glue.tables.writers import write_csv

SET_COLUMN, LABEL_COLUMN = "labeling_set_id", "label"
MIN_ROWS_PER_SET, MAX_ROWS_PER_SET = 2, 50
MAX_PROBLEMS_LISTED = 10
UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class LabeledRow:
    set_id: str
    label: str
    key: str


@dataclass(frozen=True)
class _FileRow:
    number: int
    row: LabeledRow


class LabelFileRefused(Exception):
    """The message lists the line and reason of at most ten problems."""

    def __init__(self, problems: Sequence[str]) -> None:
        unlisted = len(problems) - MAX_PROBLEMS_LISTED
        listed = [*problems[:MAX_PROBLEMS_LISTED], *([f"And {unlisted} more."] if unlisted > 0 else [])]
        super().__init__(" ".join(listed))


def write_labeling_sets(table: Table, sets: Sequence[tuple[str, Sequence[int]]]) -> bytes:
    """A labeling file with empty labels. `sets`: each set's id and its row numbers in the table."""
    rows = ((set_id, None, *_cells(table, number)) for set_id, numbers in sets for number in numbers)
    return write_csv((SET_COLUMN, LABEL_COLUMN, *table.names), rows)


def write_labels(table: Table, labels: Sequence[LabeledRow]) -> bytes:
    """All labels as one file that can be imported again. Rows that are no longer in the table are left out."""
    row_of = {key: number for number, key in enumerate(table.keys)}
    rows = ((label.set_id, label.label, *_cells(table, row_of[label.key])) for label in labels if label.key in row_of)
    return write_csv((SET_COLUMN, LABEL_COLUMN, *table.names), rows)


def read_labels(body: bytes, table: Table) -> list[LabeledRow]:
    """The file's rows in order, identical rows once. Raises LabelFileRefused."""
    lines = _records(_text(body), table)
    problems = sorted([*_line_problems(lines, set(table.keys)), *_set_problems(lines)])
    if problems:
        raise LabelFileRefused([f"Line {number}: {reason}" for number, reason in problems])
    if not lines:
        raise LabelFileRefused(["Line 2: the file has a header and no labeled rows."])
    return list(dict.fromkeys(line.row for line in lines))


def _text(body: bytes) -> str:
    if body.startswith((UTF8_BOM, b"\xff\xfe", b"\xfe\xff")):
        raise LabelFileRefused(
            ["Line 1: the file starts with a byte order mark; save it as UTF-8 without BOM (byte order mark)."]
        )
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise LabelFileRefused(
            [f"Line {line}: byte {body[error.start]:#04x} is not UTF-8; the file may be encoded with cp1252."]
        ) from error


def _records(text: str, table: Table) -> list[_FileRow]:
    csv.field_size_limit(MAX_FIELD_CHARS)
    expected = [SET_COLUMN, LABEL_COLUMN, *table.names]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if header != expected:
            raise LabelFileRefused([f"Line 1: {_header_problem(header, expected)}"])
        return list(_lines(reader, expected, 2 + table.names.index(table.primary_key)))
    except csv.Error as error:
        raise LabelFileRefused([f"Line {reader.line_num}: {error}."]) from error


def _lines(reader: Iterator[list[str]], expected: Sequence[str], key_at: int) -> Iterator[_FileRow]:
    start = 2
    for record in reader:
        if record:
            if len(record) != len(expected):
                raise LabelFileRefused([f"Line {start}: {len(record)} fields where the header has {len(expected)}."])
            yield _FileRow(start, LabeledRow(record[0], record[1], record[key_at]))
        start = reader.line_num + 1  # type: ignore[attr-defined]  # csv's readers have line_num; Iterator does not


def _header_problem(header: Sequence[str], expected: Sequence[str]) -> str:
    if sorted(header) == sorted(expected):
        problem = "the columns are in another order than the table's"
    else:
        missing = [name for name in expected if name not in header]
        extra = [name for name in header if name not in expected]
        parts = [f"{kind} {', '.join(names)}" for kind, names in (("missing", missing), ("unknown", extra)) if names]
        problem = f"columns {' and '.join(parts)}" if parts else "columns repeated"
    return f"{problem}; the header must be {','.join(expected)}."


def _line_problems(lines: Sequence[_FileRow], known_keys: Collection[str | None]) -> Iterator[tuple[int, str]]:
    labeled: dict[tuple[str, str], _FileRow] = {}
    for line in lines:
        row = line.row
        if not row.set_id.strip():
            yield line.number, "the labeling_set_id is blank."
        if not row.label.strip():
            yield line.number, "the label is blank; a row that matches nothing gets a label of its own."
        if row.key not in known_keys:
            yield line.number, f"row {row.key!r} is not in the transform's table."
        first = labeled.setdefault((row.set_id, row.key), line)
        if first.row.label != row.label:
            earlier = f"{first.row.label!r} in line {first.number}"
            yield line.number, f"row {row.key!r} of labeling set {row.set_id!r} has label {row.label!r} here and {earlier}."


def _set_problems(lines: Sequence[_FileRow]) -> Iterator[tuple[int, str]]:
    sets: dict[str, set[str]] = {}
    first: dict[str, int] = {}
    for line in lines:
        sets.setdefault(line.row.set_id, set()).add(line.row.key)
        first.setdefault(line.row.set_id, line.number)
    for set_id, keys in sets.items():
        if len(keys) < MIN_ROWS_PER_SET:
            yield first[set_id], f"labeling set {set_id!r} has one row; a set needs at least {MIN_ROWS_PER_SET}."
        if len(keys) > MAX_ROWS_PER_SET:
            yield first[set_id], f"labeling set {set_id!r} has {len(keys)} rows; a set has at most {MAX_ROWS_PER_SET}."


def _cells(table: Table, number: int) -> list[str | None]:
    return [table.columns[name][number] for name in table.names]
