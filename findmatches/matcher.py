"""FindMatches: labeling sets by active learning, evaluation on held-out labels, matching of a whole table.

Pure functions: no files, no network, no clock; the same input and seed give the same output.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from findmatches.active_learning import labeling_sets
from findmatches.evaluation import Evaluation, NotEnoughLabels, evaluation
from findmatches.grouping import match_groups, match_ids
from findmatches.labels import NO_PAIRS, Label, labeled_pairs, labeled_sets
from findmatches.pipeline import Prepared, prepare, record_pairs
from findmatches.scoring import score
from findmatches.settings import Settings
from findmatches.table import Table

__all__ = [
    "Evaluation",
    "Label",
    "NotEnoughLabels",
    "Settings",
    "Table",
    "evaluate",
    "find_matches",
    "propose_labeling_sets",
]


def propose_labeling_sets(
    table: Table, labels: Sequence[Label], settings: Settings, *, sets: int = 10, rows_per_set: int = 10
) -> list[list[int]]:
    """Row numbers, one inner list per set, the most valuable set first; each set 2 to `rows_per_set` distinct rows.

    Fewer sets on a table with less to ask; none on a table of fewer than two rows.
    """
    prepared = prepare(table, settings)
    answered = {frozenset(row for row, _ in members) for members in labeled_sets(table, labels)}
    found = []
    if prepared:
        found = propose(prepared, table, labels, settings, sets=sets, rows_per_set=rows_per_set)
    return (found or _any_rows(len(table), rows_per_set, answered, settings.seed))[:sets]


def propose(
    prepared: Prepared, table: Table, labels: Sequence[Label], settings: Settings, *, sets: int, rows_per_set: int
) -> list[list[int]]:
    labeled = record_pairs(prepared, labeled_pairs(table, labels))
    scored = score(prepared, labeled, NO_PAIRS, settings)
    value = scored.likely * (1 - scored.likely)
    value[scored.labeled] = 0
    ask = np.flatnonzero(value > 0)
    one = prepared.row_of[scored.left[ask]]
    other = np.where(scored.left[ask] == scored.right[ask], prepared.twin[scored.left[ask]], prepared.row_of[scored.right[ask]])
    answered = {frozenset(row for row, _ in members) for members in labeled_sets(table, labels)}
    return labeling_sets(one, other, value[ask], sets=sets, rows_per_set=rows_per_set, seen=answered)


def evaluate(table: Table, labels: Sequence[Label], settings: Settings) -> Evaluation:
    """Learns from 70 % of the labeling sets and tests on the pairs of the other 30 %.

    Raises NotEnoughLabels if either part lacks a matching or a different pair.
    """
    return evaluation(prepare(table, settings), labeled_pairs(table, labels), settings)


def find_matches(
    table: Table, labels: Sequence[Label], settings: Settings, *, known: Sequence[str | None] | None = None
) -> list[str]:
    """A match id per row; rows of the same match share it. Rows with a `known` id keep it, others may join them."""
    prepared = prepare(table, settings)
    return match_ids(match_groups(prepared, table, labeled_pairs(table, labels), settings, known), known)


def _any_rows(count: int, rows_per_set: int, answered: set[frozenset[int]], seed: int) -> list[list[int]]:
    order: NDArray[np.int64] = np.random.default_rng(seed).permutation(count)
    found = [order[start : start + rows_per_set].tolist() for start in range(0, count, rows_per_set)]
    return [rows for rows in found if len(rows) > 1 and frozenset(rows) not in answered]
