"""Put labels into a labeling set's file without touching any other byte of the rows that stay."""

from collections.abc import Mapping
from typing import NamedTuple

from core.labeling.csv_spans import CsvRow
from core.labeling.labeling_set_file import LabelingSetFile


class SplicedFile(NamedTuple):
    """A label file, and the rows of the labeling set that it has, in its order."""

    body: bytes
    rows: tuple[int, ...]


def splice_labels(file: LabelingSetFile, labels: Mapping[int, str]) -> SplicedFile:
    """The file with `labels` in their cells; rows without a label are left out. A quoted cell stays quoted.

    `labels` are made by `core.labeling.labels`: letters, which need no quotes in either dialect.
    """
    parts: list[bytes] = []
    copied = 0
    for index, row in enumerate(file.spans):
        label = labels.get(index)
        start = row.span.start if label is None or row.label is None else row.label.start
        parts.append(file.body[copied:start])
        copied = row.span.end
        if label is not None and row.label is not None:
            parts.append(_cell(file.body, row, label))
            copied = row.label.end
    parts.append(file.body[copied:])
    return SplicedFile(b"".join(parts), tuple(sorted(labels)))


def _cell(body: bytes, row: CsvRow, label: str) -> bytes:
    quote = b'"' if row.label is not None and body[row.label.start : row.label.start + 1] == b'"' else b""
    return quote + label.encode("ascii") + quote
