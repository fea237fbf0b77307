"""From answers to labels: A, B, C ... within each labeling set, by the first row of each group."""

from collections.abc import Mapping
from math import comb
from typing import NamedTuple

from core.labeling.answers import ALONE, UNSURE, Answers
from core.labeling.labeling_set_file import LabelingSetFile

_LETTERS = 26
_MIN_ROWS = 2  # of a labeling set: core.labeling_sets


class Labels(NamedTuple):
    """Row -> label, of the rows that are imported, and how many pairs of rows they say to be the same or different."""

    by_row: Mapping[int, str]
    match_pairs: int
    non_match_pairs: int


def make_labels(answers: Answers, file: LabelingSetFile) -> Labels:
    """The labels that `answers` stand for. Open and unsure rows are left out, and so is a set that has only one row left."""
    by_row: dict[int, str] = {}
    matches = pairs = 0
    for rows in file.rows_by_set.values():
        decided = [row for row in rows if answers.get(row, UNSURE) != UNSURE]
        if len(decided) < _MIN_ROWS:
            continue
        names: dict[object, str] = {}
        sizes: dict[str, int] = {}
        for row in decided:
            group: object = (ALONE, row) if answers[row] == ALONE else answers[row]
            label = names.setdefault(group, label_name(len(names)))
            by_row[row] = label
            sizes[label] = sizes.get(label, 0) + 1
        matches += sum(comb(size, 2) for size in sizes.values())
        pairs += comb(len(decided), 2)
    return Labels(by_row, matches, pairs - matches)


def label_name(index: int) -> str:
    """A, B ... Z, AA, AB ... as spreadsheets name columns."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, _LETTERS)
        name = chr(ord("A") + letter) + name
    return name
