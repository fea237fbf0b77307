"""Which rows to show a person next: sets of rows whose pairs the model is least sure about."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Values = NDArray[np.float64]


def labeling_sets(
    left: Indices, right: Indices, value: Values, *, sets: int, rows_per_set: int, seen: Iterable[frozenset[int]]
) -> list[list[int]]:
    """Greedy: each set starts from the most valuable pair left and grows by what adds most value.

    `value` is what an answer about each candidate pair would be worth; a row is shown once. When no neighbor of the
    set is worth as much as the best pair elsewhere, that pair joins: one set can hold several doubtful pairs.
    """
    pool = _Pool(left, right, value)
    avoided = set(seen)
    found: list[list[int]] = []
    while len(found) < sets:
        members = pool.fill(rows_per_set)
        if not members:
            break
        if frozenset(members) not in avoided:
            avoided.add(frozenset(members))
            found.append(members)
    return found


class _Pool:
    """The rows not shown yet, by the value of their pairs."""

    def __init__(self, left: Indices, right: Indices, value: Values) -> None:
        order = np.argsort(-value, kind="stable")
        triples = zip(left[order].tolist(), right[order].tolist(), value[order].tolist(), strict=True)
        self.pairs: list[tuple[int, int, float]] = list(triples)
        self.next = 0
        self.taken: set[int] = set()
        self.links: dict[int, list[tuple[int, float]]] = {}
        for one, other, worth in self.pairs:
            self.links.setdefault(one, []).append((other, worth))
            self.links.setdefault(other, []).append((one, worth))

    def fill(self, most: int) -> list[int]:
        """The rows of one set, or none if no pair is left."""
        members: list[int] = []
        gain: dict[int, float] = {}
        while len(members) < most:
            added = self._best(gain, most - len(members))
            for row in added:
                self.taken.add(row)
                gain.pop(row, None)
            for row in added:
                for other, worth in self.links[row]:
                    if other not in self.taken:
                        gain[other] = gain.get(other, 0.0) + worth
            members += added
            if not added:
                break
        return members

    def _best(self, gain: dict[int, float], room: int) -> list[int]:
        pair = self._best_pair() if room > 1 else None
        nearest = max(gain, key=lambda row: (gain[row], -row), default=None)
        if nearest is not None and (pair is None or gain[nearest] >= pair[2]):
            return [nearest]
        return [] if pair is None else [pair[0], pair[1]]

    def _best_pair(self) -> tuple[int, int, float] | None:
        while self.next < len(self.pairs):
            one, other, _ = self.pairs[self.next]
            if one not in self.taken and other not in self.taken:
                return self.pairs[self.next]
            self.next += 1
        return None
