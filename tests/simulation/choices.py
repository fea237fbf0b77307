"""The choices of one schedule: drawn from a seed, or replayed from a list so that a failing schedule can be shrunk."""

from collections.abc import Sequence
from random import Random


class Choices:
    """Draws integers, and records them. Once a replayed list is used up every draw is 0, which is always harmless."""

    def __init__(self, source: int | Sequence[int]) -> None:
        self._random = Random(source) if isinstance(source, int) else None  # noqa: S311  no cryptography
        self._replayed = [] if isinstance(source, int) else list(source)
        self.drawn: list[int] = []

    def below(self, limit: int) -> int:
        """An integer from 0 to `limit` - 1."""
        if self._random is not None:
            value = self._random.randrange(limit)
        else:
            position = len(self.drawn)
            value = min(self._replayed[position], limit - 1) if position < len(self._replayed) else 0
        self.drawn.append(value)
        return value

    def weighted(self, weights: Sequence[int]) -> int:
        """A position in `weights`, each as likely as its weight; a draw of 0 is the first position."""
        value = self.below(sum(weights))
        for position, weight in enumerate(weights):
            value -= weight
            if value < 0:
                return position
        raise AssertionError("weights add up to more than their sum")
