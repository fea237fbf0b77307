"""Clustering: from the probability of each pair to groups of rows that are the same thing.

Average linkage, also called UPGMA: Sokal and Michener, "A statistical method for evaluating systematic relationships",
1958. How far to merge: the expected F-measure, as in Jansche, "A maximum expected utility framework for binary sequence
labeling", 2007.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from findmatches.constraints import Constraints, move_cannot_links

Indices = NDArray[np.int64]
Probabilities = NDArray[np.float64]

# Groups whose rows match with a lower mean probability are never merged, whatever the settings favor.
_MIN_LINKAGE = 0.05


@dataclass(frozen=True)
class Merges:
    """Average-linkage merges, most probable first; shape (merges,) each.

    `left` and `right` are nodes whose groups merge, `linkage` is the mean probability over all pairs between the two
    groups, where a pair that was never compared counts as 0, and `pairs` is how many pairs of records the merge adds.
    """

    left: Indices
    right: Indices
    linkage: Probabilities
    pairs: Probabilities


def average_linkage(
    left: Indices, right: Indices, probability: Probabilities, records: Indices, constraints: Constraints
) -> Merges:
    """All merges of nodes above the lowest linkage; `records[node]` is how many records a node starts with.

    `left`, `right`, `probability`: pairs of nodes, shape (pairs,) each; a pair may occur several times.
    """
    nodes = len(constraints.known_id)
    keep = (probability > _MIN_LINKAGE) & (left != right)
    keys = np.minimum(left, right)[keep] * nodes + np.maximum(left, right)[keep]
    keys, inverse = np.unique(keys, return_inverse=True)
    left, right = keys // nodes, keys % nodes
    total = np.bincount(inverse.ravel(), weights=probability[keep], minlength=len(keys)).astype(np.float64)
    graph = sparse.coo_matrix((np.ones(len(left)), (left, right)), shape=(nodes, nodes))
    component = connected_components(graph, directed=False)[1]
    # Most pairs are components of their own, and need no loop.
    isolated = (np.bincount(component[left], minlength=nodes)[component[left]] == 1) & (records[left] == 1)
    isolated &= (records[right] == 1) & ((constraints.known_id[left] < 0) | (constraints.known_id[right] < 0))
    if constraints.cannot_link:
        isolated &= ~np.isin(left * nodes + right, [first * nodes + second for first, second in constraints.cannot_link])
    merges = _merge(left[~isolated], right[~isolated], total[~isolated], records, constraints)
    all_left = np.concatenate([left[isolated], merges.left])
    all_right = np.concatenate([right[isolated], merges.right])
    all_linkage = np.concatenate([total[isolated], merges.linkage])
    all_pairs = np.concatenate([np.ones(int(isolated.sum())), merges.pairs])
    # Average linkage is monotone up to rounding (Lance and Williams, 1967), so a stable sort keeps each merge after those
    # that it builds on.
    order = np.argsort(-np.round(all_linkage, 9), kind="stable")
    return Merges(all_left[order], all_right[order], all_linkage[order], all_pairs[order])


def best_merge_count(merges: Merges, expected_matches: float, beta: float) -> int:
    """How many merges to make for the largest expected F-beta over pairs; a beta above 1 favors recall."""
    if not len(merges.linkage):
        return 0
    # F-beta = (1 + beta^2) * hits / (predicted + beta^2 * actual), in expectation, after each merge (Jansche 2007).
    hits = np.cumsum(merges.linkage * merges.pairs)
    predicted = np.cumsum(merges.pairs)
    f_beta = (1 + beta**2) * hits / (predicted + beta**2 * max(expected_matches, float(hits[-1])))
    return int(np.argmax(f_beta)) + 1


def group_numbers(nodes: int, merges: Merges, count: int) -> Indices:
    """Each node's group number after the first `count` merges; shape (nodes,)."""
    ones = np.ones(count)
    graph = sparse.coo_matrix((ones, (merges.left[:count], merges.right[:count])), shape=(nodes, nodes))
    component: Indices = connected_components(graph, directed=False)[1].astype(np.int64)
    return component


def _merge(left: Indices, right: Indices, total: Probabilities, records: Indices, constraints: Constraints) -> Merges:
    # The closest two groups come from a heap of offers; outdated ones are skipped when they surface (Day and
    # Edelsbrunner, "Efficient algorithms for agglomerative hierarchical clustering methods", 1984).
    state = _Groups(left.tolist(), right.tolist(), total.tolist(), records, constraints)
    merges: list[tuple[int, int, float, float]] = []
    while state.heap:
        negative_linkage, first, second, first_size, second_size = heapq.heappop(state.heap)
        is_current = state.size.get(first) == first_size and state.size.get(second) == second_size
        if is_current and state.may_merge(first, second):
            merges.append((first, second, -negative_linkage, float(first_size * second_size)))
            state.merge(first, second)
    table = np.array(merges, np.float64).reshape(-1, 4)
    return Merges(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3])


class _Groups:
    """Groups during merging: their size in records, known id, and the summed probability of the pairs between them."""

    def __init__(
        self, left: list[int], right: list[int], total: list[float], records: Indices, constraints: Constraints
    ) -> None:
        self.links: dict[int, dict[int, float]] = {}
        for first, second, of_pair in zip(left, right, total, strict=True):
            self.links.setdefault(first, {})[second] = of_pair
            self.links.setdefault(second, {})[first] = of_pair
        self.size = {node: int(records[node]) for node in self.links}
        self.known_id = {node: int(constraints.known_id[node]) for node in self.links}
        self.cannot_link: dict[int, set[int]] = {}
        for first, second in constraints.cannot_link:
            self.cannot_link.setdefault(first, set()).add(second)
            self.cannot_link.setdefault(second, set()).add(first)
        self.heap: list[tuple[float, int, int, int, int]] = []
        for first, second, of_pair in zip(left, right, total, strict=True):
            self._offer(first, second, of_pair)

    def may_merge(self, first: int, second: int) -> bool:
        ids = self.known_id[first], self.known_id[second]
        return not (ids[0] != ids[1] and min(ids) >= 0) and second not in self.cannot_link.get(first, ())

    def merge(self, first: int, second: int) -> None:
        """`second` becomes part of `first`; average linkage needs only the sums of probabilities."""
        links = self.links[first]
        for third, total in self.links.pop(second).items():
            if third != first:
                links[third] = links.get(third, 0.0) + total
                del self.links[third][second]
        del links[second]
        self.size[first] += self.size.pop(second)
        self.known_id[first] = max(self.known_id[first], self.known_id.pop(second))
        move_cannot_links(self.cannot_link, second, first)
        for third, total in links.items():
            self.links[third][first] = total
            self._offer(first, third, total)

    def _offer(self, first: int, second: int, total: float) -> None:
        linkage = total / (self.size[first] * self.size[second])
        if linkage > _MIN_LINKAGE:
            heapq.heappush(self.heap, (-linkage, first, second, self.size[first], self.size[second]))
