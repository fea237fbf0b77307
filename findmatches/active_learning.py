"""Active learning: which rows to label next.

Most sets hold pairs that the classifier is least sure about. Uncertainty sampling: Lewis and Gale, "A sequential algorithm for
training text classifiers", 1994. Some hold pairs that are chosen without it, since a classifier that is wrong about a kind of
pairs is sure about them: exploration, as in Settles, "Active learning literature survey", 2009, section 6.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from findmatches.labels import NO_PAIRS, Label, labeled_pairs, labeled_sets
from findmatches.preparation import PreparedTable, prepare, record_pairs
from findmatches.runtime import DEFAULT_RUNTIME, Runtime
from findmatches.scoring import ScoredPairs, score
from findmatches.settings import Settings
from findmatches.table import Table

Indices = NDArray[np.int64]
Values = NDArray[np.float64]

# The share of the sets whose pairs are chosen without regard to the classifier: in the first run, and later.
_FIRST_EXPLORED_SHARE = 0.3
_EXPLORED_SHARE = 0.1
_LEVELS = 6
_MAX_DOUBTED_PROBABILITY = 0.3


def propose_labeling_sets(
    table: Table,
    labels: Sequence[Label],
    settings: Settings,
    *,
    sets: int = 10,
    rows_per_set: int = 10,
    runtime: Runtime = DEFAULT_RUNTIME,
) -> list[list[int]]:
    """Row numbers, one inner list per set, the most informative set first; each set 2 to `rows_per_set` distinct rows.

    Fewer than `sets` on a table with less to label; none on a table of fewer than two rows. Raises InvalidTable if the table
    cannot be matched.
    """
    if sets < 0 or rows_per_set < 2:  # noqa: PLR2004 - a pair
        raise ValueError("A labeling set needs at least 2 rows, and the number of sets cannot be negative.")
    table.validate()
    ordered, order = table.in_key_order()
    with runtime.exchange(len(table)) as exchange:
        prepared = prepare(ordered, settings, exchange, has_labels=bool(labels))
        proposed = propose(prepared, ordered, labels, settings, sets=sets, rows_per_set=rows_per_set) if prepared else []
    chosen = (proposed or _random_sets(ordered, labels, rows_per_set, settings.seed))[:sets]
    return [[order[row] for row in members] for members in chosen]


def propose(
    prepared: PreparedTable, table: Table, labels: Sequence[Label], settings: Settings, *, sets: int, rows_per_set: int
) -> list[list[int]]:
    """As `propose_labeling_sets`, with `prepare(table, settings)` done already; none if no pair is in doubt."""
    labeled = record_pairs(prepared, labeled_pairs(table, labels))
    scored = score(prepared, labeled, NO_PAIRS, settings)
    answered = _answered(table, labels)
    share = _EXPLORED_SHARE if len(labeled) else _FIRST_EXPLORED_SHARE
    random = np.random.default_rng([settings.seed, len(answered)])
    explored = _exploration_sets(prepared, scored, random, sets=round(share * sets), rows_per_set=rows_per_set)
    explored = [members for members in explored if frozenset(members) not in answered]
    # The variance of the outcome, p (1 - p), is largest where the classifier is least sure.
    uncertainty = scored.probability * (1 - scored.probability)
    uncertainty[scored.labeled] = 0
    places = np.flatnonzero(uncertainty > 0)
    uncertain = labeling_sets(
        *_rows(prepared, scored.left[places], scored.right[places]),
        uncertainty[places],
        sets=sets - len(explored),
        rows_per_set=rows_per_set,
        answered=answered,
        shown=[row for members in explored for row in members],
    )
    return _interleaved(uncertain, explored)


def labeling_sets(
    left: Indices,
    right: Indices,
    value: Values,
    *,
    sets: int,
    rows_per_set: int,
    answered: Iterable[frozenset[int]],
    shown: Iterable[int] = (),
) -> list[list[int]]:
    """Greedy: each set starts from the most valuable pair left and grows by the row that adds most value.

    `left`, `right`, `value`: pairs of rows and what a label for each is worth, shape (pairs,) each. A row is shown once,
    and those of `shown` not at all.
    When no neighbor of the set is worth as much as the best pair elsewhere, that pair joins the set.
    """
    pool = _Pool(left, right, value, shown)
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

    def __init__(self, left: Indices, right: Indices, value: Values, shown: Iterable[int]) -> None:
        order = np.argsort(-value, kind="stable")
        triples = zip(left[order].tolist(), right[order].tolist(), value[order].tolist(), strict=True)
        self.pairs: list[tuple[int, int, float]] = list(triples)
        self.next = 0
        self.shown: set[int] = set(shown)
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


def _exploration_sets(
    prepared: PreparedTable, scored: ScoredPairs, random: np.random.Generator, *, sets: int, rows_per_set: int
) -> list[list[int]]:
    """Sets of pairs that are chosen without regard to the classifier, which may be wrong about a whole kind of pairs.

    By turns: a pair from each level of similarity, two identical rows, two rows that share one rare value, any candidate pair.
    """
    labeled = np.zeros(len(scored.left), np.bool_)
    labeled[scored.labeled] = True
    keys = scored.left * prepared.records + scored.right
    similarity = np.ones(len(keys), np.float32)
    place = np.searchsorted(keys, prepared.left * prepared.records + prepared.right)
    similarity[place] = prepared.similarity
    is_candidate = scored.left == scored.right
    is_candidate[place] = True
    candidates = np.flatnonzero(is_candidate & ~labeled)
    left, right, similarity = scored.left[candidates], scored.right[candidates], similarity[candidates]
    between = left != right
    levels = np.linspace(similarity[between].min(initial=1), similarity[between].max(initial=0), _LEVELS + 1)[1:-1]
    level = np.searchsorted(levels, similarity)
    doubted = scored.probability[candidates] < _MAX_DOUBTED_PROBABILITY
    shares_rare = between & scored.shares_rare_value[candidates] & doubted
    kinds = [between & (level == number) for number in range(_LEVELS)]
    waiting = [
        random.permutation(np.flatnonzero(kind))[: rows_per_set * sets].tolist()
        for kind in _by_turns(kinds, ~between, shares_rare, between)
    ]
    shown: set[int] = set()
    chosen: list[list[int]] = []
    members: list[int] = []
    while len(chosen) < sets and any(waiting):
        for kind in waiting:
            pair = _next_pair(prepared, left, right, kind, shown)
            added = pair[: rows_per_set - len(members)]
            members += added
            shown.update(added)
            if len(members) == rows_per_set:
                chosen.append(members)
                members = []
    return chosen[:sets]


def _by_turns(
    levels: list[NDArray[np.bool_]], identical: NDArray[np.bool_], rare: NDArray[np.bool_], any_pair: NDArray[np.bool_]
) -> list[NDArray[np.bool_]]:
    kinds = []
    for place, level in enumerate(levels[::-1]):
        kinds += [level, (identical, rare, any_pair)[place % 3]]
    return kinds


def _next_pair(prepared: PreparedTable, left: Indices, right: Indices, waiting: list[int], shown: set[int]) -> list[int]:
    while waiting:
        place = waiting.pop()
        left_row, right_row = _rows(prepared, left[place : place + 1], right[place : place + 1])
        pair = [int(left_row[0]), int(right_row[0])]
        if not shown & set(pair):
            return pair
    return []


def _rows(prepared: PreparedTable, left: Indices, right: Indices) -> tuple[Indices, Indices]:
    """The rows that stand for pairs of records; of a record with itself, its first two."""
    return prepared.first_row[left], np.where(left == right, prepared.second_row[left], prepared.first_row[right])


def _interleaved(uncertain: list[list[int]], explored: list[list[int]]) -> list[list[int]]:
    """Two sets of uncertain pairs, one of exploration, and so on."""
    sets: list[list[int]] = []
    for place, members in enumerate(uncertain):
        sets.append(members)
        if place % 2 and explored:
            sets.append(explored.pop(0))
    return sets + explored


def _random_sets(table: Table, labels: Sequence[Label], rows_per_set: int, seed: int) -> list[list[int]]:
    answered = _answered(table, labels)
    order: Indices = np.random.default_rng(seed).permutation(len(table))
    sets = [order[start : start + rows_per_set].tolist() for start in range(0, len(table), rows_per_set)]
    return [rows for rows in sets if len(rows) > 1 and frozenset(rows) not in answered]


def _answered(table: Table, labels: Sequence[Label]) -> set[frozenset[int]]:
    return {frozenset(row for row, _ in members) for members in labeled_sets(table, labels)}
