"""How sure a grouping is: per row how well it fits its group, and per group the link that holds it together most weakly.

The weakest link is the least probable edge of the group's maximum spanning tree: without it the group falls into two parts
that are tied by nothing more probable. Single-link clusters and minimum spanning trees: Gower and Ross, 1969.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import minimum_spanning_tree

Indices = NDArray[np.int64]
Probabilities = NDArray[np.float64]

# What no compared pair decides, a known match id or an enforced label does.
_CERTAIN = 1.0


@dataclass(frozen=True)
class WeakestLink:
    """Two rows of a group by their primary keys, and the probability, 0..1, that they match."""

    left_key: str
    right_key: str
    probability: float


@dataclass(frozen=True)
class ComparedPairs:
    """Pairs of records `left` <= `right` with the probability that they match; `record[row]` is a row's record, -1 if blank."""

    record: Indices
    left: Indices
    right: Indices
    probability: Probabilities


@dataclass(frozen=True)
class _Members:
    """The rows of one record that are in one group, as one member; shape (members,) each, sorted by record and group."""

    group: Indices
    rows: Indices
    first_row: Indices
    second_row: Indices
    of_row: Indices


@dataclass(frozen=True)
class _Inside:
    """Compared pairs whose two members are in one group."""

    left: Indices
    right: Indices
    probability: Probabilities


def row_confidence(compared: ComparedPairs, group: Indices) -> Probabilities:
    """How surely each row belongs to its group, 0..1; shape (rows,).

    `group[row]` is a row's group. In a group of several rows it is the mean probability of the row's compared pairs within
    the group, the row's average linkage; 1 if no pair was compared. For a row alone it is the probability that its best
    pair does not match.
    """
    record = compared.record
    members = _members(record, group)
    inside = _pairs_inside(members, compared)
    ends = np.concatenate([inside.left, inside.right])
    weights = np.concatenate([inside.probability, inside.probability])
    pairs = np.bincount(ends, minlength=len(members.group))
    mean = np.bincount(ends, weights, len(members.group)) / np.maximum(pairs, 1)
    confidence = np.where(pairs > 0, mean, _CERTAIN)[members.of_row]
    best = np.zeros(int(record.max(initial=-1)) + 2)
    for side in (compared.left, compared.right):
        np.maximum.at(best, side, compared.probability)
    alone = np.bincount(group)[group] == 1
    confidence[alone] = 1 - best[record[alone]]  # a blank row, record -1, has no pair: the last place stays 0
    return np.clip(confidence, 0, 1)


def weakest_links(compared: ComparedPairs, group: Indices, keys: Sequence[str]) -> dict[int, WeakestLink]:
    """The weakest link of each group that compared pairs tie together, by group number; see `row_confidence`."""
    members = _members(compared.record, group)
    inside = _pairs_inside(members, compared)
    between = inside.left != inside.right
    # Costs are positive, since a sparse matrix stores no zeros; a pair occurs once.
    size = len(members.group)
    cost = sparse.coo_matrix((2 - inside.probability[between], (inside.left[between], inside.right[between])), (size, size))
    tree = minimum_spanning_tree(cost.tocsr()).tocoo()
    copies = inside.left[~between]
    first = np.concatenate([members.first_row[tree.row], members.first_row[copies]])
    second = np.concatenate([members.first_row[tree.col], members.second_row[copies]])
    of_link = np.concatenate([2 - tree.data, inside.probability[~between]])
    number = np.concatenate([members.group[tree.row], members.group[copies]])
    # Per group the least probable link, of equal ones that of the first rows.
    order = np.lexsort((second, first, of_link, number))
    weakest = order[np.unique(number[order], return_index=True)[1]]
    links = {}
    for place in weakest.tolist():
        low, high = sorted((int(first[place]), int(second[place])))
        links[int(number[place])] = WeakestLink(keys[low], keys[high], float(of_link[place]))
    return links


def _members(record: Indices, group: Indices) -> _Members:
    groups = int(group.max(initial=0)) + 1
    # Each blank row is a member of its own, before all others.
    keys = np.where(record < 0, -1 - np.arange(len(record)), record * groups + group)
    _, first, of_row, rows = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    of_row = of_row.ravel().astype(np.int64)
    second_row = np.full(len(first), -1, np.int64)
    later = np.setdiff1d(np.arange(len(record)), first)[::-1]
    second_row[of_row[later]] = later
    return _Members(group[first], rows, first.astype(np.int64), second_row, of_row)


def _pairs_inside(members: _Members, compared: ComparedPairs) -> _Inside:
    # A member's key is its record and group. Each pair meets every member of its left record; its partner has the right
    # record and the same group, if there is one.
    groups = int(members.group.max(initial=0)) + 1
    of_member = compared.record[members.first_row]
    keys = of_member * groups + members.group
    start, end = np.searchsorted(of_member, compared.left), np.searchsorted(of_member, compared.left, side="right")
    counts = end - start
    pair = np.repeat(np.arange(len(compared.left)), counts)
    own = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts) + start[pair]
    wanted = compared.right[pair] * groups + members.group[own]
    partner = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    is_inside = (keys[partner] == wanted) & ((partner != own) | (members.rows[own] > 1))
    own, partner = own[is_inside], partner[is_inside]
    return _Inside(own, partner, compared.probability[pair[is_inside]])
