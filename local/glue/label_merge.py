"""Appending the labels of an imported file to the stored ones."""

from collections.abc import Sequence

from local.glue.label_rules import LabeledRow


def append_labels(stored: Sequence[LabeledRow], added: Sequence[LabeledRow]) -> list[LabeledRow]:
    """The stored labels followed by the added ones.

    An added set with the id of a stored set, and all or some of its rows, is that set answered again: it replaces the
    stored one, with the labels of rows that were left out, and moves to the end. An added set with the id of a stored set
    but other rows is a different set, since people number their sets from 1 in every file. It gets an id of its own,
    `id#2`, because labels are scoped to their set.
    """
    sets = _by_set(stored)
    for set_id, rows in _by_set(added).items():
        unique_id, suffix = set_id, 1
        while unique_id in sets and not _keys(rows) <= _keys(sets[unique_id]):
            suffix += 1
            unique_id = f"{set_id}#{suffix}"
        sets.pop(unique_id, None)
        sets[unique_id] = [LabeledRow(unique_id, row.label, row.key) for row in rows]
    return [row for rows in sets.values() for row in rows]


def _by_set(rows: Sequence[LabeledRow]) -> dict[str, list[LabeledRow]]:
    sets: dict[str, list[LabeledRow]] = {}
    for row in rows:
        sets.setdefault(row.set_id, []).append(row)
    return sets


def _keys(rows: Sequence[LabeledRow]) -> set[str]:
    return {row.key for row in rows}
