"""Labels from a file that a spreadsheet has saved: only set ids and labels are read, and rows are recognized by their cells.

Spreadsheets sort rows, drop leading zeros, rewrite numbers and dates, and save in other encodings and with other separators.
None of that reaches the label file, which is made from the pristine one.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.labeling.answers import ALONE, UNSURE, Answer
from core.labeling.damaged_cells import same_cell
from core.labeling.errors import Finding, RowsNotRecognized, UnreadableUpload
from core.labeling.labeling_set_file import LABEL_COLUMNS, LabelingSetFile
from core.labeling.spreadsheet import FORMULA_GUARD, UNSURE_LABEL

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = (",", ";", "\t")
_MAX_FINDINGS = 20
_HEADER_LINE = 1


class Upload(NamedTuple):
    """The answers that the file has, and how many cells of its rows differ from the labeling set's."""

    answers: dict[int, Answer]
    damaged_cells: int


class _Row(NamedTuple):
    line: int
    set: str
    label: str
    cells: tuple[str, ...]


def read_upload(content: bytes, file: LabelingSetFile) -> Upload:
    """Raises UnreadableUpload, RowsNotRecognized, which names lines of the uploaded file."""
    rows = _rows(_text(content), file)
    matched = _match(rows, file)
    labels = {index: row.label for index, row in matched.items()}
    pairs = (pair for index, row in matched.items() for pair in zip(file.rows[index].cells, row.cells, strict=True))
    damaged = sum(ours != theirs for ours, theirs in pairs)
    return Upload(_answers(labels, file), damaged)


def _text(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # Windows' own, which Excel's plain "CSV" is saved in


def _rows(text: str, file: LabelingSetFile) -> list[_Row]:
    lines = text.splitlines(keepends=True)
    if lines and lines[0].strip().strip('"').lower().startswith("sep="):
        text = "".join(lines[1:])
    header_line = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=header_line.count)
    try:
        table = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(map(str.strip, row))]
    except csv.Error as error:
        raise UnreadableUpload(f"The file is no CSV file: {error}.") from error
    names = [_plain(name).lower() for name in table[0]] if table else []
    wanted = [*LABEL_COLUMNS, *(name.strip().lower() for name in file.columns)]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise UnreadableUpload(f"The file has no column {missing[0][:50]!r}; keep the first line as it was in the copy.")
    places = [names.index(name) for name in wanted]
    return [_row(line, cells, places) for line, cells in enumerate(table[1:], start=_HEADER_LINE + 1)]


def _row(line: int, cells: Sequence[str], places: Sequence[int]) -> _Row:
    picked = [_plain(cells[place]) if place < len(cells) else "" for place in places]
    return _Row(line, picked[0], picked[1], tuple(picked[2:]))


def _plain(cell: str) -> str:
    return cell.strip().removeprefix(FORMULA_GUARD)


def _match(rows: Sequence[_Row], file: LabelingSetFile) -> dict[int, _Row]:
    """Row of the labeling set -> row of the file. Raises RowsNotRecognized."""
    matched: dict[int, _Row] = {}
    findings: list[Finding] = []
    for row in rows:
        candidates = _best(row, file)
        free = [index for index in candidates if index not in matched]
        identical = len({file.rows[index] for index in candidates}) <= 1
        if not candidates:
            findings.append(Finding(f"line {row.line}: is no row of this labeling set"))
        elif not free:
            findings.append(Finding(f"line {row.line}: is the same row as line {matched[candidates[0]].line}"))
        elif not identical:
            text = f"may be {len(candidates)} rows of this labeling set; its cells are too damaged"
            findings.append(Finding(f"line {row.line}: {text}"))
        else:
            matched[free[0]] = row
    if findings:
        raise RowsNotRecognized(findings[:_MAX_FINDINGS])
    return matched


def _best(row: _Row, file: LabelingSetFile) -> list[int]:
    """The rows that are most like `row`, in its set if that is known; none if fewer than half of the cells are the same."""
    members = file.rows_by_set.get(row.set) or next(
        (rows for name, rows in file.rows_by_set.items() if same_cell(name, row.set)), range(len(file.rows))
    )
    scores = {index: _likeness(file.rows[index].cells, row.cells) for index in members}
    best = max(scores.values(), default=0)
    return [index for index, score in scores.items() if score == best] if 2 * best >= len(row.cells) else []


def _likeness(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """The number of cells that are the same; one that was only rewritten counts a little less."""
    return sum(1.0 if _plain(a) == b else 0.9 if same_cell(a, b) else 0.0 for a, b in zip(ours, theirs, strict=True))


def _answers(labels: dict[int, str], file: LabelingSetFile) -> dict[int, Answer]:
    return dict(pair for rows in file.rows_by_set.values() for pair in _answers_of_set(labels, rows))


def _answers_of_set(labels: dict[int, str], rows: Sequence[int]) -> Iterator[tuple[int, Answer]]:
    """Equal labels of a set are a group; a label that only one row has stands alone."""
    sizes = Counter(labels[row] for row in rows if labels.get(row))
    groups: dict[str, int] = {}
    for row in rows:
        label = labels.get(row)
        if not label:
            continue
        if label == UNSURE_LABEL:
            yield row, UNSURE
        elif sizes[label] == 1:
            yield row, ALONE
        else:
            yield row, groups.setdefault(label, len(groups) + 1)
