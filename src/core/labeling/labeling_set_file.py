"""The file of a labeling set, as Glue has written it: its columns and rows, and where its labels go."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from core.errors import LoopError
from core.labeling.csv_spans import CsvRow, UnreadableCsv, read_csv_spans

LABEL_COLUMNS = ("labeling_set_id", "label")


class UnreadableLabelingSet(LoopError):
    """The file is no labeling set; the message says why."""


class SetRow(NamedTuple):
    """A row of the table: the id of its labeling set, and its cells in the order of the columns."""

    set: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class LabelingSetFile:
    """`columns` are the table's; `rows` are numbered from 0 in the order of the file."""

    body: bytes
    columns: tuple[str, ...]
    rows: tuple[SetRow, ...]
    spans: tuple[CsvRow, ...]

    @staticmethod
    def parse(body: bytes) -> "LabelingSetFile":
        """Raises UnreadableLabelingSet."""
        try:
            table = list(read_csv_spans(body))
        except UnreadableCsv as error:
            raise UnreadableLabelingSet(str(error)) from error
        if not table or table[0].cells[:2] != LABEL_COLUMNS:
            raise UnreadableLabelingSet("line 1: the header must begin with labeling_set_id,label")
        header, *spans = table
        uneven = next((row for row in spans if len(row.cells) != len(header.cells)), None)
        if uneven is not None:
            line = body.count(b"\n", 0, uneven.span.start) + 1
            raise UnreadableLabelingSet(f"line {line}: has {len(uneven.cells)} cells, the header has {len(header.cells)}")
        rows = tuple(SetRow(row.cells[0], row.cells[2:]) for row in spans)
        return LabelingSetFile(body, header.cells[2:], rows, tuple(spans))

    @cached_property
    def rows_by_set(self) -> Mapping[str, tuple[int, ...]]:
        """Set id -> its rows, in the order of the file."""
        members: dict[str, list[int]] = {}
        for index, row in enumerate(self.rows):
            members.setdefault(row.set, []).append(index)
        return {name: tuple(indexes) for name, indexes in members.items()}

    @cached_property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()
