"""How well a grouping of rows agrees with the truth."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence


def pairwise_f1(groups: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """F1 over all pairs of rows, 0..1. `groups` and `truth` name each row's group; both have the length of the table.

    1.0 where neither has a pair. Raises ValueError if the lengths differ.
    """
    correct = _pairs(zip(groups, truth, strict=True))
    predicted, actual = _pairs(groups), _pairs(truth)
    return 2 * correct / (predicted + actual) if predicted + actual else 1.0


def _pairs(groups: Iterable[Hashable]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())
