"""The way from a table to compared pairs, and from labels to a model: what every public function of the engine starts with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from local.glue.findmatches.candidates import Neighbours, neighbours
from local.glue.findmatches.columns import Column, comparable_columns
from local.glue.findmatches.features import Comparison, Matrix
from local.glue.findmatches.guess import Guess, guess
from local.glue.findmatches.labels import LabelledPairs
from local.glue.findmatches.model import Chances, Model, learn
from local.glue.findmatches.settings import Settings
from local.glue.findmatches.table import Table

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Prepared:
    """A table ready for comparing. Identical rows are one *record*; pairs are pairs of records.

    `record[row]` is a row's record, or -1 for a row that says nothing; `row_of[record]` is its first row.
    """

    record: Indices
    row_of: Indices
    comparison: Comparison
    guessed: Guess

    @property
    def near(self) -> Neighbours:
        return self.comparison.near


def prepare(table: Table, settings: Settings) -> Prepared | None:
    """None if there is nothing to compare: all rows that say something say the same."""
    columns = comparable_columns(table)
    if not columns:
        return None
    codes = np.stack([column.codes for column in columns], axis=1)
    silent = np.stack([column.missing[column.codes] for column in columns], axis=1).all(axis=1)
    _, first, record = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    record = record.ravel().astype(np.int64)
    kept = np.flatnonzero(~silent[first])
    renumbered = np.full(len(first), -1, np.int64)
    renumbered[kept] = np.arange(len(kept))
    record, row_of = renumbered[record], first[kept].astype(np.int64)
    if len(row_of) < 2:  # noqa: PLR2004 - a pair needs two
        return None
    by_record = [_of_records(column, row_of) for column in columns]
    near = neighbours(_texts(by_record), settings.neighbours_per_row, settings.terms_per_row)
    comparison = Comparison(tuple(by_record), near)
    return Prepared(record, row_of, comparison, _guess(comparison, settings))


def learn_from(prepared: Prepared, labelled: LabelledPairs, settings: Settings) -> Model | None:
    """A model from labelled pairs of records, and from the guess as far as labels are few; None if neither helps."""
    near, guessed = prepared.near, prepared.guessed
    left = np.concatenate([labelled.left, near.left[guessed.pairs]])
    right = np.concatenate([labelled.right, near.right[guessed.pairs]])
    match = np.concatenate([labelled.match, guessed.match])
    if match.all() or not match.any():
        return None
    weight = np.ones(len(match))
    if len(guessed.pairs):
        weight[len(labelled) :] = _GUESS_COUNTS_AS / len(guessed.pairs)
    return learn(prepared.comparison.features(left, right), match, weight, settings.seed)


def record_pairs(prepared: Prepared, labelled: LabelledPairs) -> LabelledPairs:
    """The labelled pairs of rows as pairs of records; pairs of identical or silent rows teach nothing and are left out."""
    one, other = prepared.record[labelled.left], prepared.record[labelled.right]
    moved = LabelledPairs(np.minimum(one, other), np.maximum(one, other), labelled.match, labelled.fold)
    return moved.where((one != other) & (one >= 0) & (other >= 0))


def chances(model: Model | None, features: Matrix) -> Chances:
    """Probability of a match per row of `features`; without a model, how alike the two rows are."""
    return model.chances(features) if model else likeness(features).astype(np.float64)


def likeness(features: Matrix) -> Matrix:
    """Mean similarity over the row: words, n-grams, and the columns that both rows fill."""
    words, grams, columns = features[:, -9], features[:, -8], features[:, -3]
    mean: Matrix = (words + grams + columns) / 3
    return mean


_GUESS_COUNTS_AS = 20.0
_GUESS_FROM = 100_000


def _guess(comparison: Comparison, settings: Settings) -> Guess:
    near = comparison.near
    total = len(near.left)
    some = np.arange(total)
    if total > _GUESS_FROM:
        some = np.sort(np.random.default_rng(settings.seed).choice(total, _GUESS_FROM, replace=False))
    return guess(near, some, likeness(comparison.features(near.left[some], near.right[some])), settings.seed)


def _of_records(column: Column, row_of: Indices) -> Column:
    codes = column.codes[row_of]
    return Column(**{**vars(column), "codes": codes})


def _texts(columns: list[Column]) -> list[str]:
    by_column = [[column.values[code] for code in column.codes.tolist()] for column in columns]
    return [" ".join(filter(None, cells)) for cells in zip(*by_column, strict=True)]
