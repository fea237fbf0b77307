"""A table: text in columns, one of them the primary key."""

from collections.abc import Sequence
from dataclasses import dataclass


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
