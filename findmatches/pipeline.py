"""From a table to records and the pairs of them that are worth judging: the start of all that the engine does."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from findmatches.blocking import Neighbors, neighbors
from findmatches.columns import Column, comparable_columns
from findmatches.feature_blocks import Block, block_of
from findmatches.features import LIKENESS, Comparison, Matrix, comparison, row_texts
from findmatches.labels import LabeledPairs
from findmatches.settings import Settings
from findmatches.table import Table

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Prepared:
    """A table ready for judging pairs. Identical rows are one *record*.

    `record[row]` is a row's record, or -1 for a row that says nothing; `row_of[record]` is its first row, `twin[record]`
    its second or -1. Candidate pairs are `left` <= `right`: a record with itself stands for two identical rows.
    """

    record: Indices
    row_of: Indices
    twin: Indices
    comparison: Comparison
    left: Indices
    right: Indices

    @property
    def near(self) -> Neighbors:
        return self.comparison.near

    @cached_property
    def candidates(self) -> Block:
        """The candidate pairs with their features."""
        return block_of(self.comparison, self.left, self.right)


def prepare(table: Table, settings: Settings) -> Prepared | None:
    """None if there is nothing to compare: all rows that say something say the same."""
    columns = comparable_columns(table)
    if not columns:
        return None
    written = [codes for column in columns for codes in (column.codes, column.styles)]
    absent = np.stack([column.missing[column.codes] for column in columns], axis=1)
    silent: NDArray[np.bool_] = np.logical_and.reduce(absent, axis=1)
    _, first, record = np.unique(np.stack(written, axis=1), axis=0, return_index=True, return_inverse=True)
    record = record.ravel().astype(np.int64)
    kept = np.flatnonzero(~silent[first])
    renumbered = np.full(len(first), -1, np.int64)
    renumbered[kept] = np.arange(len(kept))
    record, row_of = renumbered[record], first[kept].astype(np.int64)
    if len(row_of) < 2:  # noqa: PLR2004 - a pair needs two
        return None
    twin = _twins(record, row_of)
    by_record = [_of_records(column, row_of) for column in columns]
    texts = row_texts(by_record, len(row_of))
    near = neighbors(texts, settings.neighbors_per_row, settings.terms_per_row)
    twice = np.flatnonzero(twin >= 0)
    left, right = np.append(near.left, twice), np.append(near.right, twice)
    return Prepared(record, row_of, twin, comparison(by_record, near, texts), left, right)


def record_pairs(prepared: Prepared, labeled: LabeledPairs) -> LabeledPairs:
    """The labeled pairs of rows as pairs of records; silent rows teach nothing and are left out."""
    one, other = prepared.record[labeled.left], prepared.record[labeled.right]
    moved = LabeledPairs(np.minimum(one, other), np.maximum(one, other), labeled.match, labeled.fold)
    return moved.where((one >= 0) & (other >= 0))


def likeness(features: Matrix) -> Matrix:
    """Mean similarity over the row, 0..1: words, n-grams, and the columns that both rows fill."""
    mean: Matrix = features[:, LIKENESS].mean(axis=1)
    return mean


def _twins(record: Indices, row_of: Indices) -> Indices:
    twin = np.full(len(row_of), -1, np.int64)
    others = np.flatnonzero((record >= 0) & (row_of[record] != np.arange(len(record))))[::-1]
    twin[record[others]] = others
    return twin


def _of_records(column: Column, row_of: Indices) -> Column:
    return replace(column, codes=column.codes[row_of], styles=column.styles[row_of])
