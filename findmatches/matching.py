"""Matching a whole table: from its scored pairs, labels and known match ids to groups of rows and their ids."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from findmatches.classifier import Probabilities
from findmatches.clustering import best_merges, group_numbers
from findmatches.constraints import NO_KNOWN_ID, Constraints, build_constraints
from findmatches.labels import NO_PAIRS, LabeledPairs
from findmatches.preparation import PreparedTable, record_pairs
from findmatches.scoring import ScoredPairs, score
from findmatches.settings import Settings
from findmatches.table import Table

Indices = NDArray[np.int64]

# The probability that a label is right: it outweighs doubt, but one slip does not outweigh identical rows.
_LABEL_ACCURACY = 0.99
_MIN_PROBABILITY = 1e-4
# 80 bits: a million groups share an id with a probability of 1 in 10^12.
_ID_CHARACTERS = 20


def match_groups(
    prepared: PreparedTable | None,
    table: Table,
    labeled: LabeledPairs,
    settings: Settings,
    known: Sequence[str | None] | None,
) -> Indices:
    """A group number per row, shape (rows,). `prepared` is `prepare(table, settings)`."""
    enforced = labeled if settings.enforce_labels else None
    if prepared is None:
        return groups_of_equal_rows(table, known, enforced)
    pairs = record_pairs(prepared, labeled)
    scored = score(prepared, pairs, NO_PAIRS, settings)
    return scored_groups(prepared, scored, pairs, settings, enforced=enforced, known=known)


def scored_groups(
    prepared: PreparedTable,
    scored: ScoredPairs,
    pairs: LabeledPairs,
    settings: Settings,
    *,
    enforced: LabeledPairs | None = None,
    known: Sequence[str | None] | None = None,
    known_may_merge: bool = False,
) -> Indices:
    """A group number per row, shape (rows,), from scored pairs; `pairs` are labeled pairs of records, `enforced` of rows.

    Rows of one known id stay together, rows of different ones apart unless `known_may_merge`.
    """
    record = _with_blank_rows(prepared.record)
    probability = with_labels(scored, pairs)
    identical = scored.left == scored.right
    record = _split_records(record, scored.left[identical & (probability < settings.min_match_probability)])
    constraints = build_constraints(record, known, enforced)
    if known_may_merge:
        constraints = replace(constraints, known_id=np.full(len(constraints.known_id), NO_KNOWN_ID, np.int64))
    left, right, linked = _node_pairs(prepared, constraints, record, scored, probability)
    records_of_node = np.zeros(len(constraints.known_id), np.int64)
    np.add.at(records_of_node, constraints.node[np.unique(record, return_index=True)[1]], 1)
    merges = best_merges(
        left,
        right,
        linked,
        records_of_node,
        constraints,
        neighbors_per_row=prepared.neighbors_per_row,
        beta=settings.beta,
    )
    return group_numbers(len(constraints.known_id), merges)[constraints.node]


def groups_of_equal_rows(table: Table, known: Sequence[str | None] | None, enforced: LabeledPairs | None) -> Indices:
    """A group number per row of a table whose rows are all alike, but for blank ones, which match nothing."""
    return build_constraints(_with_blank_rows(_single_record(table)), known, enforced).node


def with_labels(scored: ScoredPairs, pairs: LabeledPairs) -> Probabilities:
    """The probabilities with the labels as evidence of their own, and with the shift of a scorer that had none.

    Of labeled pairs, the out-of-fold probability counts: the classifier that was trained on a label only repeats it.
    """
    # Bayes' rule in log odds: each label adds log(accuracy / (1 - accuracy)) in its direction.
    probability = scored.probability.copy()
    probability[scored.labeled] = scored.out_of_fold
    probability = np.clip(probability, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    log_odds = np.log(probability / (1 - probability))
    if scored.scorer and not len(pairs):
        log_odds[scored.left != scored.right] += scored.scorer.shift
    np.add.at(log_odds, scored.labeled, np.log(_LABEL_ACCURACY / (1 - _LABEL_ACCURACY)) * np.where(pairs.match, 1, -1))
    return 1 / (1 + np.exp(-log_odds))


def match_ids(group: Indices, keys: Sequence[str], known: Sequence[str | None] | None) -> list[str]:
    """Names for groups: the known id of their rows, else one derived from their smallest key."""
    names = {number: name for number, name in zip(group.tolist(), known or [], strict=bool(known)) if name}
    used = set(names.values())
    smallest: dict[int, str] = {}
    for number, key in zip(group.tolist(), keys, strict=True):
        if number not in names:
            smallest[number] = min(key, smallest.get(number, key))
    for number, key in smallest.items():
        names[number] = _derived_id(key, used)
    return [names[number] for number in group.tolist()]


def _derived_id(key: str, used: set[str]) -> str:
    """A short digest of the key. A known id may have been derived from the same key, when it was in that group."""
    first = hashlib.sha256(f"{key}\x1f0".encode(errors="surrogatepass")).hexdigest()[:_ID_CHARACTERS]
    if first not in used:
        return first
    attempts = (hashlib.sha256(f"{key}\x1f{attempt}".encode(errors="surrogatepass")).hexdigest() for attempt in count())
    return next(digest[:_ID_CHARACTERS] for digest in attempts if digest[:_ID_CHARACTERS] not in used)


def _with_blank_rows(record: Indices) -> Indices:
    """Each blank row, which has record -1, as a record of its own."""
    return np.where(record < 0, record.max(initial=0) + 1 + np.arange(len(record)), record)


def _single_record(table: Table) -> Indices:
    """Record 0 for all rows that have any value, which are then identical; -1 for blank rows."""
    has_value = np.zeros(len(table), np.bool_)
    for name in table.names:
        if name != table.primary_key:
            has_value |= np.fromiter((bool(cell and cell.strip()) for cell in table.columns[name]), np.bool_, len(table))
    return np.where(has_value, 0, -1).astype(np.int64)


def _split_records(record: Indices, different: Indices) -> Indices:
    """Rows of the records in `different`, identical rows that are different things, become records of their own."""
    if not len(different):
        return record
    rows = np.flatnonzero(np.isin(record, different))
    split = record.copy()
    split[rows] = record.max() + 1 + np.arange(len(rows))
    return split


def _node_pairs(
    prepared: PreparedTable, constraints: Constraints, record: Indices, scored: ScoredPairs, probability: Probabilities
) -> tuple[Indices, Indices, Probabilities]:
    """Pairs of nodes with their probability. Of records that were split, the first row links to the first, and so on."""
    # Rows grouped by record: those of record r are rows[first[r] : first[r + 1]].
    rows = np.argsort(prepared.record, kind="stable")
    rows = rows[np.searchsorted(prepared.record[rows], 0) :]
    first = np.searchsorted(prepared.record[rows], np.arange(len(prepared.first_row) + 1))
    was_split = record[prepared.first_row] != np.arange(len(prepared.first_row))
    copies = np.where(was_split, np.diff(first), 1)
    between = scored.left != scored.right
    left, right, probability = scored.left[between], scored.right[between], probability[between]
    left_nodes = [constraints.node[prepared.first_row[left]]]
    right_nodes = [constraints.node[prepared.first_row[right]]]
    linked = [probability]
    for place in np.flatnonzero((copies[left] > 1) | (copies[right] > 1)).tolist():
        starts, counts = (first[left[place]], first[right[place]]), (copies[left[place]], copies[right[place]])
        numbers = np.arange(1, min(counts) if min(counts) > 1 else max(counts))
        sides = [
            constraints.node[rows[start + numbers]] if copy > 1 else np.full(len(numbers), constraints.node[rows[start]])
            for start, copy in zip(starts, counts, strict=True)
        ]
        left_nodes.append(sides[0])
        right_nodes.append(sides[1])
        linked.append(np.full(len(numbers), probability[place]))
    return np.concatenate(left_nodes), np.concatenate(right_nodes), np.concatenate(linked)
