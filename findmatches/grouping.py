"""Which rows are the same thing, all settings, labels and known ids considered."""

from collections.abc import Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from findmatches.classifier import Chances
from findmatches.clustering import average_linkage, groups, most_expected
from findmatches.constraints import Bound, bind
from findmatches.labels import NO_PAIRS, LabeledPairs
from findmatches.pipeline import Prepared, record_pairs
from findmatches.scoring import Scored, score
from findmatches.settings import Settings
from findmatches.table import Table

Indices = NDArray[np.int64]

# A label is this surely right: it outweighs doubt, but one slip of a finger does not outweigh identical rows.
_LABEL_IS_RIGHT = 0.99
_SURE = 1e-4


def match_groups(
    prepared: Prepared | None,
    table: Table,
    labeled: LabeledPairs,
    settings: Settings,
    known: Sequence[str | None] | None,
) -> Indices:
    """A group number per row."""
    alone = prepared.record if prepared else _all_that_speak(table)
    record = np.where(alone < 0, alone.max(initial=0) + 1 + np.arange(len(table)), alone)
    enforced = labeled if settings.enforce_labels else None
    if prepared is None:
        return bind(record, known, enforced).node
    pairs = record_pairs(prepared, labeled)
    scored = score(prepared, pairs, NO_PAIRS, settings)
    likely = _told(scored, pairs)
    twins = scored.left == scored.right
    record = _split(record, scored.left[twins & (likely < settings.least_chance)])
    bound = bind(record, known, enforced)
    one, other, chance = _links(prepared, bound, record, scored, likely)
    size = np.zeros(len(bound.owner), np.int64)
    np.add.at(size, bound.node[np.unique(record, return_index=True)[1]], 1)
    merges = average_linkage(one, other, chance, size, bound)
    made = most_expected(merges, float(chance[one != other].sum()), settings.beta)
    return groups(len(bound.owner), merges, made)[bound.node]


def match_ids(group: Indices, known: Sequence[str | None] | None) -> list[str]:
    """Names for groups: the known id of their rows, else a number not in use, in the order of their first rows."""
    names = {number: name for number, name in zip(group.tolist(), known or [], strict=bool(known)) if name}
    used = set(names.values())
    fresh = (name for name in map(str, count()) if name not in used)
    for number in group.tolist():
        if number not in names:
            names[number] = next(fresh)
    return [names[number] for number in group.tolist()]


def _all_that_speak(table: Table) -> Indices:
    """One record for all rows that hold any value, which are then alike; -1 for the others."""
    speaks = np.zeros(len(table), np.bool_)
    for name in table.names:
        if name != table.primary_key:
            speaks |= np.fromiter((bool(cell and cell.strip()) for cell in table.columns[name]), np.bool_, len(table))
    return np.where(speaks, 0, -1).astype(np.int64)


def _split(record: Indices, apart: Indices) -> Indices:
    """Identical rows that are different things become records of their own."""
    if not len(apart):
        return record
    rows = np.flatnonzero(np.isin(record, apart))
    split = record.copy()
    split[rows] = record.max() + 1 + np.arange(len(rows))
    return split


def _links(
    prepared: Prepared, bound: Bound, record: Indices, scored: Scored, likely: Chances
) -> tuple[Indices, Indices, Chances]:
    """Pairs of nodes with their chance. Of records that were split, the first row is linked to the first, and so on."""
    rows = np.argsort(prepared.record, kind="stable")
    rows = rows[np.searchsorted(prepared.record[rows], 0) :]
    first = np.searchsorted(prepared.record[rows], np.arange(len(prepared.row_of) + 1))
    copies = np.where(record[prepared.row_of] != np.arange(len(prepared.row_of)), np.diff(first), 1)
    between = scored.left != scored.right
    left, right, likely = scored.left[between], scored.right[between], likely[between]
    one, other, chance = [bound.node[prepared.row_of[left]]], [bound.node[prepared.row_of[right]]], [likely]
    for place in np.flatnonzero((copies[left] > 1) | (copies[right] > 1)).tolist():
        starts, counts = (first[left[place]], first[right[place]]), (copies[left[place]], copies[right[place]])
        numbers = np.arange(1, min(counts) if min(counts) > 1 else max(counts))
        sides = [
            bound.node[rows[start + numbers]] if copy > 1 else np.full(len(numbers), bound.node[rows[start]])
            for start, copy in zip(starts, counts, strict=True)
        ]
        one.append(sides[0])
        other.append(sides[1])
        chance.append(np.full(len(numbers), likely[place]))
    return np.concatenate(one), np.concatenate(other), np.concatenate(chance)


def _told(scored: Scored, pairs: LabeledPairs) -> Chances:
    """What the labels say mixed into the model's opinion.

    Of labeled pairs, models are asked that did not learn from them: the others would only repeat the labels.
    """
    opinion = scored.likely.copy()
    opinion[scored.labeled] = scored.blind
    opinion = np.clip(opinion, _SURE, 1 - _SURE)
    odds = np.log(opinion / (1 - opinion))
    np.add.at(odds, scored.labeled, np.log(_LABEL_IS_RIGHT / (1 - _LABEL_IS_RIGHT)) * np.where(pairs.match, 1, -1))
    return 1 / (1 + np.exp(-odds))
