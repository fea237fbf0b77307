"""What must hold in the output: rows with the same known id stay together, other ids stay apart, labels if enforced."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.labels import LabeledPairs

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Bound:
    """Rows as nodes: rows of one node are together for sure.

    `node[row]` is a row's node; `owner[node]` the number of its known id, -1 for none: nodes of different owners never
    merge; neither do the two nodes of a pair in `apart`.
    """

    node: Indices
    owner: Indices
    apart: frozenset[tuple[int, int]]


def bind(record: Indices, known: Sequence[str | None] | None, enforced: LabeledPairs | None) -> Bound:
    """`record[row]` numbers the rows that are alike. Known ids outrank labels; a later label outranks an earlier one."""
    owner_of_row = _numbers(known, len(record))
    node = _together(record, owner_of_row)
    if enforced is None or not len(enforced):
        return Bound(node, _owners(node, owner_of_row), frozenset())
    node = _split_told_apart(node, enforced)
    sets = _DisjointSets(_owners(node, owner_of_row).tolist())
    for place in np.argsort(-enforced.fold, kind="stable").tolist():
        one, other = int(node[enforced.left[place]]), int(node[enforced.right[place]])
        if enforced.match[place]:
            sets.join(one, other)
        else:
            sets.keep_apart(one, other)
    root = np.array([sets.root(number) for number in range(len(sets.parent))], np.int64)
    names, compact = np.unique(root, return_inverse=True)
    place_of = {int(name): place for place, name in enumerate(names)}
    apart = {(place_of[one], place_of[other]) for one, enemies in sets.enemies.items() for other in enemies if one in place_of}
    node = compact.ravel()[node].astype(np.int64)
    return Bound(node, _owners(node, owner_of_row), frozenset(apart))


class _DisjointSets:
    """Union-find whose sets have owners and enemies."""

    def __init__(self, owner: list[int]) -> None:
        self.parent = list(range(len(owner)))
        self.owner = owner
        self.enemies: dict[int, set[int]] = {}

    def root(self, node: int) -> int:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        owned_by_two = self.owner[one] != self.owner[other] and min(self.owner[one], self.owner[other]) >= 0
        if one == other or owned_by_two or other in self.enemies.get(one, ()):
            return
        self.parent[other] = one
        self.owner[one] = max(self.owner[one], self.owner[other])
        for enemy in self.enemies.pop(other, set()):
            self.enemies[enemy].discard(other)
            self.enemies[enemy].add(one)
            self.enemies.setdefault(one, set()).add(enemy)

    def keep_apart(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        if one != other:
            self.enemies.setdefault(one, set()).add(other)
            self.enemies.setdefault(other, set()).add(one)


def _numbers(known: Sequence[str | None] | None, rows: int) -> Indices:
    if known is None:
        return np.full(rows, -1, np.int64)
    number: dict[str, int] = {}
    return np.array([-1 if not name else number.setdefault(name, len(number)) for name in known], np.int64)


def _together(record: Indices, owner: Indices) -> Indices:
    """Rows of one known id share a node; so do alike rows, unless their known ids differ."""
    if owner.max(initial=-1) < 0:
        return record
    first_owner = np.full(int(record.max()) + 1, -1, np.int64)
    owned = np.flatnonzero(owner >= 0)[::-1]
    first_owner[record[owned]] = owner[owned]
    owner = np.where(owner < 0, first_owner[record], owner)
    free = int(owner.max()) + 1
    _, node = np.unique(np.where(owner < 0, free + record, owner), return_inverse=True)
    return node.ravel().astype(np.int64)


def _split_told_apart(node: Indices, enforced: LabeledPairs) -> Indices:
    """Alike rows that a label tells apart become nodes of their own."""
    node = node.copy()
    free = int(node.max()) + 1
    for one, other, match in zip(enforced.left, enforced.right, enforced.match, strict=True):
        if not match and node[one] == node[other]:
            node[other] = free
            free += 1
    return node


def _owners(node: Indices, owner_of_row: Indices) -> Indices:
    owner = np.full(int(node.max(initial=-1)) + 1, -1, np.int64)
    owned = owner_of_row >= 0
    owner[node[owned]] = owner_of_row[owned]
    return owner
