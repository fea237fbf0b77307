"""A copy of a labeling set for spreadsheets, with all rows and the labels that were given so far."""

import csv
import io

from core.labeling.answers import UNSURE, Answers
from core.labeling.labeling_set_file import LABEL_COLUMNS, LabelingSetFile
from core.labeling.labels import make_labels

UNSURE_LABEL = "?"
FORMULA_GUARD = "'"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # owasp.org/www-community/attacks/CSV_Injection
_BYTE_ORDER_MARK = "\ufeff"  # without it, Excel takes the file for the machine's own encoding


def spreadsheet_copy(answers: Answers, file: LabelingSetFile) -> str:
    """CSV text whose cells start no formula: such a cell begins with an apostrophe."""
    labels = make_labels(answers, file).by_row
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*LABEL_COLUMNS, *map(_guarded, file.columns)])
    for index, row in enumerate(file.rows):
        label = UNSURE_LABEL if answers.get(index) == UNSURE else labels.get(index, "")
        writer.writerow([_guarded(row.set), label, *map(_guarded, row.cells)])
    return _BYTE_ORDER_MARK + text.getvalue()


def _guarded(cell: str) -> str:
    return FORMULA_GUARD + cell if cell.startswith(_FORMULA_STARTS) else cell
