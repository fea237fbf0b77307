"""From how likely each pair matches to groups of rows that are the same thing."""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from findmatches.constraints import Bound

Indices = NDArray[np.int64]
Chances = NDArray[np.float64]

# Groups whose rows match less likely than this on average are never formed, whatever is favored.
_LEAST = 0.05


@dataclass(frozen=True)
class Merges:
    """Average-linkage merges, likeliest first: two rows whose groups merge, and how many pairs that adds.

    `chance` is the mean probability over all pairs between the two groups; a pair never compared counts as 0.
    """

    left: Indices
    right: Indices
    chance: Chances
    pairs: Chances


def average_linkage(left: Indices, right: Indices, chance: Chances, records: Indices, bound: Bound) -> Merges:
    """All merges of nodes down to a small chance; `records[node]` is how many records a node starts with."""
    nodes = len(bound.owner)
    keep = (chance > _LEAST) & (left != right)
    keys = np.minimum(left, right)[keep] * nodes + np.maximum(left, right)[keep]
    keys, back = np.unique(keys, return_inverse=True)
    left, right = keys // nodes, keys % nodes
    chance = np.bincount(back.ravel(), weights=chance[keep], minlength=len(keys)).astype(np.float64)
    graph = sparse.coo_matrix((np.ones(len(left)), (left, right)), shape=(nodes, nodes))
    component = connected_components(graph, directed=False)[1]
    # Pairs of records that touch no other pair are the most by far, and need no loop.
    lonely = (np.bincount(component[left], minlength=nodes)[component[left]] == 1) & (records[left] == 1)
    lonely &= (records[right] == 1) & ((bound.owner[left] < 0) | (bound.owner[right] < 0))
    if bound.apart:
        lonely &= ~np.isin(left * nodes + right, [one * nodes + other for one, other in bound.apart])
    merged = _merge(left[~lonely], right[~lonely], chance[~lonely], records, bound)
    all_left = np.concatenate([left[lonely], merged.left])
    all_right = np.concatenate([right[lonely], merged.right])
    all_chance = np.concatenate([chance[lonely], merged.chance])
    all_pairs = np.concatenate([np.ones(int(lonely.sum())), merged.pairs])
    # UPGMA is monotone up to rounding, so a stable sort keeps each merge after those it builds on.
    order = np.argsort(-np.round(all_chance, 9), kind="stable")
    return Merges(all_left[order], all_right[order], all_chance[order], all_pairs[order])


def most_expected(merges: Merges, expected_matches: float, beta: float) -> int:
    """How many of the merges to make so that the expected F-beta over pairs is largest; beta above 1 favors recall."""
    if not len(merges.chance):
        return 0
    hits = np.cumsum(merges.chance * merges.pairs)
    made = np.cumsum(merges.pairs)
    score = (1 + beta**2) * hits / (made + beta**2 * max(expected_matches, float(hits[-1])))
    return int(np.argmax(score)) + 1


def groups(nodes: int, merges: Merges, count: int) -> Indices:
    """Each node's group number after the first `count` merges."""
    ones = np.ones(count)
    graph = sparse.coo_matrix((ones, (merges.left[:count], merges.right[:count])), shape=(nodes, nodes))
    component: Indices = connected_components(graph, directed=False)[1].astype(np.int64)
    return component


def _merge(left: Indices, right: Indices, chance: Chances, records: Indices, bound: Bound) -> Merges:
    state = _Groups(left.tolist(), right.tolist(), chance.tolist(), records, bound)
    found: list[tuple[int, int, float, float]] = []
    while state.heap:
        height, one, other, size_one, size_other = heapq.heappop(state.heap)
        # An entry is stale if one of the two has grown since.
        if state.size.get(one) == size_one and state.size.get(other) == size_other and state.may_merge(one, other):
            found.append((one, other, -height, float(size_one * size_other)))
            state.merge(one, other)
    table = np.array(found, np.float64).reshape(-1, 4)
    return Merges(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3])


class _Groups:
    """Groups under way: how large, whose, linked to which others by what sum of chances."""

    def __init__(self, left: list[int], right: list[int], chance: list[float], records: Indices, bound: Bound) -> None:
        self.links: dict[int, dict[int, float]] = {}
        for one, other, likely in zip(left, right, chance, strict=True):
            self.links.setdefault(one, {})[other] = likely
            self.links.setdefault(other, {})[one] = likely
        self.size = {node: int(records[node]) for node in self.links}
        self.owner = {node: int(bound.owner[node]) for node in self.links}
        self.enemies: dict[int, set[int]] = {}
        for one, other in bound.apart:
            self.enemies.setdefault(one, set()).add(other)
            self.enemies.setdefault(other, set()).add(one)
        self.heap: list[tuple[float, int, int, int, int]] = []
        for one, other, likely in zip(left, right, chance, strict=True):
            self._offer(one, other, likely)

    def may_merge(self, one: int, other: int) -> bool:
        owned_by_two = self.owner[one] != self.owner[other] and min(self.owner[one], self.owner[other]) >= 0
        return not owned_by_two and other not in self.enemies.get(one, ())

    def merge(self, one: int, other: int) -> None:
        """`other` becomes part of `one`; average linkage needs only the sums of chances."""
        grown = self.links[one]
        for third, total in self.links.pop(other).items():
            if third != one:
                grown[third] = grown.get(third, 0.0) + total
                del self.links[third][other]
        del grown[other]
        self.size[one] += self.size.pop(other)
        self.owner[one] = max(self.owner[one], self.owner.pop(other))
        for enemy in self.enemies.pop(other, set()):
            self.enemies[enemy].discard(other)
            self.enemies[enemy].add(one)
            self.enemies.setdefault(one, set()).add(enemy)
        for third, total in grown.items():
            self.links[third][one] = total
            self._offer(one, third, total)

    def _offer(self, one: int, other: int, total: float) -> None:
        mean = total / (self.size[one] * self.size[other])
        if mean > _LEAST:
            heapq.heappush(self.heap, (-mean, one, other, self.size[one], self.size[other]))
