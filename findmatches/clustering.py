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

# Groups whose rows match with a lower mean probability are not merged: first as far as the first value, further only if the
# best place to stop is not above it. Less probable pairs would tie unrelated groups into one component without bound.
_MIN_LINKAGE = 0.2
_MIN_LINKAGE_IF_ALL_MERGE = 0.05
# A group whose neighbors match in 9 of 10 pairs is cut off by the limit; one of 5 in 10 is not.
_SATURATION_EXPONENT = 2


@dataclass(frozen=True)
class Merges:
    """Average-linkage merges, most probable first; shape (merges,) each.

    `left` and `right` are nodes whose groups merge, `linkage` is the mean probability over the pairs between the two groups
    (see `average_linkage`), and `pairs` is how many pairs of records the merge adds.
    """

    left: Indices
    right: Indices
    linkage: Probabilities
    pairs: Probabilities

    def __len__(self) -> int:
        return len(self.linkage)

    def first(self, count: int) -> "Merges":
        """The first `count` merges."""
        return Merges(self.left[:count], self.right[:count], self.linkage[:count], self.pairs[:count])


def average_linkage(
    left: Indices,
    right: Indices,
    probability: Probabilities,
    records: Indices,
    constraints: Constraints,
    *,
    neighbors_per_row: int,
    min_linkage: float,
) -> Merges:
    """All merges of nodes above `min_linkage`; `records[node]` is how many records a node starts with.

    `left`, `right`, `probability`: pairs of nodes, shape (pairs,) each; a pair may occur several times.

    If all rows of two groups matched, each row's `neighbors_per_row` nearest would be spread over both groups: so many compared
    pairs are expected between them, or all if the groups are small. A pair that is missing below that number counts as
    different where the rows' nearest neighbors already contain rows that differ: all others are less similar than those.
    """
    nodes = len(constraints.known_id)
    between = left != right
    keys = np.minimum(left, right)[between] * nodes + np.maximum(left, right)[between]
    keys, inverse = np.unique(keys, return_inverse=True)
    left, right = keys // nodes, keys % nodes
    total = np.bincount(inverse.ravel(), weights=probability[between], minlength=len(keys)).astype(np.float64)
    compared = np.bincount(inverse.ravel(), minlength=len(keys))
    # The share of matches among all pairs that a node was compared in.
    ends = np.concatenate([left, right])
    matches = np.bincount(ends, weights=np.concatenate([total, total]), minlength=nodes).astype(np.float64)
    neighbors = np.bincount(ends, weights=np.concatenate([compared, compared]), minlength=nodes).astype(np.int64)
    linked = total > min_linkage
    graph = sparse.coo_matrix((np.ones(int(linked.sum())), (left[linked], right[linked])), shape=(nodes, nodes))
    component = connected_components(graph, directed=False)[1]
    # Only pairs within a component matter; most components are one pair of single records, and need no loop.
    inside = component[left] == component[right]
    left, right, total, compared = left[inside], right[inside], total[inside], compared[inside]
    isolated = (np.bincount(component[left], minlength=nodes)[component[left]] == 1) & (records[left] == 1)
    isolated &= (records[right] == 1) & ((constraints.known_id[left] < 0) | (constraints.known_id[right] < 0))
    if constraints.cannot_link:
        isolated &= ~np.isin(left * nodes + right, [first * nodes + second for first, second in constraints.cannot_link])
    rest = ~isolated
    groups = _Groups(_Nodes(records, matches, neighbors), constraints, neighbors_per_row, min_linkage)
    for first, second, of_pair, count in zip(
        left[rest].tolist(), right[rest].tolist(), total[rest].tolist(), compared[rest].tolist(), strict=True
    ):
        groups.link(first, second, of_pair, count)
    merges = groups.merge_all()
    all_left = np.concatenate([left[isolated], merges.left])
    all_right = np.concatenate([right[isolated], merges.right])
    all_linkage = np.concatenate([total[isolated], merges.linkage])
    all_pairs = np.concatenate([np.ones(int(isolated.sum())), merges.pairs])
    # The linkages of `merge_all` never rise, so a stable sort keeps each merge after those that it builds on.
    order = np.argsort(-all_linkage, kind="stable")
    return Merges(all_left[order], all_right[order], all_linkage[order], all_pairs[order])


def best_merges(
    left: Indices,
    right: Indices,
    probability: Probabilities,
    records: Indices,
    constraints: Constraints,
    *,
    neighbors_per_row: int,
    beta: float,
) -> Merges:
    """The merges with the largest expected F-beta over pairs; a beta above 1 favors recall. See `average_linkage`."""

    def merges_above(min_linkage: float) -> tuple[Merges, int]:
        merges = average_linkage(
            left, right, probability, records, constraints, neighbors_per_row=neighbors_per_row, min_linkage=min_linkage
        )
        return merges, best_merge_count(merges, beta)

    merges, count = merges_above(_MIN_LINKAGE)
    if count == len(merges):
        merges, count = merges_above(_MIN_LINKAGE_IF_ALL_MERGE)
    return merges.first(count)


def best_merge_count(merges: Merges, beta: float) -> int:
    """How many of the merges, most probable first, to make for the largest expected F-beta over pairs.

    The matches expected in all are those that the merges would make. The pairs that no merge makes are left out: there are
    a hundred times more of them than matches, so that the smallest error in their probabilities would decide.
    """
    if not len(merges):
        return 0
    # F-beta = (1 + beta^2) * hits / (predicted + beta^2 * actual), in expectation, after each merge (Jansche 2007).
    hits = np.cumsum(merges.linkage * merges.pairs)
    predicted = np.cumsum(merges.pairs)
    f_beta = (1 + beta**2) * hits / (predicted + beta**2 * hits[-1])
    return int(np.argmax(f_beta)) + 1


