"""Constraints on the groups: which rows must be in one group, and which must not.

Must-link and cannot-link constraints: Wagstaff, Cardie, Rogers and Schroedl, "Constrained k-means clustering with
background knowledge", 2001; in hierarchical clustering: Davidson and Ravi, 2005. Rows with one known match id must link,
rows with different ones cannot; labels are constraints if they are enforced.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.labels import LabeledPairs

Indices = NDArray[np.int64]

NO_KNOWN_ID = -1


@dataclass(frozen=True)
class Constraints:
    """Rows that must link share a node.

    `node[row]` is a row's node, shape (rows,). `known_id[node]`, shape (nodes,), is the number of the node's known match
    id or -1: nodes with different known ids never merge, and neither do the two nodes of a pair in `cannot_link`.
    """

    node: Indices
    known_id: Indices
    cannot_link: frozenset[tuple[int, int]]


def build_constraints(record: Indices, known: Sequence[str | None] | None, enforced: LabeledPairs | None) -> Constraints:
    """`record[row]` is equal for rows that are taken as identical. Known ids outrank labels, later labels earlier ones."""
    id_of_row = _numbered(known, len(record))
    node = _nodes(record, id_of_row)
    if enforced is None or not len(enforced):
        return Constraints(node, _ids_of_nodes(node, id_of_row), frozenset())
    node = _split_identical_rows(node, enforced)
    sets = _ConstrainedSets(_ids_of_nodes(node, id_of_row).tolist())
    for place in np.argsort(-enforced.fold, kind="stable").tolist():
        left, right = int(node[enforced.left[place]]), int(node[enforced.right[place]])
        if enforced.match[place]:
            sets.must_link(left, right)
        else:
            sets.add_cannot_link(left, right)
    root = np.array([sets.root(number) for number in range(len(sets.parent))], np.int64)
    roots, compact = np.unique(root, return_inverse=True)
    number_of_root = {int(name): number for number, name in enumerate(roots)}
    cannot_link = {
        (number_of_root[left], number_of_root[right])
        for left, separate in sets.cannot_link.items()
        for right in separate
        if left in number_of_root
    }
    node = compact.ravel()[node].astype(np.int64)
    return Constraints(node, _ids_of_nodes(node, id_of_row), frozenset(cannot_link))


class _ConstrainedSets:
    """Disjoint sets (Tarjan, "Efficiency of a good but not linear set union algorithm", 1975) that obey constraints."""

    def __init__(self, known_id: list[int]) -> None:
        self.parent = list(range(len(known_id)))
        self.known_id = known_id
        self.cannot_link: dict[int, set[int]] = {}

    def root(self, node: int) -> int:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def must_link(self, left: int, right: int) -> None:
        """Merges the two sets, unless an earlier constraint forbids it."""
        left, right = self.root(left), self.root(right)
        ids = self.known_id[left], self.known_id[right]
        if left == right or (ids[0] != ids[1] and min(ids) >= 0) or right in self.cannot_link.get(left, ()):
            return
        self.parent[right] = left
        self.known_id[left] = max(ids)
        move_cannot_links(self.cannot_link, right, left)

    def add_cannot_link(self, left: int, right: int) -> None:
        """Keeps the two sets separate, unless they are one already."""
        left, right = self.root(left), self.root(right)
        if left != right:
            self.cannot_link.setdefault(left, set()).add(right)
            self.cannot_link.setdefault(right, set()).add(left)


def move_cannot_links(cannot_link: dict[int, set[int]], source: int, target: int) -> None:
    """What cannot link with `source` cannot link with `target`, which now includes it."""
    for separate in cannot_link.pop(source, set()):
        cannot_link[separate].discard(source)
        cannot_link[separate].add(target)
        cannot_link.setdefault(target, set()).add(separate)


def _numbered(known: Sequence[str | None] | None, rows: int) -> Indices:
    if known is None:
        return np.full(rows, NO_KNOWN_ID, np.int64)
    number_of: dict[str, int] = {}
    return np.array([NO_KNOWN_ID if not name else number_of.setdefault(name, len(number_of)) for name in known], np.int64)


def _nodes(record: Indices, id_of_row: Indices) -> Indices:
    """Rows of one known id share a node; so do identical rows, unless their known ids differ."""
    if id_of_row.max(initial=NO_KNOWN_ID) < 0:
        return record
    # A row without an id takes that of the first identical row that has one; of repeated assignments the last holds.
    id_of_record = np.full(int(record.max()) + 1, NO_KNOWN_ID, np.int64)
    with_id = np.flatnonzero(id_of_row >= 0)[::-1]
    id_of_record[record[with_id]] = id_of_row[with_id]
    inherited = np.where(id_of_row < 0, id_of_record[record], id_of_row)
    unused = int(inherited.max()) + 1
    _, node = np.unique(np.where(inherited < 0, unused + record, inherited), return_inverse=True)
    return node.ravel().astype(np.int64)


def _split_identical_rows(node: Indices, enforced: LabeledPairs) -> Indices:
    """Identical rows that are labeled as different become nodes of their own."""
    node = node.copy()
    unused = int(node.max()) + 1
    for left, right, match in zip(enforced.left, enforced.right, enforced.match, strict=True):
        if not match and node[left] == node[right]:
            node[right] = unused
            unused += 1
    return node


def _ids_of_nodes(node: Indices, id_of_row: Indices) -> Indices:
    known_id = np.full(int(node.max(initial=-1)) + 1, NO_KNOWN_ID, np.int64)
    with_id = id_of_row >= 0
    known_id[node[with_id]] = id_of_row[with_id]
    return known_id
