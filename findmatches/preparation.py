"""From a table to distinct records and candidate pairs of them: the first step of every operation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from findmatches.blocking import Neighbors, nearest_neighbors
from findmatches.columns import ColumnKind, comparable_columns
from findmatches.features import ROW_SIMILARITY, FeatureExtractor, Matrix, feature_extractor, row_texts
from findmatches.labels import LabeledPairs
from findmatches.pairs import FeatureBlock, feature_block
from findmatches.settings import Settings
from findmatches.table import Table

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class PreparedTable:
    """A table whose pairs can be scored. Identical rows are one *record*.

    `record[row]` is a row's record, or -1 for a blank row; `first_row[record]` is its first row, `second_row[record]` its
    second or -1. Candidate pairs are `left` <= `right`: a record with itself stands for two identical rows.
    """

    record: Indices
    first_row: Indices
    second_row: Indices
    extractor: FeatureExtractor
    left: Indices
    right: Indices

    @property
    def neighbors(self) -> Neighbors:
        """The nearest neighbors of each record."""
        return self.extractor.neighbors

    def without_features(self) -> "PreparedTable":
        """The same without the candidates' features, if they are in memory."""
        return replace(self)

    @cached_property
    def candidates(self) -> FeatureBlock:
        """The candidate pairs with their features."""
        return feature_block(self.extractor, self.left, self.right)


def prepare(table: Table, settings: Settings, kinds: Sequence[ColumnKind] | None = None) -> PreparedTable | None:
    """None if there is nothing to compare: all rows that are not blank are identical.

    `kinds`: the columns to compare, and how; inferred from the table if None. Raises InvalidTable if one is missing.
    """
    columns = comparable_columns(table, kinds)
    if not columns:
        return None
    # A record is a distinct combination of the columns' codes and styles.
    codes = [part for column in columns for part in (column.codes, column.styles)]
    missing = np.stack([column.missing[column.codes] for column in columns], axis=1)
    blank: NDArray[np.bool_] = np.logical_and.reduce(missing, axis=1)
    _, first, record = np.unique(np.stack(codes, axis=1), axis=0, return_index=True, return_inverse=True)
    record = record.ravel().astype(np.int64)
    kept = np.flatnonzero(~blank[first])
    renumbered = np.full(len(first), -1, np.int64)
    renumbered[kept] = np.arange(len(kept))
    record, first_row = renumbered[record], first[kept].astype(np.int64)
    if len(first_row) < 2:  # noqa: PLR2004 - a pair needs two
        return None
    second_row = _second_rows(record, first_row)
    by_record = [replace(column, codes=column.codes[first_row], styles=column.styles[first_row]) for column in columns]
    texts = row_texts(by_record, len(first_row))
    neighbors = nearest_neighbors(texts, settings.neighbors_per_row, settings.terms_per_row)
    repeated = np.flatnonzero(second_row >= 0)
    left, right = np.append(neighbors.left, repeated), np.append(neighbors.right, repeated)
    return PreparedTable(record, first_row, second_row, feature_extractor(by_record, neighbors, texts), left, right)


def record_pairs(prepared: PreparedTable, labeled: LabeledPairs) -> LabeledPairs:
    """The labeled pairs of rows as pairs of records; pairs with a blank row teach nothing and are left out."""
    left, right = prepared.record[labeled.left], prepared.record[labeled.right]
    pairs = LabeledPairs(np.minimum(left, right), np.maximum(left, right), labeled.match, labeled.fold)
    return pairs.where((left >= 0) & (right >= 0))


def mean_similarity(features: Matrix) -> Matrix:
    """Mean similarity over the whole row per pair, 0..1: words, n-grams, and the columns that both rows fill."""
    mean: Matrix = features[:, ROW_SIMILARITY].mean(axis=1)
    return mean


def _second_rows(record: Indices, first_row: Indices) -> Indices:
    # Of repeated assignments the last one holds, so the later rows of each record are written in reverse order.
    second_row = np.full(len(first_row), -1, np.int64)
    later = np.flatnonzero((record >= 0) & (first_row[record] != np.arange(len(record))))[::-1]
    second_row[record[later]] = later
    return second_row
