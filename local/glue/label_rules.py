"""The rules for the header and the rows of a label file."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

SET_COLUMN, LABEL_COLUMN = "labeling_set_id", "label"
MIN_ROWS_PER_SET, MAX_ROWS_PER_SET = 2, 50
MAX_PROBLEMS_LISTED = 10
MAX_SETS_LISTED = 5
ROUNDED_NUMBER = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d{2,}")  # how spreadsheets show long numbers

Problem = tuple[int, str]  # a line's number, and what is wrong there


@dataclass(frozen=True)
class LabeledRow:
    set_id: str
    label: str
    key: str


NumberedRows = Sequence[tuple[int, LabeledRow]]


class LabelFileRefused(Exception):
    """The message lists the line and reason of at most ten problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        unlisted = len(problems) - MAX_PROBLEMS_LISTED
        listed = [f"Line {line}: {reason}" for line, reason in problems[:MAX_PROBLEMS_LISTED]]
        super().__init__(" ".join([*listed, *([f"And {unlisted} more."] if unlisted > 0 else [])]))


def header_problem(header: Sequence[str], expected: Sequence[str]) -> str | None:
    if list(header) == list(expected):
        return None
    if sorted(header) == sorted(expected):
        problem = "the columns are in another order than the table's"
    else:
        missing = [name for name in expected if name not in set(header)]
        extra = [name or "(without a name)" for name in dict.fromkeys(header) if name not in set(expected)]
        parts = [f"{kind} {', '.join(names)}" for kind, names in (("missing", missing), ("unknown", extra)) if names]
        problem = f"columns {' and '.join(parts)}" if parts else "columns repeated"
    return f"{problem[:1000]}; the header must be {','.join(expected)}."


def row_problems(rows: NumberedRows, keys: Collection[str], *, are_all_rows: bool) -> Iterator[Problem]:
    """`keys`: the table's. Rows are compared with others only if all of the file's rows are known."""
    labeled: dict[tuple[str, str], tuple[int, LabeledRow]] = {}
    for line, row in rows:
        if not row.set_id.strip():
            yield line, "the labeling_set_id is blank."
            continue
        for column, cell in ((SET_COLUMN, row.set_id), (LABEL_COLUMN, row.label)):
            if _has_space_around(cell):
                yield line, f"the {column} {cell!r} begins or ends with space; 'A ' and 'A' are different labels."
        yield from _key_problems(line, row.key, keys)
        first_line, first = labeled.setdefault((row.set_id, row.key), (line, row))
        if are_all_rows and first.label != row.label:
            earlier = f"{first.label!r} in line {first_line}"
            yield line, f"row {row.key!r} of labeling set {row.set_id!r} has label {row.label!r} here and {earlier}."
    yield from _unlabeled(rows)
    if are_all_rows:
        yield from _set_problems(rows)


def _has_space_around(cell: str) -> bool:
    """Space, or invisible characters such as a zero-width space."""
    return bool(cell.strip()) and (cell != cell.strip() or not (cell[0] + cell[-1]).isprintable())


def _key_problems(line: int, key: str, keys: Collection[str]) -> Iterator[Problem]:
    if not key.strip():
        yield line, "the primary key is blank."
    elif ROUNDED_NUMBER.fullmatch(key):
        yield line, f"row {key!r} is not in the transform's table: a spreadsheet has rounded the number."
    elif key not in keys:
        padded = next((known for known in keys if known.lstrip("0") == key), None) if key.isdecimal() else None
        hint = f"; a spreadsheet may have dropped the zeros of {padded!r}" if padded else ""
        yield line, f"row {key!r} is not in the transform's table{hint}."


def _unlabeled(rows: NumberedRows) -> Iterator[Problem]:
    """One problem for all rows without a label, as in a file that is answered in part."""
    unlabeled = [(line, row) for line, row in rows if not row.label.strip() and row.set_id.strip()]
    if unlabeled:
        sets = list(dict.fromkeys(row.set_id for _, row in unlabeled))
        names = ", ".join(map(repr, sets[:MAX_SETS_LISTED])) + (", ..." if len(sets) > MAX_SETS_LISTED else "")
        rows_have = "1 row has" if len(unlabeled) == 1 else f"{len(unlabeled)} rows have"
        problem = f"{rows_have} no label, in labeling {'set' if len(sets) == 1 else 'sets'} {names}; "
        remedy = "label every row of a set (a row that matches nothing gets a label of its own), or leave the set out."
        yield unlabeled[0][0], problem + remedy


def _set_problems(rows: NumberedRows) -> Iterator[Problem]:
    sets: dict[str, set[str]] = {}
    first_line: dict[str, int] = {}
    for line, row in rows:
        if row.set_id.strip():
            sets.setdefault(row.set_id, set()).add(row.key)
            first_line.setdefault(row.set_id, line)
    for set_id, keys in sets.items():
        if len(keys) < MIN_ROWS_PER_SET:
            problem = f"labeling set {set_id!r} has one row; a set needs at least {MIN_ROWS_PER_SET}."
            yield first_line[set_id], problem
        if len(keys) > MAX_ROWS_PER_SET:
            yield first_line[set_id], f"labeling set {set_id!r} has {len(keys)} rows; a set has at most {MAX_ROWS_PER_SET}."
