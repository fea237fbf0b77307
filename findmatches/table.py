"""A table: text in columns, one of them the primary key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# AWS Glue's FindMatches accepts as many columns. A longer cell is a file in a table, and no value to compare.
MAX_COLUMNS = 100
MAX_CELL_CHARACTERS = 1_000_000
_MAX_SHOWN_CHARACTERS = 80


class InvalidTable(ValueError):
    """The table cannot be matched; the message names the row, counted from 1, and the column."""


@dataclass(frozen=True)
class Table:
    """Rows to match.

    `columns[name][row]` is the cell's text, or None where the source had a null; every column has the same length.
    `primary_key` names one of the columns: its values are unique. Column order is the order of a labeling file.
    """

    columns: dict[str, Sequence[str | None]]
    primary_key: str

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, the primary key's among them."""
        return tuple(self.columns)

    @property
    def keys(self) -> Sequence[str | None]:
        """The primary key of each row."""
        return self.columns[self.primary_key]

    def __len__(self) -> int:
        return len(self.keys)

    def validate(self) -> None:
        """Raises InvalidTable at the first column or cell that cannot be used."""
        for place, name in enumerate(self.columns, start=1):
            _check_name(place, name)
        if not isinstance(self.primary_key, str):
            raise InvalidTable("The name of the primary key is no text.")
        if self.primary_key not in self.columns:
            raise InvalidTable(f"The table has no column {self.primary_key}, which should be its primary key.")
        if len(self.columns) > MAX_COLUMNS:
            raise InvalidTable(f"The table has {len(self.columns)} columns; at most {MAX_COLUMNS} can be matched.")
        for name, cells in self.columns.items():
            _check_column(name, cells)
        for name, cells in self.columns.items():
            if len(cells) != len(self):
                raise InvalidTable(f"Column {name} has {len(cells)} rows, but {self.primary_key} has {len(self)}.")
            _check_cells(name, cells)
        self._validate_keys()

    def in_key_order(self) -> tuple["Table", list[int]]:
        """The same rows sorted by primary key, and the row number here of each row there; the table must be valid.

        Matching works on this table, so that the order in which rows arrive changes nothing.
        """
        order = sorted(range(len(self)), key=[str(key) for key in self.keys].__getitem__)
        if order == list(range(len(self))):
            return self, order
        return Table({name: [cells[row] for row in order] for name, cells in self.columns.items()}, self.primary_key), order

    def _validate_keys(self) -> None:
        if len(set(self.keys)) == len(self) and all(map(str.strip, filter(None, self.keys))) and all(self.keys):
            return
        row_of: dict[str, int] = {}
        for row, key in enumerate(self.keys, start=1):
            if key is None or not key.strip():
                raise InvalidTable(f"Row {row}, column {self.primary_key}: the primary key is blank.")
            if key in row_of:
                raise InvalidTable(
                    f"Row {row}, column {self.primary_key}: the primary key {shown(key)} is already that of row {row_of[key]}."
                )
            row_of[key] = row


def shown(text: str) -> str:
    """A value as a message shows it: on one line, and cut if it is long."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable if len(printable) <= _MAX_SHOWN_CHARACTERS else f"{printable[:_MAX_SHOWN_CHARACTERS]}..."


def _check_name(place: int, name: object) -> None:
    if not isinstance(name, str):
        raise InvalidTable(f"Column {place}: its name is no text, but {_kind_of(name)}.")


def _check_column(name: str, cells: object) -> None:
    if isinstance(cells, str | bytes | Mapping) or not (hasattr(cells, "__len__") and hasattr(cells, "__getitem__")):
        raise InvalidTable(f"Column {name}: its cells are no list, but {_kind_of(cells)}. Pass one text, or None, per row.")


def _check_cells(name: str, cells: Sequence[str | None]) -> None:
    # A look at all cells at once is enough for most columns.
    if {*map(type, cells)} <= {str, type(None)} and max(map(len, filter(None, cells)), default=0) <= MAX_CELL_CHARACTERS:
        return
    for row, cell in enumerate(cells, start=1):
        if cell is not None and not isinstance(cell, str):
            raise InvalidTable(f"Row {row}, column {name}: the cell is no text, but {_kind_of(cell)}.")
        if cell is not None and len(cell) > MAX_CELL_CHARACTERS:
            raise InvalidTable(
                f"Row {row}, column {name}: the cell has {len(cell):,} characters; "
                f"at most {MAX_CELL_CHARACTERS:,} can be compared."
            )


def _kind_of(value: object) -> str:
    """What a value is, in words and with a remedy where there is one."""
    if isinstance(value, bytes | bytearray):
        return "bytes; decode them first"
    if isinstance(value, bool | int | float):
        return "a number; write it as text first"
    return {str: "one text", dict: "a mapping", type(None): "missing"}.get(type(value), "a value of another kind")
