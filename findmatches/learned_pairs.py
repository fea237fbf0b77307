"""The pairs of rows that a model was trained on, kept without the rows: each row is a digest of its key and its values."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.labels import LabeledPairs
from findmatches.preparation import PreparedTable
from findmatches.scoring import Evidence
from findmatches.table import Table

Indices = NDArray[np.int64]
Probabilities = NDArray[np.float64]
Digests = NDArray[np.uint64]

# 64 bits: of a million rows and the thousands that a model keeps, two share a digest with a probability of 1 in 10^9.
_DIGEST_BYTES = 8
_UNKNOWN = 0.5


@dataclass(frozen=True)
class TrainedPairs:
    """Pairs of a table's rows, the first `labeled` of them labeled, the others pseudo-labeled, and their out-of-fold
    probability by the classifiers that were not trained on their labeling set.
    """

    pairs: LabeledPairs
    out_of_fold: Probabilities
    labeled: int

    @property
    def labels(self) -> LabeledPairs:
        """The labeled pairs."""
        return self.pairs.where(np.arange(len(self.pairs)) < self.labeled)

    def evidence(self, prepared: PreparedTable) -> Evidence:
        """The pairs as pairs of records; those with a blank row are left out."""
        left, right = prepared.record[self.pairs.left], prepared.record[self.pairs.right]
        keep = (left >= 0) & (right >= 0)
        left, right = left[keep], right[keep]
        labeled = int(keep[: self.labeled].sum())
        return Evidence(
            np.minimum(left, right), np.maximum(left, right), self.pairs.match[keep], self.out_of_fold[keep], labeled
        )


@dataclass(frozen=True)
class LearnedPairs:
    """As TrainedPairs, but each row by its digest; shape (pairs,) each."""

    left: Digests
    right: Digests
    match: NDArray[np.bool_]
    fold: Indices
    out_of_fold: Probabilities
    labeled: int

    def in_table(self, table: Table, columns: Sequence[str]) -> TrainedPairs:
        """The pairs whose two rows the table holds, with the same primary key and the same values in `columns`."""
        digests = row_digests(table, columns, range(len(table)))
        order = np.argsort(digests, kind="stable")
        digests = digests[order]

        def rows(wanted: Digests) -> tuple[Indices, NDArray[np.bool_]]:
            place = np.minimum(np.searchsorted(digests, wanted), max(len(digests) - 1, 0))
            return order[place], digests[place] == wanted

        if not len(digests) or not len(self.left):
            nothing = np.zeros(0, np.int64)
            return TrainedPairs(LabeledPairs(nothing, nothing, np.zeros(0, np.bool_), nothing), np.zeros(0), 0)
        (left, has_left), (right, has_right) = rows(self.left), rows(self.right)
        keep = has_left & has_right
        pairs = LabeledPairs(np.minimum(left, right), np.maximum(left, right), self.match, self.fold).where(keep)
        return TrainedPairs(pairs, self.out_of_fold[keep], int(keep[: self.labeled].sum()))


def trained_pairs(labels: LabeledPairs, prepared: PreparedTable | None, evidence: Evidence | None) -> TrainedPairs:
    """The labeled pairs of rows, and those of the evidence that were pseudo-labeled, as pairs of rows."""
    out_of_fold = np.full(len(labels), _UNKNOWN)
    if prepared is None or evidence is None:
        return TrainedPairs(labels, out_of_fold, len(labels))
    # Labeled pairs with a blank row are no evidence.
    has_records = (prepared.record[labels.left] >= 0) & (prepared.record[labels.right] >= 0)
    out_of_fold[has_records] = evidence.out_of_fold[: evidence.labeled]
    pseudo = slice(evidence.labeled, None)
    left, right = (prepared.first_row[side[pseudo]] for side in (evidence.left, evidence.right))
    pairs = LabeledPairs(
        np.append(labels.left, left),
        np.append(labels.right, right),
        np.append(labels.match, evidence.match[pseudo]),
        np.append(labels.fold, np.full(len(left), -1)),
    )
    return TrainedPairs(pairs, np.append(out_of_fold, evidence.out_of_fold[pseudo]), len(labels))


def learned_pairs(table: Table, columns: Sequence[str], trained: TrainedPairs) -> LearnedPairs:
    """The pairs with each row's digest over the primary key and `columns` in its place."""
    rows = np.unique(np.append(trained.pairs.left, trained.pairs.right))
    digests = row_digests(table, columns, rows.tolist())
    left, right = (digests[np.searchsorted(rows, side)] for side in (trained.pairs.left, trained.pairs.right))
    return LearnedPairs(left, right, trained.pairs.match, trained.pairs.fold, trained.out_of_fold, trained.labeled)


def row_digests(table: Table, columns: Sequence[str], rows: Iterable[int]) -> Digests:
    """A digest of each row's primary key and its values in `columns`; shape (rows,). A null and "" count as equal."""
    cells = [table.keys, *(table.columns[name] for name in columns)]
    digests = [
        hashlib.blake2b(
            "\x1f".join([column[row] or "" for column in cells]).encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES
        ).digest()
        for row in rows
    ]
    return np.frombuffer(b"".join(digests), np.uint64).copy()
