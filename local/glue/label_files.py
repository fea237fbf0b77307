"""Label files: CSV in UTF-8 without BOM, with the columns `labeling_set_id,label` and then exactly the table's columns.

The rules are those of the AWS Glue developer guide ("Labeling file format"): labels are case-sensitive and scoped to their
set; 2 to 30 rows per set are acceptable, over 50 may fail; a labeled row must exist in the source. Where the guide says
nothing this reader is strict, because dropping a label silently wastes a person's work.
"""

from collections.abc import Sequence

from findmatches import Table
from local.glue.label_file_rows import decode_label_file, read_records
from local.glue.label_rules import LABEL_COLUMN, SET_COLUMN, LabeledRow, LabelFileRefused, Problem, header_problem, row_problems
from local.glue.tables.writers import write_csv


def write_labeling_sets(table: Table, sets: Sequence[tuple[str, Sequence[int]]]) -> bytes:
    """A labeling file with empty labels. `sets`: each set's id and its row numbers in the table."""
    rows = ((set_id, None, *_cells(table, number)) for set_id, numbers in sets for number in numbers)
    return write_csv((SET_COLUMN, LABEL_COLUMN, *table.names), rows)


def write_labels(table: Table, labels: Sequence[LabeledRow]) -> bytes:
    """All labels as one file that can be imported again. Rows that are no longer in the table are left out."""
    row_of = {key: number for number, key in enumerate(table.keys)}
    rows = ((label.set_id, label.label, *_cells(table, row_of[label.key])) for label in labels if label.key in row_of)
    return write_csv((SET_COLUMN, LABEL_COLUMN, *table.names), rows)


def read_labels(body: bytes, table: Table) -> list[LabeledRow]:
    """The file's rows in order, identical rows once. Raises LabelFileRefused."""
    text, decoding_problem = decode_label_file(body)
    records, reading_problem = read_records(text)
    fatal = reading_problem or decoding_problem
    columns = [SET_COLUMN, LABEL_COLUMN, *table.names]
    if records or not fatal:
        problem = header_problem(records[0][1] if records else [], columns)
        if problem:
            raise LabelFileRefused([(1, problem)])
    problems: list[Problem] = [fatal] if fatal else []
    key_index = columns.index(table.primary_key, 2)
    complete: list[tuple[int, list[str]]] = []
    for line, record in records[1:]:
        if len(record) == len(columns):
            complete.append((line, record))
        elif record:
            problems.append((line, f"{len(record)} fields where the header has {len(columns)}."))
    if not complete and not problems:
        problems.append((records[-1][0] + 1, "the file has a header and no labeled rows."))
    rows = [(line, LabeledRow(record[0], record[1], record[key_index])) for line, record in complete]
    problems += row_problems(rows, {key for key in table.keys if key is not None}, are_all_rows=not fatal)
    if problems:
        raise LabelFileRefused(sorted(problems))
    return list(dict.fromkeys(row for _, row in rows))


def _cells(table: Table, number: int) -> list[str | None]:
    return [table.columns[name][number] for name in table.names]
