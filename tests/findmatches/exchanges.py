"""An exchange whose blocks arrive in any order, as they do over processes and over a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from findmatches.blocks.block import Block
from findmatches.blocks.exchange import Exchange, LocalExchange
from findmatches.runtime import Runtime


class ShuffledExchange(LocalExchange):
    def __init__(self, parts: int, seed: int) -> None:
        super().__init__(parts)
        self.random = Random(seed)  # noqa: S311 - a random order, no secret

    def arrived(self, part: int, kind: str) -> list[Block]:
        return self._shuffled(super().arrived(part, kind))

    def received(self, kind: str) -> list[Block]:
        return self._shuffled(super().received(kind))

    def _shuffled(self, blocks: list[Block]) -> list[Block]:
        return self.random.sample(blocks, len(blocks))


class Shuffled(Runtime):
    """A runtime of so many parts, blocks in random order."""

    @contextmanager
    def exchange(self, rows: int) -> Iterator[Exchange]:
        yield ShuffledExchange(self.parts or 1, rows)
