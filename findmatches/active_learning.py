"""Active learning: which rows to label next, as sets of rows whose pairs the classifier is least sure about.

Uncertainty sampling: Lewis and Gale, "A sequential algorithm for training text classifiers", 1994; Settles, "Active
learning literature survey", 2009.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from findmatches.labels import NO_PAIRS, Label, labeled_pairs, labeled_sets
from findmatches.preparation import PreparedTable, prepare, record_pairs
from findmatches.scoring import score
from findmatches.settings import Settings
from findmatches.table import Table

Indices = NDArray[np.int64]
Values = NDArray[np.float64]


def propose_labeling_sets(
    table: Table, labels: Sequence[Label], settings: Settings, *, sets: int = 10, rows_per_set: int = 10
) -> list[list[int]]:
    """Row numbers, one inner list per set, the most informative set first; each set 2 to `rows_per_set` distinct rows.

    Fewer than `sets` on a table with less to label; none on a table of fewer than two rows.
    """
    prepared = prepare(table, settings)
    proposed = propose(prepared, table, labels, settings, sets=sets, rows_per_set=rows_per_set) if prepared else []
    return (proposed or _random_sets(table, labels, rows_per_set, settings.seed))[:sets]


def propose(
    prepared: PreparedTable, table: Table, labels: Sequence[Label], settings: Settings, *, sets: int, rows_per_set: int
) -> list[list[int]]:
    """As `propose_labeling_sets`, with `prepare(table, settings)` done already; none if no pair is in doubt."""
    labeled = record_pairs(prepared, labeled_pairs(table, labels))
    scored = score(prepared, labeled, NO_PAIRS, settings)
    # The variance of the outcome, p (1 - p), is largest where the classifier is least sure.
    uncertainty = scored.probability * (1 - scored.probability)
    uncertainty[scored.labeled] = 0
    places = np.flatnonzero(uncertainty > 0)
    left, right = scored.left[places], scored.right[places]
    left_row = prepared.first_row[left]
    right_row = np.where(left == right, prepared.second_row[left], prepared.first_row[right])
    return labeling_sets(
        left_row,
        right_row,
        uncertainty[places],
        sets=sets,
        rows_per_set=rows_per_set,
        answered=_answered(table, labels),
    )


def labeling_sets(
    left: Indices, right: Indices, value: Values, *, sets: int, rows_per_set: int, answered: Iterable[frozenset[int]]
) -> list[list[int]]:
    """Greedy: each set starts from the most valuable pair left and grows by the row that adds most value.

    `left`, `right`, `value`: pairs of rows and what a label for each is worth, shape (pairs,) each. A row is shown once.
    When no neighbor of the set is worth as much as the best pair elsewhere, that pair joins the set.
    """
    pool = _Pool(left, right, value)
    avoided = set(answered)
    chosen: list[list[int]] = []
    while len(chosen) < sets:
        members = pool.next_set(rows_per_set)
        if not members:
            break
        if frozenset(members) not in avoided:
            avoided.add(frozenset(members))
            chosen.append(members)
    return chosen


class _Pool:
    """The rows not shown yet, by the value of their pairs."""

    def __init__(self, left: Indices, right: Indices, value: Values) -> None:
        order = np.argsort(-value, kind="stable")
        triples = zip(left[order].tolist(), right[order].tolist(), value[order].tolist(), strict=True)
        self.pairs: list[tuple[int, int, float]] = list(triples)
        self.next = 0
        self.shown: set[int] = set()
        self.links: dict[int, list[tuple[int, float]]] = {}
        for first, second, worth in self.pairs:
            self.links.setdefault(first, []).append((second, worth))
            self.links.setdefault(second, []).append((first, worth))

    def next_set(self, max_rows: int) -> list[int]:
        """The rows of one set, or none if no pair is left."""
        members: list[int] = []
        gain: dict[int, float] = {}
        while len(members) < max_rows:
            added = self._best_rows(gain, max_rows - len(members))
            for row in added:
                self.shown.add(row)
                gain.pop(row, None)
            for row in added:
                for neighbor, worth in self.links[row]:
                    if neighbor not in self.shown:
                        gain[neighbor] = gain.get(neighbor, 0.0) + worth
            members += added
            if not added:
                break
        return members

    def _best_rows(self, gain: dict[int, float], room: int) -> list[int]:
        pair = self._best_pair() if room > 1 else None
        nearest = max(gain, key=lambda row: (gain[row], -row), default=None)
        if nearest is not None and (pair is None or gain[nearest] >= pair[2]):
            return [nearest]
        return [] if pair is None else [pair[0], pair[1]]

    def _best_pair(self) -> tuple[int, int, float] | None:
        while self.next < len(self.pairs):
            first, second, _ = self.pairs[self.next]
            if first not in self.shown and second not in self.shown:
                return self.pairs[self.next]
            self.next += 1
        return None


def _random_sets(table: Table, labels: Sequence[Label], rows_per_set: int, seed: int) -> list[list[int]]:
    answered = _answered(table, labels)
    order: Indices = np.random.default_rng(seed).permutation(len(table))
    sets = [order[start : start + rows_per_set].tolist() for start in range(0, len(table), rows_per_set)]
    return [rows for rows in sets if len(rows) > 1 and frozenset(rows) not in answered]


def _answered(table: Table, labels: Sequence[Label]) -> set[frozenset[int]]:
    return {frozenset(row for row, _ in members) for members in labeled_sets(table, labels)}
