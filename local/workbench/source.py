"""A table as people have it: read from a file of any usual format, and written back in the same one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MAX_LINES_NAMED = 5
_KEY_REMEDY = "Each row needs a key of its own: correct them, or leave out KEY, and rows are numbered."


class UnusableFile(Exception):
    """The file cannot be matched; the message says why, where, and what to do."""


@dataclass(frozen=True)
class Overrides:
    """What the user says about the file; None is detected."""

    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Source:
    """A table of text cells: `rows[n][m]` is the cell of column `columns[m]`, "" where empty.

    `lines[n]` is where row n begins in the file (a line, or a row of the sheet), from 1. `description` says how the file was
    read, `notes` what was noticed. `write` writes a table of other columns and rows to a file of the same format.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    lines: Sequence[int]
    description: str
    write: Callable[[Path, Sequence[str], Iterable[Sequence[str]]], None] = field(repr=False)
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> list[str]:
        """The cells of a column. Raises UnusableFile if there is no such column."""
        if name not in self.columns:
            raise UnusableFile(f"{self.path} has no column {name!r}. It has: {', '.join(self.columns)}.")
        place = self.columns.index(name)
        return [row[place] for row in self.rows]


def checked(source: Source) -> Source:
    """`source`, if rows can be matched in it. Raises UnusableFile for equal column names and fewer than two rows."""
    by_name: Mapping[str, list[str]] = defaultdict(list)
    for name in source.columns:
        by_name[name.strip().casefold()].append(name)
    if twins := [names for names in by_name.values() if len(names) > 1]:
        raise UnusableFile(
            f"{source.path} has columns of the same name: {' and '.join(map(repr, twins[0]))}."
            " Rename one of them; upper and lower case count as the same."
        )
    if len(source.rows) < 2:  # noqa: PLR2004 - a pair
        count = "no rows below its header" if not source.rows else "one row"
        raise UnusableFile(f"{source.path} has {count}. Matching needs two rows at least.")
    return source


def check_keys(source: Source, key: str) -> None:
    """Raises UnusableFile unless the column `key` identifies each row."""
    keys = source.column(key)
    counts = Counter(keys)
    if blank := [line for line, value in zip(source.lines, keys, strict=True) if not value.strip()]:
        raise UnusableFile(
            f"The key column {key!r} is empty in {name_lines(blank)}. Fill it in, or leave out KEY: rows are numbered then."
        )
    if repeated := [value for value, count in counts.items() if count > 1]:
        lines = [line for line, value in zip(source.lines, keys, strict=True) if value == repeated[0]]
        more = f" {len(repeated) - 1} more keys are repeated." if len(repeated) > 1 else ""
        raise UnusableFile(f"The key {repeated[0]!r} in column {key!r} stands in {name_lines(lines)}.{more} {_KEY_REMEDY}")


def name_lines(lines: Sequence[int]) -> str:
    """Such as `lines 3, 4 and 12 more`."""
    shown = ", ".join(map(str, lines[:MAX_LINES_NAMED]))
    more = f" and {len(lines) - MAX_LINES_NAMED} more" if len(lines) > MAX_LINES_NAMED else ""
    return f"{'line' if len(lines) == 1 else 'lines'} {shown}{more}"