def group_numbers(nodes: int, merges: Merges) -> Indices:
    """Each node's group number after the merges; shape (nodes,)."""
    graph = sparse.coo_matrix((np.ones(len(merges)), (merges.left, merges.right)), shape=(nodes, nodes))
    component: Indices = connected_components(graph, directed=False)[1].astype(np.int64)
    return component


@dataclass(frozen=True)
class _Nodes:
    """Per node how many records it starts with, and the summed probability and the number of the pairs it was compared in."""

    records: Indices
    matches: Probabilities
    neighbors: Indices


class _Groups:
    """Groups during merging: their size in records, known id, and the pairs compared between them.

    `links[first][second]` is the summed probability and the number of the compared pairs. `matches` and `neighbors` sum,
    over the group's records, the probabilities and the number of all pairs that they were compared in.
    """

    def __init__(self, nodes: _Nodes, constraints: Constraints, neighbors_per_row: int, min_linkage: float) -> None:
        self.nodes, self.known_id_of = nodes, constraints.known_id
        self.neighbors_per_row, self.min_linkage = neighbors_per_row, min_linkage
        self.matches: dict[int, float] = {}
        self.neighbors: dict[int, float] = {}
        self.links: dict[int, dict[int, tuple[float, int]]] = {}
        self.size: dict[int, int] = {}
        self.known_id: dict[int, int] = {}
        self.cannot_link: dict[int, set[int]] = {}
        for first, second in constraints.cannot_link:
            self.cannot_link.setdefault(first, set()).add(second)
            self.cannot_link.setdefault(second, set()).add(first)
        self.heap: list[tuple[float, int, int, int, int]] = []

    def link(self, first: int, second: int, total: float, compared: int) -> None:
        """Adds two nodes with the pairs between them."""
        for node in (first, second):
            self.size.setdefault(node, int(self.nodes.records[node]))
            self.known_id.setdefault(node, int(self.known_id_of[node]))
            self.matches.setdefault(node, float(self.nodes.matches[node]))
            self.neighbors.setdefault(node, float(self.nodes.neighbors[node]))
        self._set_link(first, second, total, compared)

    def merge_all(self) -> Merges:
        """Merges the closest two groups until none is close enough."""
        # The closest two groups come from a heap of offers; outdated ones are skipped when they surface (Day and
        # Edelsbrunner, "Efficient algorithms for agglomerative hierarchical clustering methods", 1984).
        merges: list[tuple[int, int, float, float]] = []
        lowest = 1.0
        while self.heap:
            negative_linkage, first, second, first_size, second_size = heapq.heappop(self.heap)
            is_current = self.size.get(first) == first_size and self.size.get(second) == second_size
            if is_current and self._may_merge(first, second):
                # A merge may bring the group closer to a third one than its own parts were: it then counts as made at once.
                lowest = min(lowest, -negative_linkage)
                merges.append((first, second, lowest, float(first_size * second_size)))
                self._merge(first, second)
        table = np.array(merges, np.float64).reshape(-1, 4)
        return Merges(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3])

    def _may_merge(self, first: int, second: int) -> bool:
        ids = self.known_id[first], self.known_id[second]
        return not (ids[0] != ids[1] and min(ids) >= 0) and second not in self.cannot_link.get(first, ())

    def _merge(self, first: int, second: int) -> None:
        """`second` becomes part of `first`; average linkage needs only the sums of probabilities."""
        self.size[first] += self.size.pop(second)
        self.known_id[first] = max(self.known_id[first], self.known_id.pop(second))
        self.matches[first] += self.matches.pop(second)
        self.neighbors[first] += self.neighbors.pop(second)
        move_cannot_links(self.cannot_link, second, first)
        links, moved = self.links[first], self.links.pop(second)
        del links[second], moved[first]
        for third in moved:
            del self.links[third][second]
        for third in links.keys() | moved.keys():
            total, compared = links.get(third, (0.0, 0))
            more, more_compared = moved.get(third, (0.0, 0))
            self._set_link(first, third, total + more, compared + more_compared)

    def _set_link(self, first: int, second: int, total: float, compared: int) -> None:
        self.links.setdefault(first, {})[second] = self.links.setdefault(second, {})[first] = (total, compared)
        sizes = self.size[first], self.size[second]
        missing = max(0.0, self._expected_pairs(*sizes) - compared)
        linkage = total / (compared + self._weight_of_missing(first, second) * missing if missing else compared)
        if linkage > self.min_linkage:
            heapq.heappush(self.heap, (-linkage, first, second, *sizes))

    def _expected_pairs(self, first_size: int, second_size: int) -> float:
        """How many pairs between two groups would be compared if all of their rows matched."""
        covered = self.neighbors_per_row / max(1, first_size + second_size - 1)
        return first_size * second_size * min(1.0, covered)

    def _weight_of_missing(self, first: int, second: int) -> float:
        """How much a pair between the groups that was expected and not compared counts as different, 0..1."""
        saturation = (self.matches[first] / self.neighbors[first]) * (self.matches[second] / self.neighbors[second])
        return 1 - saturation**_SATURATION_EXPONENT
