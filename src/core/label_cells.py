"""The rules for the cells of a label file."""

import re
from collections.abc import Iterator, Sequence
from itertools import compress

from core.labeling_sets import Problem

MAX_CHARS_SHOWN = 50
MAX_SETS_SHOWN, MAX_SETS_COUNTED = 5, 1000
_ROUNDED_NUMBER = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d{2,}")  # how spreadsheets show long numbers


def is_blank(cell: str) -> bool:
    return not cell or cell.isspace()


def shown(text: str) -> str:
    """Quoted and cut in length."""
    return repr(text if len(text) <= MAX_CHARS_SHOWN else f"{text[:MAX_CHARS_SHOWN]}...")


def space_problems(lines: Sequence[int], cells: Sequence[str], column: str) -> Iterator[Problem]:
    """Space or invisible characters around a cell: "A " and "A" would be two labels. Blank cells are not looked at."""
    text = "".join(cells)
    if text.isprintable() and " " not in text:
        return
    for line, cell in zip(lines, cells, strict=True):
        stripped = cell.strip()
        if stripped and (stripped != cell or not (cell[0] + cell[-1]).isprintable()):
            yield line, f"{column} {shown(cell)} begins or ends with space; remove it, since 'A ' and 'A' are different labels"


def key_problems(lines: Sequence[int], keys: Sequence[str], column: str) -> Iterator[Problem]:
    if all(keys) and "E+" not in "".join(keys) and not any(map(str.isspace, keys)):
        return
    for line, key in zip(lines, keys, strict=True):
        if is_blank(key):
            yield line, f"the primary key, {shown(column)}, is blank"
        elif "E+" in key and _ROUNDED_NUMBER.fullmatch(key):
            yield line, f"{shown(key)} in {shown(column)} is a number that a spreadsheet has rounded; read that column as text"


class UnlabeledRows:
    """A file that is answered in part: one problem for all its rows without a label."""

    def __init__(self) -> None:
        self._rows = 0
        self._first_line = 0
        self._sets: dict[str, None] = {}

    def add(self, lines: Sequence[int], set_ids: Sequence[str], labels: Sequence[str]) -> None:
        if all(labels) and not any(map(str.isspace, labels)):
            return
        unlabeled = [not label or label.isspace() for label in labels]
        self._rows += sum(unlabeled)
        self._first_line = self._first_line or next(compress(lines, unlabeled))
        if len(self._sets) < MAX_SETS_COUNTED:
            self._sets.update(dict.fromkeys(compress(set_ids, unlabeled)))

    def problems(self) -> Iterator[Problem]:
        if not self._rows:
            return
        rows = "1 row has" if self._rows == 1 else f"{self._rows} rows have"
        unshown = len(self._sets) - MAX_SETS_SHOWN
        names = ", ".join(map(shown, list(self._sets)[:MAX_SETS_SHOWN])) + (f" and {unshown} more" if unshown > 0 else "")
        sets = "set" if len(self._sets) == 1 else "sets"
        text = f"{rows} no label, in labeling {sets} {names}; "
        remedy = "label every row of a set (one that matches nothing gets a label of its own), or leave the whole set out"
        yield self._first_line, text + remedy
