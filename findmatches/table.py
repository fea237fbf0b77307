"""A table as the matching engine sees it: text in columns, one of them the primary key."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """`columns[name][row]` is the cell's text, or None where the source had a null; every column has the same length.

    `primary_key` names one of the columns. Column order is the catalog's, and is the order of a labeling file.
    """

    columns: dict[str, Sequence[str | None]]
    primary_key: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    @property
    def keys(self) -> Sequence[str | None]:
        return self.columns[self.primary_key]

    def __len__(self) -> int:
        return len(self.keys)
