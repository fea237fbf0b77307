"""How the labels of several files come together."""

from collections.abc import Sequence

from local.glue.label_files import LabeledRow


def append(stored: Sequence[LabeledRow], added: Sequence[LabeledRow]) -> list[LabeledRow]:
    """`stored` and then `added`; nothing is lost and nothing is mixed up.

    A set that holds the same rows as a stored set of the same id is that set, answered again: the newer answer stands,
    at the newer place. A set that only bears a stored set's id, over other rows, is another question (people number
    their sets from 1 in every file): it gets an id of its own, `id#2`, so that labels never cross sets.
    """
    sets = _by_set(stored)
    for set_id, rows in _by_set(added).items():
        name, number = set_id, 1
        while name in sets and _keys(sets[name]) != _keys(rows):
            number += 1
            name = f"{set_id}#{number}"
        sets.pop(name, None)
        sets[name] = [LabeledRow(name, row.label, row.key) for row in rows]
    return [row for rows in sets.values() for row in rows]


def _by_set(rows: Sequence[LabeledRow]) -> dict[str, list[LabeledRow]]:
    sets: dict[str, list[LabeledRow]] = {}
    for row in rows:
        sets.setdefault(row.set_id, []).append(row)
    return sets


def _keys(rows: Sequence[LabeledRow]) -> set[str]:
    return {row.key for row in rows}
