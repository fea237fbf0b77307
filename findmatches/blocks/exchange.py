"""The exchange of blocks between parts within one process: everything stays in memory, parts may run in threads."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from findmatches.blocks.block import DRIVER, Block, Facts, Sent, Stage

# Called as work goes on: the stage's name, how many of its parts are done, and of how many.
Progress = Callable[[str, int, int], None]


class Exchange(Protocol):
    """Runs stages on parts 0 to `parts` - 1 and moves the blocks between them."""

    @property
    def parts(self) -> int:
        """Into how many parts the table is divided."""
        ...

    @property
    def facts(self) -> Facts:
        """What has been published."""
        ...

    def publish(self, **facts: Any) -> None:  # noqa: ANN401 - facts are arrays, numbers and models
        """Makes facts known to all parts, from the next stage on."""
        ...

    def send(self, blocks: Iterable[Sent]) -> None:
        """Hands blocks in from outside."""
        ...

    def run(self, *stages: Stage) -> None:
        """Runs the stages one after the other, each on all parts."""
        ...

    def received(self, kind: str) -> list[Block]:
        """The blocks of a kind that were sent to the driver, which then forgets them."""
        ...

    def drop(self, *kinds: str) -> None:
        """Forgets the blocks of these kinds."""
        ...

    def rename(self, kind: str, new: str) -> None:
        """Adds the blocks of one kind to those of another."""
        ...


class LocalExchange:
    """All parts in this process, up to `threads` of them at a time: numpy computes without holding Python's lock."""

    def __init__(self, parts: int = 1, threads: int = 1, progress: Progress | None = None) -> None:
        self.parts = parts
        self.facts: dict[str, Any] = {"parts": parts}
        self._threads = threads
        self._progress = progress
        self._blocks: dict[str, dict[int, list[Block]]] = {}

    def publish(self, **facts: Any) -> None:  # noqa: ANN401 - facts are arrays, numbers and models
        """See Exchange."""
        self.facts.update(facts)

    def send(self, blocks: Iterable[Sent]) -> None:
        """See Exchange."""
        for part, kind, block in blocks:
            self._blocks.setdefault(kind, {}).setdefault(part, []).append(block)

    def run(self, *stages: Stage) -> None:
        """See Exchange."""
        for stage in stages:
            self._run(stage)

    def received(self, kind: str) -> list[Block]:
        """See Exchange."""
        return self._blocks.get(kind, {}).pop(DRIVER, [])

    def drop(self, *kinds: str) -> None:
        """See Exchange."""
        for kind in kinds:
            self._blocks.pop(kind, None)

    def rename(self, kind: str, new: str) -> None:
        """See Exchange."""
        for part, blocks in self._blocks.pop(kind, {}).items():
            self._blocks.setdefault(new, {}).setdefault(part, []).extend(blocks)

    def arrived(self, part: int, kind: str) -> list[Block]:
        """The blocks of a kind at a part, in any order."""
        return self._blocks.get(kind, {}).get(part, [])

    def _run(self, stage: Stage) -> None:
        def work(part: int) -> list[Sent]:
            blocks = {kind: self.arrived(part, kind) for kind in (*stage.consumes, *stage.reads)}
            return list(stage.function(part, blocks, self.facts))

        if self._threads > 1 and self.parts > 1:
            with ThreadPoolExecutor(self._threads) as pool:
                sent = list(self._counted(stage, pool.map(work, range(self.parts))))
        else:
            sent = list(self._counted(stage, map(work, range(self.parts))))
        self.drop(*stage.consumes)
        for blocks in sent:
            self.send(blocks)

    def _counted(self, stage: Stage, results: Iterable[list[Sent]]) -> Iterable[list[Sent]]:
        for done, result in enumerate(results, start=1):
            if self._progress:
                self._progress(stage.name, done, self.parts)
            yield result
