"""The rules for a label file, checked before Glue is asked to import it.

docs.aws.amazon.com/glue/latest/dg/machine-learning-labeling.html: CSV in UTF-8 without byte order mark; the columns
`labeling_set_id,label` and then the table's; labels are case-sensitive and scoped to their labeling set. What AWS leaves open
is refused, since labels that are read in another way than they were meant are learned silently. Any 10 MB of bytes are checked
in linear time and bounded memory.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import compress

from core.label_cells import MAX_CHARS_SHOWN, UnlabeledRows, is_blank, key_problems, shown, space_problems
from core.label_file_format import foreign_format
from core.label_file_reader import Rows, UnreadableFile, read_rows
from core.labeling_sets import LabelingSets, Problem

MAX_BYTES = 10 * 1024 * 1024  # Glue's quota
MAX_COLUMNS = 100  # of a table with a transform
MAX_PROBLEMS_LISTED = 20
MAX_PROBLEMS_COUNTED = 1000  # then the file is not read on
MAX_PROBLEM_CHARS = 500
_LABEL_COLUMNS = ("labeling_set_id", "label")


def validate_label_file(chunks: Iterable[bytes], columns: Sequence[str], primary_key: str = "") -> list[str]:
    """The first 20 problems by line, and how many more there are; none for a valid file.

    `columns` are the transform's, in the table's order; if there are none, their names are not checked. `primary_key` is the
    name of the column that identifies a row; without one, rows are compared by all their cells. Lines count from 1.
    """
    check = _Check(columns, primary_key)
    problems = nsmallest(MAX_PROBLEMS_LISTED, check.problems(chunks))
    unlisted = check.count - len(problems)
    at_least = "at least " if check.is_cut_short else ""
    listed = [f"line {line}: {text[:MAX_PROBLEM_CHARS]}" for line, text in problems]
    return [*listed, *([f"and {at_least}{unlisted} more"] if unlisted else [])]


class _Check:
    """One pass over a file. `count` is the number of problems so far."""

    def __init__(self, columns: Sequence[str], primary_key: str) -> None:
        self._columns = columns
        self._primary_key = primary_key
        self._key_index: int | None = None
        self._width = 0
        self._sets = LabelingSets()
        self._unlabeled = UnlabeledRows()
        self._last_line = 1
        self.count = 0
        self.is_cut_short = False

    def problems(self, chunks: Iterable[bytes]) -> Iterator[Problem]:
        for problem in self._all_problems(chunks):
            self.count += 1
            yield problem

    def _all_problems(self, chunks: Iterable[bytes]) -> Iterator[Problem]:
        beginning = _Beginning(chunks)
        foreign = foreign_format(beginning.read())
        if foreign:
            yield 1, foreign
            return
        try:
            yield from self._read(beginning.all_chunks())
        except UnreadableFile as error:
            yield error.line, error.reason
        else:
            if self._width and not self.is_cut_short:
                yield from self._sets.problems()
                self.count += self._sets.unlisted
        yield from self._unlabeled.problems()

    def _read(self, chunks: Iterable[bytes]) -> Iterator[Problem]:
        labeled_rows = 0
        for all_lines, all_rows in read_rows(chunks):
            self._last_line = all_lines[-1] if all_lines else self._last_line
            if not all_rows:
                continue
            header_problems = [] if self._width else list(self._header_problems(all_rows[0]))
            if header_problems:
                yield from ((1, text) for text in header_problems)
                return
            start = 0 if self._width else 1
            self._width = self._width or len(all_rows[0])
            lines, rows = _select(all_lines[start:], all_rows[start:], all_rows[start:])  # an empty line is an empty row
            labeled_rows += len(rows)
            yield from self._row_problems(lines, rows)
            if self.count >= MAX_PROBLEMS_COUNTED:
                self.is_cut_short = True
                return
        if not self._width:
            yield 1, _BAD_HEADER
        elif not labeled_rows:
            yield self._last_line + 1, "there are no labeled rows"

    def _header_problems(self, header: Sequence[str]) -> Iterator[str]:
        if tuple(header[:2]) != _LABEL_COLUMNS:
            yield _BAD_HEADER
            return
        names = header[2:]
        if len(names) > MAX_COLUMNS:
            yield f"the header has {len(names)} columns after the label; a transform's table has at most {MAX_COLUMNS}"
            return
        if self._primary_key in names:
            self._key_index = header.index(self._primary_key, 2)
        if self._columns and Counter(names) == Counter(self._columns) and list(names) != list(self._columns):
            yield f"the columns are in another order than the table's; the order is {_shown_list(self._columns)}"
        elif self._columns:
            known, given = set(self._columns), set(names)
            yield from (f"the transform's column {shown(name)} is missing" for name in self._columns if name not in given)
            yield from (_unknown_column(name) for name in dict.fromkeys(names) if name not in known)
        repeated = sorted(name for name, times in Counter(names).items() if times > 1)
        yield from (f"the column {shown(name)} appears more than once" for name in repeated)

    def _row_problems(self, lines: Sequence[int], rows: Rows) -> Iterator[Problem]:
        if set(map(len, rows)) != {self._width}:
            for line, row in zip(lines, rows, strict=True):
                if len(row) != self._width:
                    yield line, f"has {len(row)} cells, the header has {self._width}"
            lines, rows = _select(lines, rows, [len(row) == self._width for row in rows])
        set_ids = [row[0] for row in rows]
        if not all(set_ids) or any(map(str.isspace, set_ids)):
            yield from (
                (line, "labeling_set_id is blank") for line, set_id in zip(lines, set_ids, strict=True) if is_blank(set_id)
            )
            lines, rows = _select(lines, rows, [not is_blank(set_id) for set_id in set_ids])
            set_ids = [row[0] for row in rows]
        labels = [row[1] for row in rows]
        yield from space_problems(lines, set_ids, "labeling_set_id")
        yield from space_problems(lines, labels, "label")
        if self._key_index is None:
            keys: Sequence[object] = [tuple(row[2:]) for row in rows]
        else:
            texts = [row[self._key_index] for row in rows]
            keys = texts
            yield from key_problems(lines, texts, self._primary_key)
        self._unlabeled.add(lines, set_ids, labels)
        self._sets.add(lines, set_ids, keys, labels)


class _Beginning:
    """Chunks whose first bytes are looked at before they are read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._first = b""

    def read(self, size: int = 512) -> bytes:
        while len(self._first) < size and (chunk := next(self._chunks, None)) is not None:
            self._first += chunk
        return self._first[:size]

    def all_chunks(self) -> Iterator[bytes]:
        yield self._first
        self._first = b""
        yield from self._chunks


_BAD_HEADER = "the header must begin with labeling_set_id,label"


def _select(lines: Sequence[int], rows: Rows, selectors: Iterable[object]) -> tuple[Sequence[int], Rows]:
    chosen = list(selectors)
    if all(chosen):
        return lines, rows
    return list(compress(lines, chosen)), list(compress(rows, chosen))


def _unknown_column(name: str) -> str:
    if not name:
        return "there is a column without a name, as by a comma at the end; remove it"
    return f"the transform has no column {shown(name)}"


def _shown_list(names: Sequence[str]) -> str:
    return ",".join((*_LABEL_COLUMNS, *(name[:MAX_CHARS_SHOWN] for name in names)))
